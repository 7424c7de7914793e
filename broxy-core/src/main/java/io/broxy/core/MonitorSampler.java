package io.broxy.core;

import io.broxy.ActiveTunnel;
import io.broxy.DurationHistogram;
import io.broxy.EngineStats;
import io.broxy.ExchangeResult;
import io.broxy.HostPort;
import io.broxy.ProxyHandler;
import io.broxy.ProxyListener;
import io.broxy.ProxyStats;
import io.broxy.TunnelResult;
import io.broxy.core.ProxyMonitor.Order;
import io.broxy.core.ProxyMonitor.Sample;
import io.broxy.core.ProxyMonitor.Top;
import io.broxy.core.ProxyMonitor.TunnelRate;
import io.broxy.core.ProxyMonitor.Usage;
import io.broxy.core.internal.observe.UsageWindow;
import io.broxy.core.internal.time.Ticker;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.function.Function;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * What a {@link ProxyMonitor} has seen: takes a sample whenever it is asked to, and counts the handler's events for targets and
 * identities.
 *
 * <p>Threading: thread-safe. An event is counted and a sample is taken under the same lock, so no byte counts twice or is missed.
 */
final class MonitorSampler implements ProxyListener {
    private static final int SAMPLES_OF_A_MINUTE = 60;
    /** Samples after which a tunnel that has ended is forgotten, although its end has not been reported. */
    private static final int MAX_ABSENCE = 10;

    private final Ticker ticker;
    private final Supplier<EngineStats> engine;

    /** Guards everything below. */
    private final Object lock = new Object();

    private final Deque<Sample> samples = new ArrayDeque<>();
    private final Deque<ProxyStats> lastMinute = new ArrayDeque<>();
    private final UsageWindow<HostPort> targets;
    private final UsageWindow<String> identities;
    private final Map<Long, Followed> followed = new HashMap<>();
    private List<TunnelRate> rates = List.of();
    private @Nullable EngineStats lastEngine;
    private @Nullable ProxyHandler handler;
    private long sampledNanos;
    private long number;

    /** Begins with nothing seen. */
    MonitorSampler(Ticker ticker, Supplier<EngineStats> engine) {
        this.ticker = ticker;
        this.engine = engine;
        this.targets = new UsageWindow<>(ticker.nanos());
        this.identities = new UsageWindow<>(ticker.nanos());
    }

    /** The bytes of a tunnel that are in the figures. */
    private static final class Followed {
        long toOrigin;
        long toClient;
        long lastSeen;
    }

    // ------------------------------------------------------------------ events

    @Override
    public void tunnelEstablished(Request request) {
        synchronized (lock) {
            use(request.target(), request.identity(), 1, 0, 0);
        }
    }

    @Override
    public void tunnelEnded(Request request, TunnelResult result) {
        synchronized (lock) {
            Followed counted = followed.remove(request.client().number());
            use(
                    request.target(),
                    request.identity(),
                    0,
                    result.bytesToOrigin() - (counted == null ? 0 : counted.toOrigin),
                    result.bytesToClient() - (counted == null ? 0 : counted.toClient));
        }
    }

    @Override
    public void exchangeEnded(Request request, ExchangeResult result) {
        synchronized (lock) {
            use(request.target(), request.identity(), 1, result.bytesToOrigin(), result.bytesToClient());
        }
    }

    private void use(
            @Nullable HostPort target, @Nullable String identity, long requests, long toOrigin, long toClient) {
        if (requests == 0 && toOrigin == 0 && toClient == 0) {
            return;
        }
        if (target != null) {
            targets.add(target, requests, toOrigin, toClient);
        }
        if (identity != null) {
            identities.add(identity, requests, toOrigin, toClient);
        }
    }

    // ------------------------------------------------------------------ samples

    /**
     * Begins with a handler.
     *
     * @throws IllegalStateException if there is one already
     */
    void begin(ProxyHandler watched) {
        synchronized (lock) {
            if (handler != null) {
                throw new IllegalStateException("the monitor watches a handler already");
            }
            lastMinute.add(watched.stats());
            lastEngine = engine.get();
            sampledNanos = ticker.nanos();
            handler = watched;
        }
    }

    /** Takes a sample; none if no time has passed since the last one. */
    void sample() {
        synchronized (lock) {
            ProxyHandler watched = handler;
            long now = ticker.nanos();
            Duration duration = Duration.ofNanos(now - sampledNanos);
            if (watched == null || duration.isZero()) {
                return;
            }
            sampledNanos = now;
            number++;
            targets.advance(now);
            identities.advance(now);
            follow(watched.activeTunnels(), duration);
            samples.add(difference(lastMinute.getLast(), watched.stats(), duration));
            if (samples.size() > ProxyMonitor.MAX_SAMPLES) {
                samples.remove();
            }
        }
    }

    private void follow(List<ActiveTunnel> tunnels, Duration duration) {
        List<TunnelRate> all = new ArrayList<>(tunnels.size());
        for (ActiveTunnel tunnel : tunnels) {
            Followed counted = followed.computeIfAbsent(tunnel.number(), key -> new Followed());
            long toOrigin = tunnel.bytesToOrigin() - counted.toOrigin;
            long toClient = tunnel.bytesToClient() - counted.toClient;
            counted.toOrigin = tunnel.bytesToOrigin();
            counted.toClient = tunnel.bytesToClient();
            counted.lastSeen = number;
            use(tunnel.target(), tunnel.identity(), 0, toOrigin, toClient);
            all.add(new TunnelRate(
                    tunnel, ProxyMonitor.perSecond(toOrigin, duration), ProxyMonitor.perSecond(toClient, duration)));
        }
        rates = List.copyOf(all);
        followed.values().removeIf(counted -> number - counted.lastSeen > MAX_ABSENCE);
    }

    private Sample difference(ProxyStats before, ProxyStats now, Duration duration) {
        lastMinute.add(now);
        if (lastMinute.size() > SAMPLES_OF_A_MINUTE + 1) {
            lastMinute.remove();
        }
        DurationHistogram dials = now.dialTimes().minus(before.dialTimes());
        return new Sample(
                Instant.now(),
                duration,
                now.openConnections(),
                now.openTunnels(),
                now.openExchanges(),
                now.totalConnections() - before.totalConnections(),
                now.establishedTunnels() - before.establishedTunnels(),
                now.totalExchanges() - before.totalExchanges(),
                now.refused() - before.refused(),
                now.dialFailures() - before.dialFailures(),
                now.bytesToOrigin() - before.bytesToOrigin(),
                now.bytesToClient() - before.bytesToClient(),
                dials.count(),
                dials.quantile(0.5),
                dials.quantile(0.99),
                busiestLoop());
    }

    private double busiestLoop() {
        EngineStats before = Objects.requireNonNull(lastEngine, "a handler is watched");
        EngineStats now = engine.get();
        lastEngine = now;
        double busiest = 0;
        for (int loop = 0; loop < now.loops().size(); loop++) {
            busiest = Math.max(
                    busiest, now.loops().get(loop).busyShare(before.loops().get(loop)));
        }
        return busiest;
    }

    // ------------------------------------------------------------------ what was seen

    List<Sample> samples() {
        synchronized (lock) {
            return List.copyOf(samples);
        }
    }

    @Nullable
    Sample latest() {
        synchronized (lock) {
            return samples.peekLast();
        }
    }

    /** A distribution of the last minute. */
    DurationHistogram ofLastMinute(Function<ProxyStats, DurationHistogram> histogram) {
        synchronized (lock) {
            if (handler == null) {
                throw new IllegalStateException("the monitor watches no handler");
            }
            return histogram.apply(lastMinute.getLast()).minus(histogram.apply(lastMinute.getFirst()));
        }
    }

    Top targets(int max, Order order) {
        synchronized (lock) {
            return top(targets, max, order);
        }
    }

    Top identities(int max, Order order) {
        synchronized (lock) {
            return top(identities, max, order);
        }
    }

    private static <K> Top top(UsageWindow<K> window, int max, Order order) {
        if (max < 0) {
            throw new IllegalArgumentException("the number of usages must not be negative, but is " + max);
        }
        UsageWindow.Top<K> top = window.top(max, order == Order.BYTES);
        return new Top(
                top.usages().stream()
                        .map(usage -> new Usage(
                                usage.key().toString(), usage.requests(), usage.bytesToOrigin(), usage.bytesToClient()))
                        .toList(),
                new Usage("", top.requests(), top.bytesToOrigin(), top.bytesToClient()));
    }

    List<TunnelRate> tunnels() {
        synchronized (lock) {
            return rates;
        }
    }
}
