package io.broxy.core.internal.proxy;

import io.broxy.AccessRequest;
import io.broxy.Authenticator;
import io.broxy.RefusedException;
import io.broxy.core.internal.http.Rejection;
import io.broxy.core.internal.loop.EventLoop;
import io.broxy.core.internal.time.TimerQueue;
import java.util.concurrent.RejectedExecutionException;
import org.jspecify.annotations.Nullable;

/**
 * Asks an authenticator, which may block. A client that guesses passwords waits for its turn first.
 *
 * <pre>
 *   PARKED ──> WAITING ──> ASKED ──> OVER
 *      │  others are decided  ^        ^  the same was wrong a moment ago, or would have to wait for too long
 *      └──────────────────────┘        └──────────────────────────────────
 * </pre>
 *
 * <p>Threading: owned by the client's event loop, whose end ends its clients, but for {@link #ask}, which runs on the callback
 * executor.
 */
final class Authentication {
    private final AccessControl access;
    private final EventLoop loop;
    private final Authenticator authenticator;
    private final AccessRequest request;
    private final @Nullable String authorization;
    private final AccessControl.Outcome outcome;
    /** Null for a client that shows no credentials, and so guesses nothing. */
    private final LoginThrottle.@Nullable Attempt attempt;

    private TimerQueue.@Nullable Timer timer;
    private boolean asked;
    private boolean over;

    Authentication(
            AccessControl access,
            EventLoop loop,
            Authenticator authenticator,
            AccessRequest request,
            @Nullable String authorization,
            AccessControl.Outcome outcome) {
        this.access = access;
        this.loop = loop;
        this.authenticator = authenticator;
        this.request = request;
        this.authorization = authorization;
        this.outcome = outcome;
        this.attempt = authorization == null
                ? null
                : access.throttle().attempt(request.client(), authorization, () -> loop.tryExecute(this::start));
    }

    /** Asks as soon as this client has its turn. */
    void start() {
        if (over || asked) {
            return;
        }
        stopTimer();
        long wait = attempt == null ? 0 : attempt.waitNanos(loop.nowNanos());
        if (wait == LoginThrottle.REFUSED) {
            refuse(Rejection.TOO_MANY_FAILURES.exception());
        } else if (wait == LoginThrottle.WRONG) {
            refuse(Rejection.UNAUTHENTICATED.exception());
        } else if (wait == LoginThrottle.PARKED) {
            timer = loop.timers().schedule(loop.nowNanos() + access.timeoutNanos(), this::parkedForTooLong);
        } else if (wait == 0) {
            send();
        } else {
            timer = loop.timers().schedule(loop.nowNanos() + wait, this::start);
        }
    }

    private void stopTimer() {
        if (timer != null) {
            loop.timers().cancel(timer);
        }
    }

    private void send() {
        asked = true;
        timer = loop.timers().schedule(loop.nowNanos() + access.timeoutNanos(), this::timedOut);
        try {
            access.callbacks().execute(this::ask);
        } catch (RejectedExecutionException e) {
            undecided(); // the engine ends
        }
    }

    /** On a thread for user code. */
    private void ask() {
        String identity;
        try {
            identity = authenticator.authenticate(request, authorization);
        } catch (Throwable e) { // it is the user's code
            DefaultProxyHandler.log.error("an authenticator failed", e);
            loop.tryExecute(this::undecided);
            return;
        }
        loop.tryExecute(() -> decided(identity));
    }

    private void decided(@Nullable String identity) {
        if (over) {
            return;
        }
        if (identity != null) {
            if (attempt != null) {
                attempt.succeeded(loop.nowNanos());
            }
            cancel();
            outcome.admitted(identity);
            return;
        }
        if (attempt != null) {
            attempt.failed(loop.nowNanos());
        }
        refuse(Rejection.UNAUTHENTICATED.exception());
    }

    private void timedOut() {
        if (!over && !loop.isStopping()) {
            DefaultProxyHandler.log.warn("an authenticator did not answer in time");
            undecided();
        }
    }

    /** Other guesses keep their places, and none of them is decided. */
    private void parkedForTooLong() {
        if (!loop.isStopping()) {
            undecided();
        }
    }

    private void undecided() {
        if (!over) {
            refuse(Rejection.UNDECIDED.exception());
        }
    }

    private void refuse(RefusedException refusal) {
        cancel();
        outcome.refused(refusal);
    }

    /** The decision is not needed any more. */
    void cancel() {
        over = true;
        stopTimer();
        if (attempt != null) {
            attempt.cancel(loop.nowNanos()); // no-op once it is decided
        }
    }
}
