package io.broxy.core;

import io.broxy.Credentials;
import io.broxy.Dialer;
import io.broxy.HttpProxyDialer;
import io.broxy.ProxyUri;
import io.broxy.RoutingDialer;
import io.broxy.Socks4Dialer;
import io.broxy.Socks5Dialer;
import io.broxy.SystemProxies;
import io.broxy.core.internal.dial.SettingProblems;

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
        if (proxy.scheme() == ProxyUri.Scheme.SOCKS4) {
            Socks4Dialer.Builder socks4 = broxy.socks4Dialer(proxy.address());
            return (credentials == null ? socks4 : socks4.userId(credentials.user())).build();
        }
        HttpProxyDialer.Builder http = broxy.httpProxyDialer(proxy.address());
        if (proxy.scheme() == ProxyUri.Scheme.HTTPS) {
            http.tls(DefaultTls.context());
        }
        return (credentials == null ? http : http.credentials(credentials)).build();
    }

    /** As {@link Broxy#routingDialer(SystemProxies)}. */
    static RoutingDialer.Builder routing(Broxy broxy, SystemProxies proxies, SettingProblems problems) {
        RoutingDialer.Builder builder = broxy.routingDialer().rules(proxies.rules());
        problems.log(proxies.problems());
        proxies.hops().forEach((name, uri) -> builder.hop(name, dialer(broxy, uri)));
        return builder;
    }
}
