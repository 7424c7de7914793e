package io.broxy.core;

import io.broxy.ConnPool;
import io.broxy.Credentials;
import io.broxy.Dialer;
import io.broxy.HttpProxyDialer;
import io.broxy.ProxyUri;
import io.broxy.Socks5Dialer;
import java.time.Duration;
import javax.net.ssl.SSLContext;
import org.jspecify.annotations.Nullable;

/**
 * Makes dialers through proxies that are given as URIs. What is null has the default of the dialer.
 *
 * @param over reaches the proxies
 * @param tls for {@code https} proxies; by default the JVM's
 * @param pool for HTTP proxies
 * @param timeout of a dial whose request has none
 * <p>Threading: immutable.
 */
record UriDialers(
        Broxy broxy,
        @Nullable Dialer over,
        @Nullable SSLContext tls,
        @Nullable ConnPool pool,
        @Nullable Duration timeout) {

    /** As {@link Broxy#dialerVia(ProxyUri)}. */
    Dialer dialer(ProxyUri proxy) {
        return proxy.scheme() == ProxyUri.Scheme.SOCKS5 ? socks5(proxy) : http(proxy);
    }

    private Dialer socks5(ProxyUri proxy) {
        Socks5Dialer.Builder builder = broxy.socks5Dialer(proxy.address());
        Credentials credentials = proxy.credentials();
        if (credentials != null) {
            builder.credentials(credentials);
        }
        if (over != null) {
            builder.over(over);
        }
        if (timeout != null) {
            builder.timeout(timeout);
        }
        return builder.build();
    }

    private Dialer http(ProxyUri proxy) {
        HttpProxyDialer.Builder builder = broxy.httpProxyDialer(proxy.address());
        Credentials credentials = proxy.credentials();
        if (credentials != null) {
            builder.credentials(credentials);
        }
        if (proxy.scheme() == ProxyUri.Scheme.HTTPS) {
            builder.tls(tls != null ? tls : DefaultTls.context());
        }
        if (over != null) {
            builder.over(over);
        }
        if (pool != null) {
            builder.pool(pool);
        }
        if (timeout != null) {
            builder.timeout(timeout);
        }
        return builder.build();
    }
}
