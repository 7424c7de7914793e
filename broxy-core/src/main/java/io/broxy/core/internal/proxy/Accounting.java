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
 * <p>Threading: thread-safe; the lock guards {@code openTunnels}, {@code openExchanges} and {@code draining}, so that a
 * drain misses none.
 */
final class Accounting {
    private final Set<TunnelHandle> open = ConcurrentHashMap.newKeySet();
    private final LongAdder connections = new LongAdder();
    private final LongAdder established = new LongAdder();
    private final LongAdder refused = new LongAdder();
    private final LongAdder dialFailures = new LongAdder();
    private final LongAdder bytesToOrigin = new LongAdder();
    private final LongAdder bytesToClient = new LongAdder();
    private final LongAdder exchanges = new LongAdder();

    private final Object lock = new Object();
    private long openTunnels;
    private long openExchanges;
    private volatile boolean draining;
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
            tellWhenIdle();
        }
    }

    private void tellWhenIdle() {
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
        bytesToOrigin.add(toOrigin);
        bytesToClient.add(toClient);
        synchronized (lock) {
            openExchanges--;
            tellWhenIdle();
        }
    }

    /** An exchange has become a tunnel. */
    void exchangeBecameTunnel(long toOrigin, long toClient) {
        synchronized (lock) {
            openTunnels++; // first, for it may be the last that a drain waits for
        }
        endExchange(toOrigin, toClient);
    }

    /** An exchange came to nothing, for there was no connection. */
    void dialFailed() {
        dialFailures.increment();
    }

    /** A request was refused, and its client may send another. */
    void refused() {
        refused.increment();
    }

    /** Whether nothing may begin any more. */
    boolean isDraining() {
        return draining;
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
        open.forEach(TunnelHandle::drain);
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
            @Override long openExchanges,
            @Override long totalExchanges,
            @Override long refused,
            @Override long dialFailures,
            @Override long bytesToOrigin,
            @Override long bytesToClient)
            implements ProxyStats {}
}
