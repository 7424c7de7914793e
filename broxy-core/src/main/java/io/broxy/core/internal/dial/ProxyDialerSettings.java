package io.broxy.core.internal.dial;

import io.broxy.ConnPool;
import io.broxy.Dialer;
import io.broxy.HostPort;
import io.broxy.core.internal.pool.EnginePool;
import io.broxy.core.internal.time.Durations;
import java.time.Duration;
import java.util.Objects;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** The settings that all dialers through a proxy have. Threading: for one thread. */
final class ProxyDialerSettings {
    private final HostPort proxy;
    private final DialEngine engine;
    private final Supplier<Dialer> defaultDialer;
    private @Nullable Dialer over;
    private long timeoutNanos = EngineDialer.DEFAULT_TIMEOUT_NANOS;

    ProxyDialerSettings(HostPort proxy, DialEngine engine, Supplier<Dialer> defaultDialer) {
        this.proxy = Objects.requireNonNull(proxy, "proxy");
        this.engine = engine;
        this.defaultDialer = defaultDialer;
    }

    HostPort proxy() {
        return proxy;
    }

    DialEngine engine() {
        return engine;
    }

    void over(Dialer dialer) {
        over = Objects.requireNonNull(dialer, "dialer");
    }

    void timeout(Duration timeout) {
        timeoutNanos = Durations.positiveNanos(timeout, "a dial's timeout");
    }

    long timeoutNanos() {
        return timeoutNanos;
    }

    Dialer over() {
        return over != null ? over : defaultDialer.get();
    }

    /** Makes the dialer's common part: connections to the proxy come from a pool, or are opened for each dial without one. */
    TunnelDialer tunnels(ConnPool.Key toProxy, HandshakeFactory handshakes, @Nullable EnginePool pool) {
        return new TunnelDialer(toProxy, handshakes, pool, timeoutNanos, engine);
    }
}
