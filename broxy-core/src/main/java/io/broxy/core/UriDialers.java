package io.broxy.core;

import io.broxy.Credentials;
import io.broxy.Dialer;
import io.broxy.HttpProxyDialer;
import io.broxy.ProxyUri;
import io.broxy.Socks5Dialer;

/** Dialers through proxies that are given as URIs. Threading: stateless. */
final class UriDialers {
    private UriDialers() {}

    /** As {@link Broxy#dialerVia}. */
    static Dialer dialer(Broxy broxy, ProxyUri proxy) {
        Credentials credentials = proxy.credentials();
        if (proxy.scheme() == ProxyUri.Scheme.SOCKS5) {
            Socks5Dialer.Builder socks5 = broxy.socks5Dialer(proxy.address());
            return (credentials == null ? socks5 : socks5.credentials(credentials)).build();
        }
        HttpProxyDialer.Builder http = broxy.httpProxyDialer(proxy.address());
        if (proxy.scheme() == ProxyUri.Scheme.HTTPS) {
            http.tls(DefaultTls.context());
        }
        return (credentials == null ? http : http.credentials(credentials)).build();
    }
}
