package io.broxy;

import java.nio.ByteBuffer;
import java.util.List;

/**
 * The response to a CONNECT that the host server answers itself, from {@link ProxyHandler#open}: the handler has decided and
 * dialed, and the host server writes the response. If it {@link #isOpen opens} the tunnel, the connection to the target
 * belongs to this response until {@link #relay} or {@link #close}.
 *
 * <p>The host server writes either {@link #message} as it is, or a response of its own with {@link #status}, {@link #fields}
 * and {@link #body}, in whatever version of HTTP its client speaks.
 *
 * <p>Threading: thread-safe.
 */
public interface ConnectResponse extends AutoCloseable {

    /** Whether the status is 200: the target is connected, and the tunnel waits for its client. */
    boolean isOpen();

    /** The status to send: 200, or the one with which the handler refuses the request or reports the failure of its dial. */
    int status();

    /**
     * The header fields to send, in order, such as {@code Proxy-Authenticate} and {@code Proxy-Status}. Fields of the framing
     * ({@code Content-Length}, {@code Connection}) are left to the host server, and a response with status 200 has none (RFC
     * 9110 section 9.3.6). Unmodifiable.
     */
    List<ConnectRequest.Field> fields();

    /** The content to send, which is empty if the status is 200; read-only, and separate for each caller. */
    ByteBuffer body();

    /**
     * The whole response in HTTP/1.1, as {@link ProxyHandler#handleConnect} would have written it; read-only, and separate for
     * each caller. An error says {@code Connection: close}: the host server ends the connection behind it.
     */
    ByteBuffer message();

    /**
     * Relays between a client that has been sent the response and the target, with the handler's timeouts, rates and
     * records, and with the {@linkplain ConnectRequest#earlyBytes early bytes} of its request first.
     *
     * <p>The client may be a channel or a socket of {@code Broxy.asConnection}, or the host server's own implementation,
     * such as one over its TLS. An event loop serves a connection over a channel; two threads serve each other one, which
     * counts towards {@link ProxyLimits#maxStreamClients} from now on. Past this limit both sides are reset and the tunnel
     * ends with {@link CloseReason#REFUSED}.
     *
     * <p>If the tunnel has ended meanwhile, because its time was over or the handler was closed, the client is reset and the
     * tunnel that is returned has ended.
     *
     * @param client owned by Broxy from now on; may be closed, which ends the tunnel with {@link CloseReason#CLIENT_GONE}
     * @return the tunnel's handle, at once
     * @throws IllegalStateException if the response is not {@linkplain #isOpen open}, it was relayed before, or the
     *     connection has passed to another owner; the client stays as it is
     */
    default Tunnel relay(Connection client) {
        return relay(client, ByteBuffer.allocate(0));
    }

    /**
     * As {@link #relay(Connection)}, for a client of which the host server has read something since the request.
     *
     * @param alreadyRead what was read behind the early bytes of the request; copied before this returns
     */
    Tunnel relay(Connection client, ByteBuffer alreadyRead);

    /**
     * Ends a tunnel that is not relayed, with {@link CloseReason#CLOSED}: the connection to the target is reset. After {@link
     * #relay}, and for a response that is not {@linkplain #isOpen open}, it has no effect.
     */
    @Override
    void close();
}
