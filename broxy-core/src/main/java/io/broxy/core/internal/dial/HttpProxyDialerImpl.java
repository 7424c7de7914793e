package io.broxy.core.internal.dial;

import io.broxy.ConnPool;
import io.broxy.DialException;
import io.broxy.DialRequest;
import io.broxy.HostPort;
import io.broxy.HttpProxyDialer;
import io.broxy.core.internal.pool.EnginePool;
import io.broxy.core.internal.upstream.HttpHop;
import io.broxy.core.internal.upstream.HttpRoute;
import io.broxy.core.internal.upstream.HttpRouter;
import java.io.IOException;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * Opens tunnels through an HTTP proxy, and sends plain HTTP requests to the proxy itself.
 *
 * <p>Threading: thread-safe.
 */
final class HttpProxyDialerImpl extends TunnelDialer implements HttpProxyDialer, HttpRouter {
    /** The latest hop: hops differ in their timeout only, and most requests have the same one. */
    private volatile HttpHop latest;

    /**
     * Creates one.
     *
     * @param hop of a request that names no timeout
     * @param pool that of the hop
     */
    HttpProxyDialerImpl(HttpHop hop, @Nullable EnginePool pool, DialEngine engine) {
        super(hop.key(), hop.credentials(), pool, hop.timeoutNanos(), engine);
        this.latest = hop;
    }

    @Override
    public ConnPool.Key key() {
        return latest.key();
    }

    @Override
    public @Nullable ConnPool pool() {
        return latest.pool();
    }

    @Override
    String scheme() {
        return overTls() ? "https" : "http";
    }

    @Override
    Handshake handshake(HostPort target, @Nullable String authorization) {
        return new ConnectHandshake(target, latest.fields(), authorization);
    }

    @Override
    public HttpRoute route(DialRequest request) throws DialException {
        IOException denial = DialFailures.denialOfLiteral(request);
        if (denial != null) {
            throw DialException.builder(DialException.Reason.DENIED, request.target())
                    .proxy(proxy())
                    .cause(denial)
                    .build();
        }
        return new ProxyRoute(hop(timeoutNanos(request)), request.target(), ticker().nanos());
    }

    private HttpHop hop(long timeoutNanos) {
        HttpHop hop = latest;
        if (hop.timeoutNanos() != timeoutNanos) {
            hop = hop.within(timeoutNanos);
            latest = hop;
        }
        return hop;
    }

    /** Names the proxy. */
    @Override
    public String toString() {
        return "HttpProxyDialer[" + proxy() + "]";
    }

    /** The route of a request over this proxy. Threading: for one thread, or owned by its event loop. */
    private final class ProxyRoute implements HttpRoute {
        private final HttpHop hop;
        private final HostPort target;
        private final long startNanos;

        ProxyRoute(HttpHop hop, HostPort target, long startNanos) {
            this.hop = hop;
            this.target = target;
            this.startNanos = startNanos;
        }

        @Override
        public HttpHop hop() {
            return hop;
        }

        /** The failure to reach the proxy becomes the cause, as in a dial through the proxy. */
        @Override
        public DialException failed(DialException failure) {
            if (target.equals(failure.target()) && proxy().equals(failure.proxy())) {
                return failure;
            }
            return hop.failure(failure.reason(), target)
                    .duration(Duration.ofNanos(ticker().nanos() - startNanos))
                    .attempts(failure.attempts())
                    .cause(failure)
                    .build();
        }
    }
}
