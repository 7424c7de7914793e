package io.broxy.core.internal.dial;

import io.broxy.ConnPool;
import io.broxy.Dialer;
import io.broxy.HostPort;
import io.broxy.core.internal.time.Durations;
import java.time.Duration;
import java.util.Objects;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** What every dialer through a proxy can be told. Threading: for one thread. */
final class ProxyDialerSettings {
    private final HostPort proxy;
    private final DialEngine engine;
    private final Supplier<Dialer> defaultDialer;
    private @Nullable Dialer over;
    private long timeoutNanos = TimeUnit.SECONDS.toNanos(10);

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
        timeoutNanos = Durations.positiveNanos(timeout, "a dial's time-out");
    }

    long timeoutNanos() {
        return timeoutNanos;
    }

    Dialer over() {
        return over != null ? over : defaultDialer.get();
    }

    /**
     * The dialer.
     *
     * @param toProxy how the proxy is reached
     */
    ProxyDialing dialing(ConnPool.Key toProxy, HandshakeFactory handshakes, HopSource hops) {
        return new ProxyDialing(toProxy, handshakes, hops, timeoutNanos, engine);
    }
}
