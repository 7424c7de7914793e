package io.broxy.core.internal.dial;

import io.broxy.ConnPool;
import io.broxy.HostPort;
import io.broxy.Socks4Dialer;
import io.broxy.core.internal.upstream.ProxyAuthorization;
import java.io.IOException;
import java.net.Inet6Address;
import org.jspecify.annotations.Nullable;

/** Dials through a SOCKS 4 proxy. Threading: thread-safe. */
final class Socks4DialerImpl extends TunnelDialer implements Socks4Dialer {
    private final String userId;

    Socks4DialerImpl(ConnPool.Key proxy, String userId, long timeoutNanos, DialEngine engine) {
        super(proxy, ProxyAuthorization.NONE, null, timeoutNanos, engine);
        this.userId = userId;
    }

    @Override
    @Nullable
    IOException unsupported(HostPort target) {
        return target.address() instanceof Inet6Address
                ? new IOException("SOCKS version 4 has no IPv6 addresses")
                : null;
    }

    @Override
    String scheme() {
        return "socks4";
    }

    @Override
    Handshake handshake(HostPort target, @Nullable String authorization) {
        return new Socks4Handshake(target, userId);
    }

    /** Names the proxy. */
    @Override
    public String toString() {
        return "Socks4Dialer[" + proxy() + "]";
    }
}
