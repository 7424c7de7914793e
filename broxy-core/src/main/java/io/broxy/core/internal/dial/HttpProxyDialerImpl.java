package io.broxy.core.internal.dial;

import io.broxy.ConnPool;
import io.broxy.Connection;
import io.broxy.DialException;
import io.broxy.DialRequest;
import io.broxy.HttpProxyDialer;
import io.broxy.core.internal.loop.EventLoop;
import io.broxy.core.internal.net.DialHandle;
import io.broxy.core.internal.upstream.HttpHop;
import io.broxy.core.internal.upstream.HttpRoute;
import io.broxy.core.internal.upstream.HttpRouter;
import io.broxy.core.internal.upstream.LoopDialer;
import java.io.IOException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;

/**
 * Dials through an HTTP proxy with tunnels, and has plain HTTP requests go to the proxy itself.
 *
 * <p>Threading: thread-safe.
 */
final class HttpProxyDialerImpl implements HttpProxyDialer, LoopDialer, HttpRouter {
    private final ProxyDialing tunnels;

    /** Ways differ in their time only, and whoever asks, mostly asks with one. */
    private volatile HttpHop latest;

    /**
     * Creates one.
     *
     * @param way of a request that names no time
     */
    HttpProxyDialerImpl(ProxyDialing tunnels, HttpHop way) {
        this.tunnels = tunnels;
        this.latest = way;
    }

    @Override
    public ConnPool.Key hop() {
        return latest.hop();
    }

    @Override
    public DialHandle dial(EventLoop loop, DialRequest request, Outcome outcome) {
        return tunnels.dial(loop, request, outcome);
    }

    @Override
    public Connection dial(DialRequest request) throws DialException {
        return tunnels.dial(request);
    }

    @Override
    public CompletableFuture<Connection> dialAsync(DialRequest request, Executor executor) {
        return tunnels.dialAsync(request, executor);
    }

    /** As the dialer does that reaches the proxy. */
    @Override
    public boolean sendsClientAddress() {
        return tunnels.sendsClientAddress();
    }

    @Override
    public HttpRoute route(DialRequest request) throws DialException {
        IOException denial = DialFailures.denialOfLiteral(request);
        if (denial != null) {
            throw DialException.builder(DialException.Reason.DENIED, request.target())
                    .proxy(hop().address())
                    .cause(denial)
                    .build();
        }
        return new ProxyRoute(way(tunnels.timeoutNanos(request)), request.target(), tunnels.ticker());
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
        return "HttpProxyDialer[" + hop().address() + "]";
    }
}
