package io.broxy.core.internal.dial;

import io.broxy.ConnPool;
import io.broxy.Credentials;
import io.broxy.HostPort;
import io.broxy.Socks5Dialer;
import io.broxy.core.internal.upstream.ProxyAuthorization;
import org.jspecify.annotations.Nullable;

/** Dials through a SOCKS5 proxy. Threading: thread-safe. */
final class Socks5DialerImpl extends TunnelDialer implements Socks5Dialer {
    private final @Nullable Credentials credentials;

    Socks5DialerImpl(ConnPool.Key proxy, @Nullable Credentials credentials, long timeoutNanos, DialEngine engine) {
        super(proxy, ProxyAuthorization.NONE, null, timeoutNanos, engine);
        this.credentials = credentials;
    }

    @Override
    String scheme() {
        return "socks5";
    }

    @Override
    Handshake handshake(HostPort target, @Nullable String authorization) {
        return new Socks5Handshake(target, credentials);
    }

    /** Names the proxy. */
    @Override
    public String toString() {
        return "Socks5Dialer[" + proxy() + "]";
    }
}
