package io.broxy.core.internal.observe;

import io.broxy.ExchangeResult;
import io.broxy.ProxyListener;
import io.broxy.TunnelResult;
import java.net.SocketAddress;
import org.jspecify.annotations.Nullable;

/** Starts an event of either kind, and commits the one that applies. Threading: owned by the thread that serves the client. */
final class RequestEvents {
    private final TunnelEvent tunnel = new TunnelEvent();
    private final ExchangeEvent exchange = new ExchangeEvent();

    private RequestEvents() {}

    static RequestEvents begin() {
        RequestEvents events = new RequestEvents();
        events.tunnel.begin();
        events.exchange.begin();
        return events;
    }

    /** Records the end of a request that was forwarded or answered by the proxy itself. */
    void exchange(ProxyListener.Request request, @Nullable SocketAddress peer, ExchangeResult result) {
        exchange.ended(request, peer, result);
    }

    /** Records the end of a tunnel, or of the attempt to open one. */
    void tunnel(
            ProxyListener.Request request,
            String protocol,
            @Nullable SocketAddress peer,
            boolean established,
            TunnelResult result) {
        tunnel.ended(request, protocol, peer, established, result);
    }
}
