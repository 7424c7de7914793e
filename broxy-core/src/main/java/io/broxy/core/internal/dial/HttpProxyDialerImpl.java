package io.broxy.core.internal.dial;

import io.broxy.ConnPool;
import io.broxy.DialException;
import io.broxy.DialRequest;
import io.broxy.HttpProxyDialer;
import io.broxy.core.internal.net.DialHandle;
import io.broxy.core.internal.upstream.HttpHop;
import io.broxy.core.internal.upstream.HttpRoute;
import io.broxy.core.internal.upstream.HttpRouter;
import java.io.IOException;

/**
 * Opens tunnels through an HTTP proxy, and sends plain HTTP requests to the proxy itself.
 *
 * <p>Threading: thread-safe.
 */
final class HttpProxyDialerImpl implements HttpProxyDialer, EngineDialer, HttpRouter {
    private final TunnelDialer tunnels;

    /** The latest way: ways differ in their timeout only, and most requests have the same one. */
    private volatile HttpHop latest;

    /**
     * Creates one.
     *
     * @param way of a request that names no timeout
     */
    HttpProxyDialerImpl(TunnelDialer tunnels, HttpHop way) {
        this.tunnels = tunnels;
        this.latest = way;
    }

    @Override
    public ConnPool.Key key() {
        return latest.key();
    }

    @Override
    public DialEngine engine() {
        return tunnels.engine();
    }

    @Override
    public long defaultTimeoutNanos() {
        return tunnels.timeoutNanos();
    }

    @Override
    public DialHandle start(Dial dial) {
        return tunnels.start(dial);
    }

    @Override
    public boolean sendsClientAddress() {
        return tunnels.sendsClientAddress();
    }

    @Override
    public HttpRoute route(DialRequest request) throws DialException {
        IOException denial = DialFailures.denialOfLiteral(request);
        if (denial != null) {
            throw DialException.builder(DialException.Reason.DENIED, request.target())
                    .proxy(key().address())
                    .cause(denial)
                    .build();
        }
        return new ProxyRoute(way(timeoutNanos(request)), request.target(), ticker());
    }

    private HttpHop way(long timeoutNanos) {
        HttpHop way = latest;
        if (way.timeoutNanos() != timeoutNanos) {
            way = way.within(timeoutNanos);
            latest = way;
        }
        return way;
    }

    /** Names the proxy. */
    @Override
    public String toString() {
        return "HttpProxyDialer[" + key().address() + "]";
    }
}
