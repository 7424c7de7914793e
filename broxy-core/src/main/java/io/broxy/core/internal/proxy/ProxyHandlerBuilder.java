package io.broxy.core.internal.proxy;

import io.broxy.AddressPolicy;
import io.broxy.Dialer;
import io.broxy.ProxyHandler;
import io.broxy.core.internal.net.OwnAddresses;
import io.broxy.core.internal.relay.Idleness;
import io.broxy.core.internal.time.Durations;
import java.time.Duration;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** The settings of a {@link ProxyHandler}. Threading: for one thread. */
public final class ProxyHandlerBuilder implements ProxyHandler.Builder {
    private final ProxyEngine engine;
    private final Supplier<Dialer> defaultDialer;
    private final Set<? super ProxyHandling> open;
    private @Nullable Dialer dialer;
    private AddressPolicy addressPolicy = AddressPolicy.publicOnly();
    private long headTimeoutNanos = TimeUnit.SECONDS.toNanos(10);
    private Duration dialTimeout = Duration.ofSeconds(10);
    private long idleTimeoutNanos = TimeUnit.MINUTES.toNanos(5);
    private long halfCloseTimeoutNanos = TimeUnit.SECONDS.toNanos(60);
    private int maxTunnels = 20_000;
    private int maxStreamClients = 500;

    /**
     * Starts with the defaults.
     *
     * @param defaultDialer asked when no dialer was set
     * @param open where each handler is noted until it is closed; thread-safe
     */
    public ProxyHandlerBuilder(ProxyEngine engine, Supplier<Dialer> defaultDialer, Set<? super ProxyHandling> open) {
        this.engine = engine;
        this.defaultDialer = defaultDialer;
        this.open = open;
    }

    @Override
    public ProxyHandler.Builder dialer(Dialer dialer) {
        this.dialer = Objects.requireNonNull(dialer, "dialer");
        return this;
    }

    @Override
    public ProxyHandler.Builder addressPolicy(AddressPolicy policy) {
        this.addressPolicy = Objects.requireNonNull(policy, "policy");
        return this;
    }

    @Override
    public ProxyHandler.Builder headTimeout(Duration timeout) {
        headTimeoutNanos = Durations.positiveNanos(timeout, "the head time-out");
        return this;
    }

    @Override
    public ProxyHandler.Builder dialTimeout(Duration timeout) {
        dialTimeout = Duration.ofNanos(Durations.positiveNanos(timeout, "the dial time-out"));
        return this;
    }

    @Override
    public ProxyHandler.Builder idleTimeout(Duration timeout) {
        idleTimeoutNanos = Durations.positiveNanos(timeout, "the idle time-out");
        return this;
    }

    @Override
    public ProxyHandler.Builder halfCloseTimeout(Duration timeout) {
        halfCloseTimeoutNanos = Durations.positiveNanos(timeout, "the half-close time-out");
        return this;
    }

    @Override
    public ProxyHandler.Builder maxTunnels(int max) {
        maxTunnels = positive(max, "the cap on tunnels");
        return this;
    }

    @Override
    public ProxyHandler.Builder maxStreamClients(int max) {
        maxStreamClients = positive(max, "the cap on clients without a channel");
        return this;
    }

    private static int positive(int max, String what) {
        if (max < 1) {
            throw new IllegalArgumentException(what + " must be at least 1, not " + max);
        }
        return max;
    }

    @Override
    public ProxyHandler build() {
        OwnAddresses ownAddresses = new OwnAddresses();
        HandlerSettings settings = new HandlerSettings(
                dialer != null ? dialer : defaultDialer.get(),
                addressPolicy.and(ownAddresses),
                headTimeoutNanos,
                dialTimeout,
                new Idleness(idleTimeoutNanos, halfCloseTimeoutNanos),
                maxTunnels,
                maxStreamClients);
        ProxyHandling handler = new ProxyHandling(settings, ownAddresses, engine, open::remove);
        open.add(handler);
        return handler;
    }
}
