package io.broxy.core.internal.dial;

import io.broxy.Dialer;
import io.broxy.HostPort;
import io.broxy.core.internal.time.Durations;
import java.time.Duration;
import java.util.Objects;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * The settings that all dialers through a proxy have.
 *
 * <p>Threading: for one thread.
 *
 * @param <B> the builder, as its user sees it
 */
abstract class ProxyDialerBuilder<B> {
    final HostPort proxy;
    final DialEngine engine;
    long timeoutNanos = EngineDialer.DEFAULT_TIMEOUT_NANOS;
    private final Supplier<Dialer> defaultDialer;
    private @Nullable Dialer over;

    /**
     * Starts with the defaults.
     *
     * @param defaultDialer asked when no dialer was set
     */
    ProxyDialerBuilder(HostPort proxy, DialEngine engine, Supplier<Dialer> defaultDialer) {
        this.proxy = Objects.requireNonNull(proxy, "proxy");
        this.engine = engine;
        this.defaultDialer = defaultDialer;
    }

    abstract B self();

    /** Sets the dialer that reaches the proxy. */
    public B over(Dialer dialer) {
        over = Objects.requireNonNull(dialer, "dialer");
        return self();
    }

    /** Sets the timeout of a dial whose request names none. */
    public B timeout(Duration timeout) {
        timeoutNanos = Durations.positiveNanos(timeout, "a dial's timeout");
        return self();
    }

    Dialer over() {
        return over != null ? over : defaultDialer.get();
    }
}
