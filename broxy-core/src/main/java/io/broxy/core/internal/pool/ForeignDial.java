package io.broxy.core.internal.pool;

import io.broxy.ConnPool.Hop;
import io.broxy.Connection;
import io.broxy.DialException;
import io.broxy.DialException.Reason;
import io.broxy.DialRequest;
import io.broxy.core.internal.loop.EventLoop;
import io.broxy.core.internal.net.LoopDialer;
import io.broxy.core.internal.net.Transferable;
import io.broxy.core.internal.time.TimerQueue;
import java.io.IOException;
import java.net.SocketTimeoutException;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.RejectedExecutionException;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A dial by a dialer that does not work on event loops: it may block and it may throw, so it runs on the callback executor,
 * and its time is watched here too.
 *
 * <p>Threading: owned by its event loop, but for what the executor runs.
 */
final class ForeignDial implements LoopDialer.Dialing {
    private static final Logger log = LoggerFactory.getLogger(ForeignDial.class);

    private final EventLoop loop;
    private final Hop hop;
    private final Opener opener;
    private final Opener.Outcome outcome;
    private final long startNanos;
    private final TimerQueue.Timer deadline;
    /** Completed from outside, it ends the dialer's own. */
    private final CompletableFuture<Connection> ender = new CompletableFuture<>();

    private boolean over;

    private ForeignDial(EventLoop loop, Hop hop, DialRequest request, Opener opener, Opener.Outcome outcome) {
        this.loop = loop;
        this.hop = hop;
        this.opener = opener;
        this.outcome = outcome;
        startNanos = opener.ticker().nanos();
        long timeoutNanos =
                Objects.requireNonNull(request.timeout(), "the time-out").toNanos();
        deadline = loop.timers().schedule(startNanos + timeoutNanos, this::timedOut);
    }

    static ForeignDial start(EventLoop loop, Hop hop, DialRequest request, Opener opener, Opener.Outcome outcome) {
        assert loop.inLoop();
        ForeignDial dial = new ForeignDial(loop, hop, request, opener, outcome);
        try {
            opener.workers().callbacks().execute(() -> dial.run(request));
        } catch (RejectedExecutionException e) {
            dial.fail(Reason.CANCELLED, e);
        }
        return dial;
    }

    // ------------------------------------------------------------------ on the callback executor

    private void run(DialRequest request) {
        CompletableFuture<Connection> own;
        try {
            own = hop.dialer().dialAsync(request, opener.workers().callbacks());
        } catch (Throwable e) {
            onLoop(() -> failed(e), null);
            return;
        }
        own.whenComplete((connection, failure) -> {
            if (connection == null) {
                onLoop(() -> failed(failure), null);
            } else {
                connected(connection);
            }
        });
        ender.whenComplete((connection, failure) -> own.cancel(true));
    }

    private void connected(Connection connection) {
        if (!(connection instanceof Transferable own) || !own.hasReadiness()) {
            onLoop(() -> unwatchable(connection), connection);
            return;
        }
        try {
            own.give();
        } catch (IOException | IllegalStateException e) {
            own.abort(); // does nothing to what is somebody else's
            onLoop(() -> failed(e), null);
            return;
        }
        try {
            own.unblock();
            onLoop(() -> transferred(own), own);
        } catch (IOException e) {
            own.given().abort();
            onLoop(() -> failed(e), null);
        }
    }

    private void onLoop(Runnable task, @Nullable Connection opened) {
        try {
            loop.execute(task);
        } catch (RejectedExecutionException e) {
            if (opened instanceof Transferable own && own.hasReadiness()) {
                own.given().abort();
            } else if (opened != null) {
                opened.abort();
            }
        }
    }

    // ------------------------------------------------------------------ on the loop

    private void transferred(Transferable given) {
        if (over) {
            given.onLoop(loop).close();
        } else {
            end();
            outcome.connected(given.onLoop(loop));
        }
    }

    private void unwatchable(Connection connection) {
        if (over) {
            close(connection);
        } else {
            end();
            outcome.connected(connection);
        }
    }

    private void close(Connection connection) {
        try {
            opener.workers().callbacks().execute(connection::abort); // which may block
        } catch (RejectedExecutionException e) {
            connection.abort();
        }
    }

    private void failed(@Nullable Throwable failure) {
        if (over) {
            return;
        }
        Throwable cause =
                failure instanceof CompletionException && failure.getCause() != null ? failure.getCause() : failure;
        if (cause instanceof DialException why) {
            end();
            outcome.failed(why);
        } else {
            log.debug("a dialer failed", cause);
            fail(Reason.LOCAL, cause != null ? cause : new NullPointerException("the dialer gave no connection"));
        }
    }

    private void timedOut() {
        if (!over) {
            cancel();
            Reason reason = loop.isStopping() ? Reason.CANCELLED : Reason.TIMEOUT;
            fail(reason, new SocketTimeoutException("the dialer did not end in its time"));
        }
    }

    private void fail(Reason reason, Throwable cause) {
        end();
        outcome.failed(Opener.failure(reason, hop, opener.ticker().nanos() - startNanos, cause));
    }

    private void end() {
        over = true;
        loop.timers().cancel(deadline);
    }

    @Override
    public void cancel() {
        if (!over) {
            end();
            try {
                opener.workers().callbacks().execute(() -> ender.cancel(false)); // the dialer's own code may hang on it
            } catch (RejectedExecutionException e) {
                log.debug("the engine ends, which has interrupted the dialer");
            }
        }
    }
}
