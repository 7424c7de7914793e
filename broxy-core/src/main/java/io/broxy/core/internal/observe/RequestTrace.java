package io.broxy.core.internal.observe;

import io.broxy.ExchangeResult;
import io.broxy.ProxyListener;
import io.broxy.TunnelResult;
import java.net.SocketAddress;
import org.jspecify.annotations.Nullable;

/** A request that a recording may follow. Threading: owned by whoever serves the client. */
interface RequestTrace {
    /** Of one that nobody follows. */
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

    /** It was forwarded, and is over. */
    void exchange(ProxyListener.Request request, @Nullable SocketAddress peer, ExchangeResult result);

    /** It became a tunnel, or did not come to that, and is over. */
    void tunnel(ProxyListener.Request request, @Nullable SocketAddress peer, boolean established, TunnelResult result);
}
