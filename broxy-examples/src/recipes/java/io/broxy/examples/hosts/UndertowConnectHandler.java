package io.broxy.examples.hosts;

import io.broxy.ConnectRequest;
import io.broxy.ConnectResponse;
import io.broxy.HostPort;
import io.broxy.ProxyHandler;
import io.undertow.server.HttpHandler;
import io.undertow.server.HttpServerExchange;
import io.undertow.util.HeaderValues;
import io.undertow.util.HttpString;
import io.undertow.util.Methods;
import io.undertow.util.SameThreadExecutor;

/**
 * Serves CONNECT requests of an Undertow server, with and without TLS, and passes all others on. Undertow writes the response and
 * keeps the socket, so that two threads serve each tunnel.
 *
 * <p>The server needs the option {@code BUFFER_PIPELINED_DATA} to be false: otherwise Undertow keeps the response to a CONNECT
 * with early bytes, which it takes for a pipelined request.
 *
 * <p>Threading: thread-safe.
 */
public final class UndertowConnectHandler implements HttpHandler {
    private final ProxyHandler handler;
    private final HttpHandler others;

    /**
     * Opens tunnels with a handler.
     *
     * @param others serves all other requests
     */
    public UndertowConnectHandler(ProxyHandler handler, HttpHandler others) {
        this.handler = handler;
        this.others = others;
    }

    @Override
    public void handleRequest(HttpServerExchange exchange) throws Exception {
        if (!exchange.getRequestMethod().equals(Methods.CONNECT)) {
            others.handleRequest(exchange);
            return;
        }
        ConnectRequest.Builder parsed;
        try {
            parsed = ConnectRequest.builder(HostPort.parse(exchange.getRequestURI()));
        } catch (RuntimeException e) { // no host and port
            exchange.setStatusCode(400).endExchange();
            return;
        }
        for (HeaderValues values : exchange.getRequestHeaders()) {
            values.forEach(value -> parsed.field(values.getHeaderName().toString(), value));
        }
        exchange.dispatch(
                SameThreadExecutor.INSTANCE,
                () -> handler.open(parsed.build(), exchange.getSourceAddress())
                        .thenAccept(opened -> exchange.getIoThread().execute(() -> respond(exchange, opened))));
    }

    private static void respond(HttpServerExchange exchange, ConnectResponse opened) {
        exchange.setStatusCode(opened.status());
        opened.fields()
                .forEach(field -> exchange.getResponseHeaders().add(new HttpString(field.name()), field.value()));
        if (!opened.isOpen()) {
            exchange.getResponseSender().send(opened.body());
            return;
        }
        exchange.acceptConnectRequest((connection, upgraded) -> opened.relay(new XnioConnection(connection)));
        exchange.endExchange();
    }
}
