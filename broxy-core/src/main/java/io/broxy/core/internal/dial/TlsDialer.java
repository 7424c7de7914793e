package io.broxy.core.internal.dial;

import io.broxy.Dialer;
import io.broxy.core.internal.net.DialHandle;
import io.broxy.core.internal.tls.Tls;
import io.broxy.core.internal.upstream.LoopDialer;
import io.broxy.core.internal.upstream.UserDialerAdapter;

/**
 * Dials with another dialer and does a TLS handshake over the connection, both under one deadline. Connections to an
 * {@code https} proxy are opened like this.
 *
 * <p>Threading: thread-safe.
 */
final class TlsDialer implements EngineDialer {
    private final Dialer toPeer;
    private final LoopDialer below;
    private final Tls tls;
    private final DialEngine engine;

    TlsDialer(Dialer toPeer, Tls tls, DialEngine engine) {
        this.toPeer = toPeer;
        this.below = UserDialerAdapter.of(toPeer, engine.workers());
        this.tls = tls;
        this.engine = engine;
    }

    @Override
    public DialEngine engine() {
        return engine;
    }

    @Override
    public long defaultTimeoutNanos() {
        return DEFAULT_TIMEOUT_NANOS;
    }

    @Override
    public DialHandle start(Dial dial) {
        return TlsDial.start(dial, below, tls);
    }

    @Override
    public boolean sendsClientAddress() {
        return toPeer.sendsClientAddress();
    }
}
