package io.broxy.core.internal.dial;

import io.broxy.Socks5Dialer;
import io.broxy.core.internal.net.DialHandle;

/**
 * Dials through a SOCKS5 proxy.
 *
 * @param tunnels how tunnels are opened
 * <p>Threading: thread-safe.
 */
record Socks5DialerImpl(TunnelDialer tunnels) implements Socks5Dialer, EngineDialer {

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

    /** Names the proxy. */
    @Override
    public String toString() {
        return "Socks5Dialer[" + tunnels.proxy() + "]";
    }
}
