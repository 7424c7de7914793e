package io.broxy.core.internal.proxy;

import io.broxy.Connection;
import io.broxy.DialException;
import io.broxy.DialRequest;
import io.broxy.Dialer;
import io.broxy.core.internal.loop.EventLoop;
import io.broxy.core.internal.net.LoopConnection;
import io.broxy.core.internal.net.LoopDialer;
import io.broxy.core.internal.net.Transferable;
import io.broxy.core.internal.time.TimerQueue;
import java.io.IOException;
import java.net.SocketTimeoutException;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A dial by a dialer that somebody else wrote: it may block and it may throw, so it runs on the callback executor, and its
 * time is watched here too.
 *
 * <p>Threading: owned by the session's event loop, but for what the executor runs.
 */
final class UserDial implements LoopDialer.Dialing {
    private static final Logger log = LoggerFactory.getLogger(UserDial.class);

    private final EventLoop loop;
    private final DialRequest request;
    private final ClientSession session;
    private final Executor callbacks;
    private final Duration timeout;
    private final TimerQueue.Timer deadline;
    /** Completed from outside, it ends the dialer's own. */
    private final CompletableFuture<Connection> future = new CompletableFuture<>();

    private boolean over;

    private UserDial(EventLoop loop, DialRequest request, Duration timeout, ClientSession session, Executor callbacks) {
        this.loop = loop;
        this.request = request;
        this.timeout = timeout;
        this.session = session;
        this.callbacks = callbacks;
        this.deadline = loop.timers().schedule(loop.nowNanos() + timeout.toNanos(), this::timedOut);
    }

    static UserDial start(
            EventLoop loop,
            Dialer dialer,
            DialRequest request,
            Duration timeout,
            ClientSession session,
            Executor callbacks) {
        UserDial dial = new UserDial(loop, request, timeout, session, callbacks);
        try {
            callbacks.execute(() -> dial.run(dialer));
        } catch (RejectedExecutionException e) {
            dial.cancel();
            session.dialerFailed(e);
        }
        return dial;
    }

    // ------------------------------------------------------------------ on the callback executor

    private void run(Dialer dialer) {
        CompletableFuture<Connection> own;
        try {
            own = dialer.dialAsync(request, callbacks);
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
        future.whenComplete((connection, failure) -> own.cancel(true));
    }

    private void connected(Connection connection) {
        if (!(connection instanceof Transferable own) || !own.hasReadiness()) {
            onLoop(() -> connectedInLoop(connection), connection);
            return;
        }
        try {
            own.give();
        } catch (IOException | IllegalStateException e) {
            abort(connection);
            onLoop(() -> failed(e), null);
            return;
        }
        try {
            own.unblock();
            onLoop(() -> transferred(own), () -> own.given().close());
        } catch (IOException e) {
            abort(own.given());
            onLoop(() -> failed(e), null);
        }
    }

    private void onLoop(Runnable task, @Nullable AutoCloseable opened) {
        try {
            loop.execute(task);
        } catch (RejectedExecutionException e) {
            if (opened != null) {
                abort(opened);
            }
        }
    }

    private static void abort(AutoCloseable opened) {
        try {
            opened.close();
        } catch (Exception e) {
            log.debug("closing a connection that is of no use failed", e);
        }
    }

    // ------------------------------------------------------------------ on the loop

    private void transferred(Transferable given) {
        LoopConnection connection = given.onLoop(loop);
        if (over) {
            connection.close();
        } else {
            end();
            session.connected(connection);
        }
    }

    private void connectedInLoop(Connection connection) {
        if (over) {
            callbacks.execute(() -> abort(connection));
        } else {
            end();
            session.connected(connection);
        }
    }

    private void failed(@Nullable Throwable failure) {
        if (over) {
            return;
        }
        end();
        Throwable cause =
                failure instanceof CompletionException && failure.getCause() != null ? failure.getCause() : failure;
        if (cause instanceof DialException why) {
            session.failed(why);
        } else {
            session.dialerFailed(cause != null ? cause : new NullPointerException("the dialer gave no connection"));
        }
    }

    private void timedOut() {
        if (!over) {
            cancel();
            SocketTimeoutException late = new SocketTimeoutException("the dialer did not end in its time");
            session.failed(new DialException(DialException.Reason.TIMEOUT, request.target(), timeout, List.of(), late));
        }
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
                callbacks.execute(() -> future.cancel(false)); // the dialer's own code may hang on it
            } catch (RejectedExecutionException e) {
                // The engine ends, which has interrupted the dialer.
            }
        }
    }
}
