package io.broxy.core;

import io.broxy.ActiveTunnel;
import io.broxy.DurationHistogram;
import io.broxy.ProxyHandler;
import io.broxy.ProxyListener;
import io.broxy.ProxyStats;
import io.broxy.core.internal.loop.Deadline;
import io.broxy.core.internal.time.Seldom;
import io.broxy.core.internal.time.Ticker;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Follows what a handler does, for an operator's page: a sample of each second of the last ten minutes, the busiest targets and
 * identities of the last minute, and the rate of each running tunnel.
 *
 * <pre>{@code
 * ProxyMonitor monitor = ProxyMonitor.of(broxy);
 * ProxyHandler handler = broxy.proxyHandler().listener(monitor.listener().and(ownListener)).build();
 * monitor.watch(handler);
 * }</pre>
 *
 * <p>It has one thread, and reads what the handler counts anyway: event loops do nothing for it, and relays are not slower. A sample
 * takes time and memory proportional to the number of connections being served, some milliseconds for 20,000 tunnels. Whatever clients
 * send, at most 2,000 targets and 2,000 identities are told apart; the rest is in {@linkplain Top#others one sum}.
 *
 * <p>Threading: thread-safe; what it returns is immutable, and does not change with the next sample. No method blocks for longer than a
 * sample takes.
 */
public final class ProxyMonitor implements AutoCloseable {
    private static final Logger log = LoggerFactory.getLogger(ProxyMonitor.class);

    /** The time between two samples. */
    public static final Duration INTERVAL = Duration.ofSeconds(1);

    /** The number of samples that are kept: those of ten minutes. */
    public static final int MAX_SAMPLES = 600;

    private static final long LOG_INTERVAL_NANOS = TimeUnit.MINUTES.toNanos(1);

    private final Ticker ticker;
    private final MonitorSampler sampler;
    private final Consumer<ProxyMonitor> onClose;
    private final CountDownLatch closed = new CountDownLatch(1);
    private final Seldom failures = new Seldom(LOG_INTERVAL_NANOS);
    private final Object lock = new Object();
    /** Guarded by the lock. */
    private @Nullable Thread thread;

    private ProxyMonitor(Ticker ticker, MonitorSampler sampler, Consumer<ProxyMonitor> onClose) {
        this.ticker = ticker;
        this.sampler = sampler;
        this.onClose = onClose;
    }

    /**
     * Returns a monitor that watches nothing yet.
     *
     * @param broxy the engine of the handler that it will watch; the monitor is closed with it, if not before
     * @throws IllegalStateException if the engine is closed
     */
    public static ProxyMonitor of(Broxy broxy) {
        EngineParts parts = broxy.engine.parts;
        return parts.add(
                new ProxyMonitor(Ticker.SYSTEM, new MonitorSampler(Ticker.SYSTEM, broxy::stats), parts.open()::remove));
    }

    /**
     * What happened in about a second. The bytes of tunnels count as they flow, and those of an exchange when it ends.
     *
     * <p>Threading: immutable.
     *
     * @param end its end, by the system clock
     * @param duration its length, from which rates follow
     * @param openConnections client connections being served at its end
     * @param openTunnels tunnels being established or relaying at its end
     * @param openExchanges requests being forwarded, or answered by the embedder, at its end
     * @param connections client connections that were handed over
     * @param tunnels tunnels that were established
     * @param exchanges exchanges that ended
     * @param refused requests that were refused
     * @param dialFailures requests whose target could not be dialed
     * @param bytesToOrigin bytes passed to origins
     * @param bytesToClient bytes passed to clients
     * @param dials dials that opened a connection
     * @param dialMedian half of these dials took no longer; zero if there were none
     * @param dialP99 99 % of these dials took no longer; zero if there were none
     * @param busiestLoop the share of the time in which the busiest event loop of the engine worked, from 0 to 1
     */
    public record Sample(
            Instant end,
            Duration duration,
            long openConnections,
            long openTunnels,
            long openExchanges,
            long connections,
            long tunnels,
            long exchanges,
            long refused,
            long dialFailures,
            long bytesToOrigin,
            long bytesToClient,
            long dials,
            Duration dialMedian,
            Duration dialP99,
            double busiestLoop) {

        /** The bytes passed to origins in a second. */
        public double bytesToOriginPerSecond() {
            return perSecond(bytesToOrigin, duration);
        }

        /** The bytes passed to clients in a second. */
        public double bytesToClientPerSecond() {
            return perSecond(bytesToClient, duration);
        }
    }

    /**
     * What a target or an identity has used in the last minute.
     *
     * <p>Threading: immutable.
     *
     * @param name the target's host and port, or the identity
     * @param requests tunnels that were established, and exchanges that ended
     * @param bytesToOrigin bytes passed to origins
     * @param bytesToClient bytes passed to clients
     */
    public record Usage(String name, long requests, long bytesToOrigin, long bytesToClient) {}

    /**
     * Those that have used most.
     *
     * <p>Threading: immutable.
     *
     * @param usages the most first; unmodifiable
     * @param others the sum of all others, with an empty name
     */
    public record Top(List<Usage> usages, Usage others) {}

    /** By what {@link #topTargets} and {@link #topIdentities} choose. */
    public enum Order {
        /** Bytes in both directions. */
        BYTES,
        /** Tunnels that were established, and exchanges that ended. */
        REQUESTS
    }

    /**
     * A tunnel that was running at the last sample, and its rate in the second before.
     *
     * <p>Threading: immutable, except for {@link ActiveTunnel#tunnel()}.
     *
     * @param tunnel the tunnel at the sample
     * @param bytesToOriginPerSecond bytes passed to the origin in a second
     * @param bytesToClientPerSecond bytes passed to the client in a second
     */
    public record TunnelRate(ActiveTunnel tunnel, double bytesToOriginPerSecond, double bytesToClientPerSecond) {}

    // ------------------------------------------------------------------ following a handler

    /** Receives the events of the handler; without it, only running tunnels are in the figures of targets and identities. */
    public ProxyListener listener() {
        return sampler;
    }

    /**
     * Begins to take samples of a handler.
     *
     * @throws IllegalStateException if this monitor watches a handler already, or is closed
     */
    public void watch(ProxyHandler handler) {
        Objects.requireNonNull(handler, "handler");
        synchronized (lock) {
            if (closed.getCount() == 0) {
                throw new IllegalStateException("the monitor is closed");
            }
            sampler.begin(handler);
            Thread sampling = new Thread(null, this::run, "broxy-monitor", 0, false);
            sampling.setDaemon(true);
            sampling.start();
            thread = sampling;
        }
    }

    private void run() {
        long nextNanos = ticker.nanos() + INTERVAL.toNanos();
        try {
            while (!closed.await(nextNanos - ticker.nanos(), TimeUnit.NANOSECONDS)) {
                sample();
                nextNanos = Math.max(nextNanos + INTERVAL.toNanos(), ticker.nanos());
            }
        } catch (InterruptedException e) {
            log.debug("the thread of a monitor was interrupted, and ends", e);
        }
    }

    private void sample() {
        try {
            sampler.sample();
        } catch (RuntimeException | OutOfMemoryError e) {
            if (failures.isTime(ticker.nanos())) {
                log.error("a sample of a proxy handler failed; the next one is taken all the same", e);
            }
        }
    }

    static double perSecond(long bytes, Duration duration) {
        return bytes * 1e9 / duration.toNanos();
    }

    // ------------------------------------------------------------------ what it has seen

    /** The samples of the last ten minutes, the oldest first; unmodifiable, and empty in the first second. */
    public List<Sample> samples() {
        return sampler.samples();
    }

    /** The latest sample; null in the first second. */
    public @Nullable Sample latest() {
        return sampler.latest();
    }

    /**
     * The handler's dial times in the last minute.
     *
     * @throws IllegalStateException if no handler is watched
     */
    public DurationHistogram dialTimes() {
        return sampler.ofLastMinute(ProxyStats::dialTimes);
    }

    /**
     * The handler's response times in the last minute.
     *
     * @throws IllegalStateException if no handler is watched
     */
    public DurationHistogram responseTimes() {
        return sampler.ofLastMinute(ProxyStats::responseTimes);
    }

    /**
     * The busiest targets of the last minute.
     *
     * @param max how many of them
     * @throws IllegalArgumentException if it is negative
     */
    public Top topTargets(int max, Order order) {
        return sampler.targets(max, order);
    }

    /**
     * The busiest identities of the last minute. Requests without an identity are not among them.
     *
     * @param max how many of them
     * @throws IllegalArgumentException if it is negative
     */
    public Top topIdentities(int max, Order order) {
        return sampler.identities(max, order);
    }

    /** The tunnels that were running at the latest sample, the oldest first; unmodifiable. */
    public List<TunnelRate> tunnels() {
        return sampler.tunnels();
    }

    /** Takes no more samples; what was seen stays. Repeated calls have no effect. The engine's {@link Broxy#close} closes it, too. */
    @Override
    public void close() {
        closed.countDown();
        onClose.accept(this);
        Thread sampling;
        synchronized (lock) {
            sampling = thread;
        }
        if (sampling != null && sampling != Thread.currentThread()) {
            new Deadline(EngineParts.STOP_NANOS).await(nanos -> {
                TimeUnit.NANOSECONDS.timedJoin(sampling, nanos);
                return !sampling.isAlive();
            });
        }
    }
}
