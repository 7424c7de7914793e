package io.broxy.core.internal.proxy;

import io.broxy.RefusedException;
import io.broxy.core.internal.http.Rejection;
import io.broxy.core.internal.socks.SocksVersion;
import java.nio.ByteBuffer;
import java.nio.channels.SelectionKey;
import org.jspecify.annotations.Nullable;

/**
 * Tells by its first byte which protocol a client speaks: 5 and 4 are SOCKS, everything else is for HTTP to read.
 *
 * <p>Threading: owned by the client's event loop.
 */
final class ProtocolStep implements Step {
    private final ClientConnection connection;
    private final boolean connectOnly;
    private final @Nullable RefusedException refusal;

    private ProtocolStep(ClientConnection connection, boolean connectOnly, @Nullable RefusedException refusal) {
        this.connection = connection;
        this.connectOnly = connectOnly;
        this.refusal = refusal;
    }

    /**
     * Begins to serve a client. Where there is only HTTP, its first byte makes no difference.
     *
     * @param connectOnly whether no other method of HTTP than CONNECT is served
     */
    static void start(ClientConnection connection, boolean connectOnly) {
        if (connection.context().settings().access().socks()) {
            connection.begin(new ProtocolStep(connection, connectOnly, null));
        } else {
            RequestLoop.start(connection, connectOnly);
        }
    }

    /** Refuses a client in the protocol that it speaks: with HTTP at once if there is no other one. */
    static void refuse(ClientConnection connection, RefusedException refusal) {
        if (connection.context().settings().access().socks()) {
            connection.begin(new ProtocolStep(connection, true, refusal));
        } else {
            connection.refuse(refusal, true);
        }
    }

    @Override
    public void begin() {
        HandlerSettings.Timeouts timeouts = connection.timeouts();
        long nanos = refusal == null ? timeouts.headNanos() : timeouts.refusedHeadNanos();
        connection.due(connection.tunnel().startNanos() + nanos);
        connection.waitFor(SelectionKey.OP_READ);
        read(); // the first bytes have often arrived together with the connection
    }

    @Override
    public void ready(int readyOps) {
        read();
    }

    private void read() {
        ByteBuffer first = Step.receive(connection);
        if (first != null) {
            int version = first.get(first.position());
            connection.client().unread(first);
            choose(version);
        }
    }

    private void choose(int version) {
        switch (version) {
            case 5 -> SocksStep.start(connection, SocksVersion.SOCKS5, refusal);
            case 4 -> SocksStep.start(connection, SocksVersion.SOCKS4, refusal);
            default -> http();
        }
    }

    private void http() {
        if (refusal == null) {
            RequestLoop.start(connection, connectOnly);
        } else {
            connection.refuse(refusal, true);
        }
    }

    @Override
    public void timedOut() {
        connection.refuse(refusal == null ? Rejection.HEAD_TIMEOUT.exception() : refusal, true);
    }
}
