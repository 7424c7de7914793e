package io.broxy.examples.hosts;

import io.broxy.ConnectRequest;
import io.broxy.ConnectResponse;
import io.broxy.HostPort;
import io.broxy.ProxyHandler;
import java.nio.ByteBuffer;
import org.eclipse.jetty.http.HttpField;
import org.eclipse.jetty.http.HttpMethod;
import org.eclipse.jetty.io.AbstractConnection;
import org.eclipse.jetty.io.Connection;
import org.eclipse.jetty.io.EndPoint;
import org.eclipse.jetty.server.Handler;
import org.eclipse.jetty.server.HttpStream;
import org.eclipse.jetty.server.Request;
import org.eclipse.jetty.server.Response;
import org.eclipse.jetty.util.Callback;

/**
 * Serves CONNECT requests of a Jetty 12 server, with and without TLS, and passes all others on. Jetty writes the response and
 * keeps the socket, so that two threads serve each tunnel.
 *
 * <p>Threading: thread-safe.
 */
public final class JettyConnectHandler extends Handler.Wrapper {
    private final ProxyHandler handler;

    /**
     * Opens tunnels with a handler.
     *
     * @param others serves all other requests
     */
    public JettyConnectHandler(ProxyHandler handler, Handler others) {
        super(others);
        this.handler = handler;
    }

    @Override
    public boolean handle(Request request, Response response, Callback callback) throws Exception {
        if (!HttpMethod.CONNECT.is(request.getMethod())) {
            return super.handle(request, response, callback);
        }
        ConnectRequest.Builder parsed;
        try {
            parsed = ConnectRequest.builder(HostPort.parse(request.getHttpURI().getAuthority()));
        } catch (RuntimeException e) { // no host and port
            Response.writeError(request, response, callback, 400);
            return true;
        }
        for (HttpField field : request.getHeaders()) {
            parsed.field(field.getName(), field.getValue() == null ? "" : field.getValue());
        }
        handler.open(parsed.build(), request.getConnectionMetaData().getRemoteSocketAddress())
                .thenAccept(opened -> respond(request, response, callback, opened));
        return true;
    }

    private static void respond(Request request, Response response, Callback callback, ConnectResponse opened) {
        response.setStatus(opened.status());
        opened.fields().forEach(field -> response.getHeaders().add(field.name(), field.value()));
        if (!opened.isOpen()) {
            response.write(true, opened.body(), callback);
            return;
        }
        EndPoint endPoint = request.getConnectionMetaData().getConnection().getEndPoint();
        request.setAttribute(HttpStream.UPGRADE_CONNECTION_ATTRIBUTE, new TunnelConnection(endPoint, opened));
        callback.succeeded();
    }

    /** Takes the end point over from the HTTP connection, once the response is written. Threading: for one thread at a time. */
    private static final class TunnelConnection extends AbstractConnection implements Connection.UpgradeTo {
        private final ConnectResponse opened;
        private ByteBuffer alreadyRead = ByteBuffer.allocate(0);

        TunnelConnection(EndPoint endPoint, ConnectResponse opened) {
            super(endPoint, Runnable::run);
            this.opened = opened;
        }

        @Override
        public void onUpgradeTo(ByteBuffer buffer) {
            alreadyRead = ByteBuffer.allocate(buffer.remaining()).put(buffer).flip();
        }

        @Override
        public void onOpen() {
            super.onOpen();
            getEndPoint().setIdleTimeout(0); // the tunnel's own is the handler's
            opened.relay(new JettyConnection(getEndPoint()), alreadyRead);
        }

        @Override
        public void onFillable() {
            throw new IllegalStateException("only the relay reads");
        }

        /** Has no effect once the tunnel is relayed. */
        @Override
        public void onClose(Throwable cause) {
            opened.close();
            super.onClose(cause);
        }
    }
}
