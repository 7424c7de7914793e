package io.broxy.core.internal.proxy;

import io.broxy.CloseReason;
import io.broxy.DialException;
import io.broxy.HostPort;
import io.broxy.core.internal.http.Rejection;
import io.broxy.core.internal.loop.LoopBuffers;
import io.broxy.core.internal.net.Completion;
import io.broxy.core.internal.net.DialHandle;
import io.broxy.core.internal.net.LoopConnection;
import io.broxy.core.internal.relay.Relay;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.SelectionKey;
import org.jspecify.annotations.Nullable;

/**
 * A CONNECT whose target is being dialed, until its tunnel is open or the client gets the reason why not.
 *
 * <p>The client is read once at most meanwhile: enough to notice that it was reset, which ends the dial. Whatever more it
 * sends waits in the kernel, and so costs nothing here.
 *
 * <p>Threading: owned by the client's event loop.
 */
final class ConnectStep implements Step, Completion<LoopConnection> {
    private final ClientConnection connection;
    private final LoopConnection client;
    private final HostPort target;
    private final boolean spoken;
    private final TargetDialer dialer;

    private long startNanos;
    private @Nullable DialHandle dialing;

    private ConnectStep(ClientConnection connection, HostPort target, boolean spoken, TargetDialer dialer) {
        this.connection = connection;
        this.client = connection.client();
        this.target = target;
        this.spoken = spoken;
        this.dialer = dialer;
    }

    /**
     * Begins to dial.
     *
     * @param spoken whether the client has sent something behind its request, which waits at its connection
     */
    static void start(
            ClientConnection connection,
            HostPort target,
            @Nullable String identity,
            boolean spoken,
            TargetDialer dialer) {
        connection.tunnel().describe(target, identity);
        connection.identified(identity);
        connection.begin(new ConnectStep(connection, target, spoken, dialer));
    }

    @Override
    public void begin() {
        if (!connection.metrics().tryBeginTunnel()) {
            connection.refuse(Rejection.DRAINING.exception(), true);
            return;
        }
        connection.account().tunnelAdmitted();
        connection.waitFor(0);
        if (!connection.isAt(this)) {
            return;
        }
        startNanos = nanos();
        DialHandle underWay = dialer.dial(connection, target, this);
        if (!connection.isAt(this)) {
            return;
        }
        dialing = underWay;
        if (!spoken) {
            connection.waitFor(SelectionKey.OP_READ);
        }
    }

    // ------------------------------------------------------------------ the client meanwhile

    @Override
    public void ready(int readyOps) {
        ByteBuffer buffer = connection.loop().buffers().shared().limit(LoopBuffers.HEAD_READ);
        try {
            int count = client.read(buffer);
            if (count != 0) {
                client.interest(0); // the end of its stream may be no more than a half-close; the relay finds it again
            }
            if (count < 0 && dialing != null) {
                dialing.clientEnded();
            }
        } catch (IOException e) {
            connection.clientGone(e);
            return;
        }
        client.unread(buffer.flip());
    }

    @Override
    public void stopped(CloseReason reason, @Nullable Throwable cause) {
        if (dialing != null) {
            dialing.cancel();
        }
    }

    // ------------------------------------------------------------------ what comes of it

    @Override
    public void done(LoopConnection origin) {
        if (origin.takesThreads() && !connection.account().admission().mayHaveThreads()) {
            origin.abort();
            answer(
                    connection.protocol().refused(Rejection.FULL.exception(), true),
                    CloseReason.REFUSED,
                    Rejection.FULL.exception());
            return;
        }
        connection.account().dialed(origin, nanos() - startNanos);
        if (client instanceof HostClient host) {
            OpenedStep.start(connection, host, origin);
            return;
        }
        try {
            client.interest(0); // what is wanted from now on is for the relay
        } catch (IOException e) {
            origin.abort();
            connection.clientGone(e);
            return;
        }
        relay(connection, origin);
    }

    /** Opens the tunnel between a client and its target, and answers the client unless it expects none. */
    static void relay(ClientConnection connection, LoopConnection origin) {
        connection.leave();
        connection.account().tunnelEstablished(origin.peer());
        ByteBuffer answer = connection.facts().isTransparent()
                ? null
                : connection.protocol().established(connection.loop().buffers(), origin);
        Relay.start(
                connection.client(),
                origin,
                connection.timeouts().idleness(),
                connection.tunnel(),
                connection.throttles(),
                null,
                answer,
                answer == null ? 0 : answer.remaining());
    }

    @Override
    public void failed(DialException failure) {
        answer(connection.protocol().failed(failure), CloseReason.DIAL_FAILED, failure);
    }

    @Override
    public void broken(DialException failure) {
        Throwable cause = failure.getCause();
        answer(connection.protocol().internalError(), CloseReason.FAILED, cause == null ? failure : cause);
    }

    private long nanos() {
        return connection.context().engine().ticker().nanos();
    }

    private void answer(Answer reply, CloseReason reason, Throwable cause) {
        connection.account().tunnelFailed();
        connection.last(reply, reason, cause);
    }
}
