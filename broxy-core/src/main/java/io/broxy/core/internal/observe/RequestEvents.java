package io.broxy.core.internal.observe;

import io.broxy.ExchangeResult;
import io.broxy.ProxyListener;
import io.broxy.TunnelResult;
import java.net.SocketAddress;
import org.jspecify.annotations.Nullable;

/** Begins an event of either kind, and commits the one that fits. Threading: owned by the thread that serves the client. */
final class RequestEvents implements RequestTrace {
    private final TunnelEvent tunnel = new TunnelEvent();
    private final ExchangeEvent exchange = new ExchangeEvent();

    private RequestEvents() {}

    static RequestEvents begin() {
        RequestEvents events = new RequestEvents();
        events.tunnel.begin();
        events.exchange.begin();
        return events;
    }

    @Override
    public void exchange(ProxyListener.Request request, @Nullable SocketAddress peer, ExchangeResult result) {
        exchange.ended(request, peer, result);
    }

    @Override
    public void tunnel(
            ProxyListener.Request request, @Nullable SocketAddress peer, boolean established, TunnelResult result) {
        tunnel.ended(request, peer, established, result);
    }
}
