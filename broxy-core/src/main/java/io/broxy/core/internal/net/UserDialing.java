package io.broxy.core.internal.net;

import io.broxy.Connection;
import io.broxy.DialException;
import io.broxy.DialRequest;
import io.broxy.Dialer;
import io.broxy.HostPort;
import io.broxy.core.internal.loop.EventLoop;
import io.broxy.core.internal.loop.Workers;
import java.io.IOException;
import java.net.SocketTimeoutException;
import java.nio.channels.ClosedChannelException;
import java.time.Duration;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.RejectedExecutionException;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Makes any dialer one for event loops. It may block and it may throw, so it runs on the callback executor; its time is
 * watched on the loop, and its connection is brought there.
 *
 * <p>Threading: thread-safe.
 */
public final class UserDialing implements LoopDialer {
    private static final Logger log = LoggerFactory.getLogger(UserDialing.class);

    private final Dialer dialer;
    private final Workers workers;

    private UserDialing(Dialer dialer, Workers workers) {
        this.dialer = dialer;
        this.workers = workers;
    }

    /**
     * The dialer itself if it is one for event loops; otherwise one that runs it on an executor.
     */
    public static LoopDialer of(Dialer dialer, Workers workers) {
        return dialer instanceof LoopDialer own ? own : new UserDialing(dialer, workers);
    }

    /**
     * {@inheritDoc}
     *
     * @param request if it names no time, the dialer's own is all there is
     * @param outcome one that is no {@link LoopDialer.UserOutcome} is told of a failure instead, with {@link
     *     DialException.Reason#LOCAL}
     */
    @Override
    public Dialing dial(EventLoop loop, DialRequest request, Outcome outcome) {
        assert loop.inLoop();
        UserOutcome all = forUsers(outcome, request.target(), workers);
        return UserDial.start(loop, dialer, request, all, workers);
    }

    /**
     * The outcome itself if it can do with everything; otherwise one that makes failures of what it cannot.
     */
    public static UserOutcome forUsers(Outcome outcome, HostPort target, Workers workers) {
        return outcome instanceof UserOutcome own ? own : new Narrowed(outcome, target, workers);
    }

    /**
     * Takes what a dialer gives, who may keep his reference but cannot use it any more where it is ours.
     *
     * @throws IOException if it is closed
     * @throws IllegalStateException if it was given away before
     * @throws NullPointerException if it is null, against the contract
     */
    public static Connection take(@Nullable Connection dialed) throws IOException {
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

    /** The failure of a dialer that does not keep its time. */
    public static DialException timedOut(HostPort target, Duration duration) {
        return DialException.builder(DialException.Reason.TIMEOUT, target)
                .duration(duration)
                .cause(new SocketTimeoutException("the dialer did not end in its time"))
                .build();
    }

    /** Resets a connection that is of no use, off the loop: it may be the user's own code, and block. */
    public static void abandon(Connection connection, Workers workers) {
        try {
            workers.closers().execute(() -> abort(connection));
        } catch (RejectedExecutionException e) {
            abort(connection); // the engine ends, and nothing waits for this loop any more
        }
    }

    static void abort(Connection connection) {
        try {
            connection.abort();
        } catch (RuntimeException e) {
            log.warn("a dialer's connection failed to close", e);
        }
    }

    /** Threading: owned by its event loop. */
    private record Narrowed(Outcome outcome, HostPort target, Workers workers) implements UserOutcome {

        @Override
        public void connected(LoopConnection connection) {
            outcome.connected(connection);
        }

        @Override
        public void failed(DialException failure) {
            outcome.failed(failure);
        }

        @Override
        public void connected(Connection connection) {
            abandon(connection, workers);
            dialerFailed(new IOException("the dialer's connection is none that an event loop can drive"));
        }

        @Override
        public void dialerFailed(Throwable failure) {
            DialException.Reason reason = DialException.Reason.LOCAL;
            outcome.failed(new DialException(reason, target, Duration.ZERO, List.of(), failure));
        }
    }
}
