package io.broxy.core.internal.observe;

import io.broxy.ExchangeResult;
import io.broxy.ProxyListener;
import io.broxy.TunnelResult;
import java.net.SocketAddress;
import org.jspecify.annotations.Nullable;

/** Records the end of a request. Threading: owned by the thread that serves the client. */
interface RequestTrace {
    /** Records nothing. */
    RequestTrace OFF = new RequestTrace() {
        @Override
        public void exchange(ProxyListener.Request request, @Nullable SocketAddress peer, ExchangeResult result) {}

        @Override
        public void tunnel(
                ProxyListener.Request request,
                @Nullable SocketAddress peer,
                boolean established,
                TunnelResult result) {}
    };

    /** The request was forwarded, or answered by the proxy itself, and is over. */
    void exchange(ProxyListener.Request request, @Nullable SocketAddress peer, ExchangeResult result);

    /** The tunnel, or the attempt to open one, is over. */
    void tunnel(ProxyListener.Request request, @Nullable SocketAddress peer, boolean established, TunnelResult result);
}
