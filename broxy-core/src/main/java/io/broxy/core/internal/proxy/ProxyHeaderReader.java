package io.broxy.core.internal.proxy;

import io.broxy.CloseReason;
import io.broxy.core.internal.haproxy.ProxyHeader;
import io.broxy.core.internal.haproxy.ProxyHeaderException;
import io.broxy.core.internal.haproxy.ProxyHeaderParser;
import io.broxy.core.internal.http.Rejection;
import io.broxy.core.internal.loop.LoopBuffers;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.SelectionKey;
import org.jspecify.annotations.Nullable;

/**
 * Reads the header of the PROXY protocol that a trusted sender puts before its client's first byte. Without a valid one the
 * connection is closed without a response, as the specification demands: no client is served under another one's address.
 *
 * <p>Threading: owned by the client's event loop.
 */
final class ProxyHeaderReader implements Step {
    private final ClientConnection connection;
    private final RareWarning warning;
    private final Runnable next;
    private final ProxyHeaderParser parser = new ProxyHeaderParser();

    private ProxyHeaderReader(ClientConnection connection, RareWarning warning, Runnable next) {
        this.connection = connection;
        this.warning = warning;
        this.next = next;
    }

    /**
     * Begins to read. What came behind the header stays with the connection.
     *
     * @param warning of what a sender does wrong
     * @param next runs when the sender has announced its client
     */
    static void start(ClientConnection connection, RareWarning warning, Runnable next) {
        connection.begin(new ProxyHeaderReader(connection, warning, next));
    }

    @Override
    public void begin() {
        connection.due(connection.tunnel().startNanos() + connection.timeouts().headNanos());
        read(); // it has often arrived together with the connection
        if (connection.isAt(this)) {
            connection.waitFor(SelectionKey.OP_READ);
        }
    }

    @Override
    public void ready(int readyOps) {
        read();
    }

    private void read() {
        ByteBuffer buffer = connection.loop().buffers().shared().limit(LoopBuffers.HEAD_READ);
        ProxyHeader header;
        try {
            if (connection.client().read(buffer) < 0) {
                ended();
                return;
            }
            header = parser.feed(buffer.flip());
        } catch (ProxyHeaderException e) {
            refuse(String.valueOf(e.getMessage()));
            return;
        } catch (IOException e) {
            connection.clientGone(e);
            return;
        }
        if (header != null) {
            connection.client().unread(buffer);
            connection.facts().announced(header.source(), header.destination());
            next.run();
        }
    }

    /** Balancers check a listener by connecting and closing. */
    private void ended() {
        if (parser.begun()) {
            refuse("the connection ended within the header");
        } else {
            connection.clientGone(null);
        }
    }

    @Override
    public void timedOut() {
        refuse("the header did not come in time");
    }

    private void refuse(String problem) {
        warning.warn(
                "a connection from {} is closed, for its PROXY header is refused: {}",
                String.valueOf(connection.facts().address()),
                problem);
        connection.abort(CloseReason.REFUSED, Rejection.ofProxyHeader(problem));
    }

    /** Records the sender itself, for no other address is known; once closed it has no address any more. */
    @Override
    public void stopped(CloseReason reason, @Nullable Throwable cause) {
        connection.record();
    }
}
