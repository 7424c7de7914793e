package io.broxy.core.internal.proxy;

import io.broxy.Connection;
import io.broxy.DialException;
import io.broxy.DialRequest;
import io.broxy.Dialer;
import io.broxy.HostPort;
import io.broxy.core.internal.loop.EventLoop;
import io.broxy.core.internal.loop.Workers;
import io.broxy.core.internal.net.LoopDialer;
import io.broxy.core.internal.net.Transferable;
import io.broxy.core.internal.time.TimerQueue;
import java.io.IOException;
import java.net.SocketTimeoutException;
import java.nio.channels.ClosedChannelException;
import java.time.Duration;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
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
    private final Workers workers;
    private final Duration timeout;
    private final TimerQueue.Timer deadline;
    /** Completed from outside, it ends the dialer's own. */
    private final CompletableFuture<Connection> future = new CompletableFuture<>();

    private boolean over;

    private UserDial(EventLoop loop, DialRequest request, Duration timeout, ClientSession session, Workers workers) {
        this.loop = loop;
        this.request = request;
        this.timeout = timeout;
        this.session = session;
        this.workers = workers;
        this.deadline = loop.timers().schedule(loop.nowNanos() + timeout.toNanos(), this::timedOut);
    }

    static UserDial start(
            EventLoop loop,
            Dialer dialer,
            DialRequest request,
            Duration timeout,
            ClientSession session,
            Workers workers) {
        UserDial dial = new UserDial(loop, request, timeout, session, workers);
        try {
            workers.callbacks().execute(() -> dial.run(dialer));
        } catch (RejectedExecutionException e) {
            dial.cancel();
            session.dialerFailed(e);
        }
        return dial;
    }

    /**
     * Takes what a dialer gives, who may keep his reference but cannot use it any more where it is ours.
     *
     * @throws IOException if it is closed
     * @throws IllegalStateException if it was given away before
     * @throws NullPointerException if it is null, against the contract
     */
    static Connection take(@Nullable Connection dialed) throws IOException {
        Connection connection = Objects.requireNonNull(dialed, "the dialer gave no connection");
        if (connection instanceof Transferable own) {
            own.give();
            connection = own.given();
        }
        if (!connection.isOpen()) {
            throw new ClosedChannelException();
        }
        return connection;
    }

    /** Resets a connection that is of no use, off the loop: it may be the user's own code. */
    static void abandon(Connection connection, Workers workers) {
        try {
            workers.closers().execute(() -> abort(connection));
        } catch (RejectedExecutionException e) {
            abort(connection); // the engine ends, and nothing waits for this loop any more
        }
    }

    // ------------------------------------------------------------------ on the callback executor

    private void run(Dialer dialer) {
        CompletableFuture<Connection> own;
        try {
            own = Objects.requireNonNull(dialer.dialAsync(request, workers.callbacks()), "the dialer gave no future");
        } catch (Throwable e) {
            onLoop(() -> failed(e), null);
            return;
        }
        own.whenComplete((connection, failure) -> {
            if (failure == null) {
                connected(connection);
            } else {
                onLoop(() -> failed(failure), null);
            }
        });
        future.whenComplete((connection, failure) -> own.cancel(true));
    }

    private void connected(@Nullable Connection dialed) {
        Connection connection;
        try {
            connection = take(dialed);
            if (connection instanceof Transferable own && own.hasReadiness()) {
                own.give();
                own.unblock();
            }
        } catch (IOException | RuntimeException e) {
            onLoop(() -> failed(e), null);
            return;
        }
        onLoop(() -> connectedInLoop(connection), connection);
    }

    private void onLoop(Runnable task, @Nullable Connection opened) {
        try {
            loop.execute(task);
        } catch (RejectedExecutionException e) {
            if (opened != null) {
                abort(opened);
            }
        }
    }

    private static void abort(Connection opened) {
        try {
            opened.abort();
        } catch (RuntimeException e) {
            log.warn("a dialer's connection failed to close", e);
        }
    }

    // ------------------------------------------------------------------ on the loop

    private void connectedInLoop(Connection connection) {
        if (over) {
            abandon(connection, workers);
            return;
        }
        end();
        if (connection instanceof Transferable own && own.hasReadiness()) {
            session.connected(own.onLoop(loop));
        } else {
            session.connected(connection);
        }
    }

    private void failed(Throwable failure) {
        if (over) {
            return;
        }
        end();
        Throwable cause =
                failure instanceof CompletionException && failure.getCause() != null ? failure.getCause() : failure;
        if (cause instanceof DialException why) {
            session.failed(why);
        } else {
            session.dialerFailed(cause);
        }
    }

    private void timedOut() {
        if (!over) {
            cancel();
            session.failed(timedOut(request.target(), timeout));
        }
    }

    /** The failure of a dialer that does not keep its time. */
    static DialException timedOut(HostPort target, Duration timeout) {
        SocketTimeoutException late = new SocketTimeoutException("the dialer did not end in its time");
        return new DialException(DialException.Reason.TIMEOUT, target, timeout, List.of(), late);
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
                workers.closers().execute(() -> future.cancel(false)); // the dialer's own code may hang on it
            } catch (RejectedExecutionException e) {
                // The engine ends, which has interrupted the dialer.
            }
        }
    }
}
