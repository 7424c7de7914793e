package io.broxy.core.internal.upstream;

import io.broxy.Connection;
import io.broxy.DialException;
import io.broxy.DialRequest;
import io.broxy.Dialer;
import io.broxy.HostPort;
import io.broxy.core.internal.bridge.HandOff;
import io.broxy.core.internal.loop.EventLoop;
import io.broxy.core.internal.loop.Workers;
import io.broxy.core.internal.net.Completion;
import io.broxy.core.internal.net.DialHandle;
import io.broxy.core.internal.net.LoopConnection;
import io.broxy.core.internal.net.Transferable;
import java.io.IOException;
import java.net.InetAddress;
import java.net.SocketTimeoutException;
import java.time.Duration;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * Makes any dialer one for event loops. It may block and it may throw, so it runs on the callback executor; its time is
 * watched on the loop, and its connection is brought there.
 *
 * <p>Threading: thread-safe.
 */
public final class UserDialerAdapter implements LoopDialer {

    private final Dialer dialer;
    private final Workers workers;

    private UserDialerAdapter(Dialer dialer, Workers workers) {
        this.dialer = dialer;
        this.workers = workers;
    }

    /**
     * The dialer itself if it is one for event loops; otherwise one that runs it on an executor.
     */
    public static LoopDialer of(Dialer dialer, Workers workers) {
        return dialer instanceof LoopDialer own ? own : new UserDialerAdapter(dialer, workers);
    }

    /**
     * {@inheritDoc}
     *
     * @param request if it names no timeout, the dialer's own is all there is
     */
    @Override
    public DialHandle dial(
            EventLoop loop, DialRequest request, @Nullable InetAddress client, Completion<LoopConnection> completion) {
        assert loop.inLoop();
        return UserDial.start(loop, dialer, request, completion, workers);
    }

    /**
     * Takes the connection that a dialer returned. The dialer may keep a reference, but can no longer use a connection that
     * Broxy has made.
     *
     * @throws IOException if it is closed; it is reset then
     * @throws IllegalStateException if it was given away before
     * @throws NullPointerException if it is null, against the contract
     */
    static HandOff take(@Nullable Connection dialed, Workers workers) throws IOException {
        Connection connection = Objects.requireNonNull(dialed, "the dialer gave no connection");
        if (connection instanceof Transferable own) {
            own.detach();
        }
        try {
            return HandOff.of(connection, workers);
        } catch (IOException e) {
            abortTaken(connection);
            throw e;
        }
    }

    /** Resets what was taken. */
    static void abortTaken(Connection connection) {
        HandOff.abort(connection instanceof Transferable own ? own.detached() : connection);
    }

    /** The failure of a dialer that does not keep its time. */
    public static DialException timedOut(HostPort target, Duration duration) {
        return DialException.builder(DialException.Reason.TIMEOUT, target)
                .duration(duration)
                .cause(new SocketTimeoutException("the dialer did not end in its time"))
                .build();
    }
}
