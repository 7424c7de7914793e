package io.broxy.core.internal.proxy;

import io.broxy.CloseReason;
import io.broxy.ProxyStats;
import io.broxy.TunnelResult;
import io.broxy.core.internal.relay.TunnelHandle;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.LongAdder;

/**
 * A handler's counters, and the connections that it serves.
 *
 * <p>Threading: thread-safe; the lock guards {@code openTunnels} and {@code draining}, so that a drain misses no tunnel.
 */
final class Accounting {
    private final Set<TunnelHandle> open = ConcurrentHashMap.newKeySet();
    private final LongAdder connections = new LongAdder();
    private final LongAdder established = new LongAdder();
    private final LongAdder refused = new LongAdder();
    private final LongAdder dialFailures = new LongAdder();
    private final LongAdder bytesToOrigin = new LongAdder();
    private final LongAdder bytesToClient = new LongAdder();

    private final Object lock = new Object();
    private long openTunnels;
    private boolean draining;
    private volatile boolean closed;

    /** A client was handed over. */
    void opened(TunnelHandle tunnel) {
        connections.increment();
        open.add(tunnel);
        if (closed) {
            tunnel.end(CloseReason.CLOSED); // else it would outlive the engine
        }
    }

    /** A request is complete and would be dialled. False when the handler takes no new work any more. */
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
            if (draining && openTunnels == 0) {
                lock.notifyAll();
            }
        }
    }

    void established() {
        established.increment();
    }

    /** A client's connection is closed. */
    void ended(TunnelHandle tunnel, TunnelResult result) {
        open.remove(tunnel);
        if (result.reason() == CloseReason.REFUSED) {
            refused.increment();
        } else if (result.reason() == CloseReason.DIAL_FAILED) {
            dialFailures.increment();
        }
        bytesToOrigin.add(result.bytesToOrigin());
        bytesToClient.add(result.bytesToClient());
    }

    /** Lets nothing begin any more. */
    void startDraining() {
        synchronized (lock) {
            draining = true;
        }
    }

    /** Waits until no tunnel is open. False if the time was over before. */
    boolean awaitTunnels(long nanos) throws InterruptedException {
        long deadline = System.nanoTime() + nanos;
        synchronized (lock) {
            while (openTunnels > 0) {
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
        open.forEach(tunnel -> tunnel.end(reason));
    }

    /** Ends every connection, also those that are handed over later. */
    void close() {
        closed = true;
        endAll(CloseReason.CLOSED);
    }

    /** A snapshot. */
    ProxyStats stats() {
        long tunnels;
        synchronized (lock) {
            tunnels = openTunnels;
        }
        return new Snapshot(
                open.size(),
                connections.sum(),
                tunnels,
                established.sum(),
                refused.sum(),
                dialFailures.sum(),
                bytesToOrigin.sum(),
                bytesToClient.sum());
    }

    private record Snapshot(
            @Override long openConnections,
            @Override long totalConnections,
            @Override long openTunnels,
            @Override long establishedTunnels,
            @Override long refused,
            @Override long dialFailures,
            @Override long bytesToOrigin,
            @Override long bytesToClient)
            implements ProxyStats {}
}
