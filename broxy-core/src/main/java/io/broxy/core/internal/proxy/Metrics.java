package io.broxy.core.internal.proxy;

import io.broxy.ActiveTunnel;
import io.broxy.CloseReason;
import io.broxy.DialException;
import io.broxy.DurationHistogram;
import io.broxy.LookUpStats;
import io.broxy.PoolStats;
import io.broxy.ProxyStats;
import io.broxy.RefusedException;
import io.broxy.TlsOutcome;
import io.broxy.TunnelResult;
import io.broxy.core.internal.observe.DurationRecorder;
import io.broxy.core.internal.relay.TunnelHandle;
import java.util.Collections;
import java.util.Comparator;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.LongSupplier;
import java.util.function.Supplier;
import java.util.stream.Collectors;

/**
 * A handler's counters, and the connections that it serves.
 *
 * <p>Threading: thread-safe; the lock guards {@code openTunnels}, {@code openExchanges} and {@code draining}, so that a
 * drain misses none.
 */
final class Metrics {
    private final Set<ClientConnection> open = ConcurrentHashMap.newKeySet();
    private final LongAdder connections = new LongAdder();
    private final LongAdder established = new LongAdder();
    private final Map<RefusedException.Reason, LongAdder> refused = counters(RefusedException.Reason.class);
    private final Map<DialException.Reason, LongAdder> dialFailures = counters(DialException.Reason.class);
    private final LongAdder bytesToOrigin = new LongAdder();
    private final LongAdder bytesToClient = new LongAdder();
    private final LongAdder exchanges = new LongAdder();
    private final DurationRecorder dialTimes = new DurationRecorder();
    private final DurationRecorder tunnelDurations = new DurationRecorder();
    private final DurationRecorder responseTimes = new DurationRecorder();
    private final TlsCounters tls;
    private final Supplier<PoolStats> pool;
    private final LongSupplier droppedEvents;
    private final Supplier<LookUpStats> lookUps;

    private final Object lock = new Object();
    private long openTunnels;
    private long openExchanges;
    private volatile boolean draining;
    private volatile boolean closed;

    /** Counts from 0; the suppliers count the rest. */
    Metrics(TlsCounters tls, Supplier<PoolStats> pool, LongSupplier droppedEvents, Supplier<LookUpStats> lookUps) {
        this.tls = tls;
        this.pool = pool;
        this.lookUps = lookUps;
        this.droppedEvents = droppedEvents;
    }

    static <R extends Enum<R>> Map<R, LongAdder> counters(Class<R> reasons) {
        Map<R, LongAdder> counters = new EnumMap<>(reasons);
        for (R reason : reasons.getEnumConstants()) {
            counters.put(reason, new LongAdder());
        }
        return Collections.unmodifiableMap(counters);
    }

    static <R extends Enum<R>> void count(Map<R, LongAdder> counters, R reason) {
        Objects.requireNonNull(counters.get(reason), "each reason has a counter")
                .increment();
    }

    static <R extends Enum<R>> Map<R, Long> sums(Map<R, LongAdder> counters) {
        return counters.entrySet().stream()
                .collect(Collectors.toMap(
                        Map.Entry::getKey, counter -> counter.getValue().sum()));
    }

    /** The TLS handshakes of clients. */
    TlsCounters tls() {
        return tls;
    }

    /** How long dials took that opened a connection. */
    DurationRecorder dialTimes() {
        return dialTimes;
    }

    /** How long responses took to begin. */
    DurationRecorder responseTimes() {
        return responseTimes;
    }

    /** A client was handed over. */
    void opened(ClientConnection connection) {
        connections.increment();
        open.add(connection);
        if (closed) {
            connection.tunnel().end(CloseReason.CLOSED); // else it would outlive the engine
        }
    }

    /** A request is complete and would be dialed. False when the handler takes no new work any more. */
    boolean tryBeginTunnel() {
        synchronized (lock) {
            if (draining) {
                return false;
            }
            openTunnels++;
            return true;
        }
    }

    /** What {@link #tryBeginTunnel} let begin is over. */
    void endTunnel() {
        synchronized (lock) {
            openTunnels--;
            notifyWhenIdle();
        }
    }

    private void notifyWhenIdle() {
        if (draining && openTunnels + openExchanges == 0) {
            lock.notifyAll();
        }
    }

    /** A request is complete and would be forwarded. False when the handler takes no new work any more. */
    boolean tryBeginExchange() {
        synchronized (lock) {
            if (draining) {
                return false;
            }
            openExchanges++;
            return true;
        }
    }

    /** What {@link #tryBeginExchange} let begin is over. */
    void endExchange(long toOrigin, long toClient) {
        exchanges.increment();
        countBytes(toOrigin, toClient);
        synchronized (lock) {
            openExchanges--;
            notifyWhenIdle();
        }
    }

    /** An exchange has become a tunnel, whose bytes count with the tunnel's. */
    void exchangeBecameTunnel() {
        synchronized (lock) {
            openTunnels++; // first, for it may be the last that a drain waits for
        }
        endExchange(0, 0);
    }

    /** An exchange came to nothing, for there was no connection. */
    void dialFailed(DialException failure) {
        count(dialFailures, failure.reason());
    }

    /** A request was refused, and its client may send another. */
    void refused(RefusedException refusal) {
        count(refused, refusal.reason());
    }

    /** Whether nothing may begin any more. */
    boolean isDraining() {
        return draining;
    }

    void established() {
        established.increment();
    }

    /** A client's connection is closed. */
    void ended(ClientConnection connection, TunnelResult result) {
        open.remove(connection); // a snapshot that has it already takes its bytes, or leaves them to this
        if (result.reason() == CloseReason.REFUSED && result.cause() instanceof RefusedException refusal) {
            if (!connection.account().hasEndedWithExchange()) {
                refused(refusal);
            }
        } else if (result.reason() == CloseReason.DIAL_FAILED && result.cause() instanceof DialException failure) {
            dialFailed(failure);
        }
        if (connection.account().phase() == ClientAccount.Phase.ESTABLISHED) {
            tunnelDurations.record(result.duration().toNanos());
        }
        connection.tunnel().takePassed(result, this::countBytes);
    }

    private void countBytes(long toOrigin, long toClient) {
        bytesToOrigin.add(toOrigin);
        bytesToClient.add(toClient);
    }

    /** Lets nothing begin any more. */
    void startDraining() {
        synchronized (lock) {
            draining = true;
        }
        open.forEach(connection -> connection.tunnel().drain());
    }

    /** Waits until no tunnel and no exchange is open. False if the time was over before. */
    boolean awaitWork(long nanos) throws InterruptedException {
        long deadline = System.nanoTime() + nanos;
        synchronized (lock) {
            while (openTunnels + openExchanges > 0) {
                long left = deadline - System.nanoTime();
                if (left <= 0) {
                    return false;
                }
                TimeUnit.NANOSECONDS.timedWait(lock, Math.max(left, TimeUnit.MILLISECONDS.toNanos(1)));
            }
            return true;
        }
    }

    /** Ends every connection that is being served. */
    void endAll(CloseReason reason) {
        open.forEach(connection -> connection.tunnel().end(reason));
    }

    /** Ends every connection, also those that are handed over later. */
    void close() {
        closed = true;
        endAll(CloseReason.CLOSED);
    }

    /** The tunnels that relay now, the oldest first. */
    List<ActiveTunnel> activeTunnels() {
        return open.stream()
                .filter(connection -> connection.account().phase() == ClientAccount.Phase.ESTABLISHED)
                .map(Metrics::active)
                .sorted(Comparator.comparingLong(ActiveTunnel::number))
                .toList();
    }

    private static ActiveTunnel active(ClientConnection connection) {
        TunnelHandle tunnel = connection.tunnel();
        ClientAccount account = connection.account();
        return new ActiveTunnel(
                account.handOver().number(),
                Objects.requireNonNull(tunnel.target(), "an established tunnel has a target"),
                tunnel.identity(),
                connection.facts().settled(),
                account.peer(),
                account.handOver().start(),
                tunnel.bytesToOrigin(),
                tunnel.bytesToClient(),
                tunnel);
    }

    /** A snapshot. */
    ProxyStats stats() {
        open.forEach(connection -> connection.tunnel().takePassed(this::countBytes));
        long tunnels;
        long exchanging;
        synchronized (lock) {
            tunnels = openTunnels;
            exchanging = openExchanges;
        }
        return new Snapshot(
                open.size(),
                connections.sum(),
                tunnels,
                established.sum(),
                exchanging,
                exchanges.sum(),
                sums(refused),
                sums(dialFailures),
                bytesToOrigin.sum(),
                bytesToClient.sum(),
                droppedEvents.getAsLong(),
                dialTimes.snapshot(),
                tunnelDurations.snapshot(),
                responseTimes.snapshot(),
                tls.snapshot(),
                pool.get(),
                lookUps.get());
    }

    private record Snapshot(
            @Override long openConnections,
            @Override long totalConnections,
            @Override long openTunnels,
            @Override long establishedTunnels,
            @Override long openExchanges,
            @Override long totalExchanges,
            Map<RefusedException.Reason, Long> refusals,
            Map<DialException.Reason, Long> failures,
            @Override long bytesToOrigin,
            @Override long bytesToClient,
            @Override long droppedEvents,
            @Override DurationHistogram dialTimes,
            @Override DurationHistogram tunnelDurations,
            @Override DurationHistogram responseTimes,
            TlsCounters.Snapshot tls,
            @Override PoolStats pool,
            @Override LookUpStats lookUps)
            implements ProxyStats {

        @Override
        public long refused() {
            return sum(refusals);
        }

        @Override
        public long refused(RefusedException.Reason reason) {
            return refusals.getOrDefault(reason, 0L);
        }

        @Override
        public long openTlsHandshakes() {
            return tls.open();
        }

        @Override
        public long tlsHandshakes(TlsOutcome outcome) {
            return tls.ended().getOrDefault(outcome, 0L);
        }

        @Override
        public long dialFailures() {
            return sum(failures);
        }

        @Override
        public long dialFailures(DialException.Reason reason) {
            return failures.getOrDefault(reason, 0L);
        }

        private static long sum(Map<?, Long> counts) {
            return counts.values().stream().mapToLong(Long::longValue).sum();
        }
    }
}
