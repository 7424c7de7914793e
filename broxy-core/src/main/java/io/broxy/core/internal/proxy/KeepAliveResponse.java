package io.broxy.core.internal.proxy;

import io.broxy.CloseReason;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.SelectionKey;

/**
 * A response of the proxy's own behind which the client may send another request.
 *
 * <p>Threading: owned by its event loop.
 */
final class KeepAliveResponse implements Step {
    private final RequestLoop requests;
    private final ClientConnection connection;
    private final ByteBuffer rest;
    private final long deadlineNanos;

    private KeepAliveResponse(RequestLoop requests, ByteBuffer reply) {
        this.requests = requests;
        this.connection = requests.connection();
        this.rest = reply;
        this.deadlineNanos =
                connection.loop().nowNanos() + connection.timeouts().bodyNanos();
    }

    /** Writes it; the next request may follow. */
    static void start(RequestLoop requests, ByteBuffer reply) {
        KeepAliveResponse answer = new KeepAliveResponse(requests, reply);
        answer.connection.step(answer);
        answer.write();
    }

    @Override
    public void ready(int readyOps) {
        write();
    }

    private void write() {
        try {
            connection.client().write(rest);
        } catch (IOException e) {
            connection.clientGone(e);
            return;
        }
        if (rest.hasRemaining()) {
            connection.due(deadlineNanos);
            connection.waitFor(SelectionKey.OP_WRITE);
        } else {
            requests.next();
        }
    }

    @Override
    public void timedOut() {
        connection.abort(CloseReason.IDLE, null);
    }
}
