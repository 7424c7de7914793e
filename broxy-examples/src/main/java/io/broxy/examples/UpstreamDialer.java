package io.broxy.examples;

import io.broxy.ConnPool;
import io.broxy.Credentials;
import io.broxy.Dialer;
import io.broxy.HttpProxyDialer;
import io.broxy.ProxyUri;
import io.broxy.Socks4Dialer;
import io.broxy.Socks5Dialer;
import io.broxy.core.Broxy;
import java.io.IOException;
import java.security.NoSuchAlgorithmException;
import javax.net.ssl.SSLContext;

/** Makes the dialer of an upstream proxy; {@link Broxy#dialerVia} with a pool, over another dialer. */
final class UpstreamDialer {
    private UpstreamDialer() {}

    /**
     * A dialer that goes through a proxy.
     *
     * @param toProxy reaches the proxy
     * @param pool holds connections to the proxy; SOCKS has no use for it
     * @throws IOException if the proxy wants TLS, and the JVM's own settings for it don't work
     */
    static Dialer of(Broxy broxy, Dialer toProxy, Upstream proxy, ConnPool pool) throws IOException {
        return switch (proxy.uri().scheme()) {
            case HTTP -> http(broxy, toProxy, proxy, pool).build();
            case HTTPS -> http(broxy, toProxy, proxy, pool).tls(trustOfTheJvm()).build();
            case SOCKS5 -> socks5(broxy, toProxy, proxy.uri()).build();
            case SOCKS4 -> socks4(broxy, toProxy, proxy.uri()).build();
        };
    }

    private static HttpProxyDialer.Builder http(Broxy broxy, Dialer toProxy, Upstream proxy, ConnPool pool) {
        HttpProxyDialer.Builder builder =
                broxy.httpProxyDialer(proxy.uri().address()).over(toProxy).pool(pool);
        proxy.auth().apply(builder, proxy.uri().credentials());
        return builder;
    }

    private static Socks5Dialer.Builder socks5(Broxy broxy, Dialer toProxy, ProxyUri proxy) {
        Socks5Dialer.Builder builder = broxy.socks5Dialer(proxy.address()).over(toProxy);
        Credentials credentials = proxy.credentials();
        return credentials == null ? builder : builder.credentials(credentials);
    }

    private static Socks4Dialer.Builder socks4(Broxy broxy, Dialer toProxy, ProxyUri proxy) {
        Socks4Dialer.Builder builder = broxy.socks4Dialer(proxy.address()).over(toProxy);
        Credentials credentials = proxy.credentials();
        return credentials == null ? builder : builder.userId(credentials.user());
    }

    private static SSLContext trustOfTheJvm() throws IOException {
        try {
            return SSLContext.getDefault();
        } catch (NoSuchAlgorithmException e) { // how it tells of a key store that it cannot read
            throw new IOException("the JVM's TLS settings do not work: " + e.getMessage(), e);
        }
    }
}
