package io.broxy.core.internal.dial;

import io.broxy.Dialer;
import io.broxy.Route;
import io.broxy.RoutingDialer;
import io.broxy.Rules;
import io.broxy.core.internal.time.Durations;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** The settings of a {@link RoutingDialer}. Threading: for one thread. */
public final class RoutingDialerBuilder implements RoutingDialer.Builder {
    private final DialEngine engine;
    private final Supplier<Dialer> defaultDirect;
    private final Map<String, Dialer> hops = new HashMap<>();
    private @Nullable Dialer direct;
    private Rules rules = Rules.always(Route.direct());
    private long penaltyNanos = TimeUnit.SECONDS.toNanos(10);
    private long timeoutNanos = TimeUnit.SECONDS.toNanos(10);

    /**
     * Starts with the defaults.
     *
     * @param defaultDirect makes the dialer for direct dials unless another is set
     */
    public RoutingDialerBuilder(DialEngine engine, Supplier<Dialer> defaultDirect) {
        this.engine = engine;
        this.defaultDirect = defaultDirect;
    }

    @Override
    public RoutingDialer.Builder hop(String name, Dialer dialer) {
        hops.put(RoutingTable.checkName(name), Objects.requireNonNull(dialer, "dialer"));
        return this;
    }

    @Override
    public RoutingDialer.Builder direct(Dialer dialer) {
        direct = Objects.requireNonNull(dialer, "dialer");
        return this;
    }

    @Override
    public RoutingDialer.Builder rules(Rules rules) {
        this.rules = Objects.requireNonNull(rules, "rules");
        return this;
    }

    @Override
    public RoutingDialer.Builder penalty(Duration penalty) {
        penaltyNanos = Durations.nanos(penalty, "the penalty");
        return this;
    }

    @Override
    public RoutingDialer.Builder timeout(Duration timeout) {
        timeoutNanos = Durations.positiveNanos(timeout, "a dial's timeout");
        return this;
    }

    @Override
    public RoutingDialer build() {
        Map<String, Dialer> all = new HashMap<>(hops);
        all.put(Route.DIRECT, direct != null ? direct : defaultDirect.get());
        return new RoutingDialerImpl(RoutingTable.of(rules, all, engine), timeoutNanos, penaltyNanos, engine);
    }
}
