package io.broxy.core.internal.dial;

import io.broxy.DialException;
import io.broxy.HostPort;
import io.broxy.core.internal.time.Ticker;
import io.broxy.core.internal.upstream.HttpHop;
import io.broxy.core.internal.upstream.HttpRoute;
import java.time.Duration;

/**
 * The route of a request over one HTTP proxy.
 *
 * <p>Threading: for one thread, or owned by its event loop.
 */
final class ProxyRoute implements HttpRoute {
    private final HttpHop way;
    private final HostPort target;
    private final Ticker ticker;
    private final long startNanos;

    ProxyRoute(HttpHop way, HostPort target, Ticker ticker) {
        this.way = way;
        this.target = target;
        this.ticker = ticker;
        this.startNanos = ticker.nanos();
    }

    @Override
    public HttpHop way() {
        return way;
    }

    @Override
    public void connected() {}

    /** The failure to reach the proxy becomes the cause, as in a dial through the proxy. */
    @Override
    public DialException failed(DialException failure) {
        if (target.equals(failure.target()) && way.key().address().equals(failure.proxy())) {
            return failure;
        }
        return way.failure(failure.reason(), target)
                .duration(Duration.ofNanos(ticker.nanos() - startNanos))
                .attempts(failure.attempts())
                .cause(failure)
                .build();
    }
}
