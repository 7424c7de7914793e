package io.broxy;

import java.time.Duration;
import java.util.List;
import java.util.Objects;

/**
 * A snapshot of an engine: its kind of sockets, the load of its event loops, its buffers and its name lookups. Each figure is exact by itself; figures of
 * one snapshot may be a few events apart.
 *
 * <p>Threading: immutable.
 *
 * @param transport the sockets that it uses for the clients of its servers
 * @param loops the event loops, always in the same order; unmodifiable
 * @param bufferBytes the bytes of all buffers that the engine keeps or has lent: of its loops, and of threads that copy
 * @param heldBytes the bytes of buffers that hold data which a peer has not accepted yet, a part of {@code bufferBytes}
 * @param heldBytesCap the number of held bytes from which the loops read less from senders; it may be exceeded, but slowly
 * @param lookUps the name lookups
 */
public record EngineStats(
        Transport transport,
        List<Loop> loops,
        long bufferBytes,
        long heldBytes,
        long heldBytesCap,
        LookUpStats lookUps) {

    /** Kinds of sockets. */
    public enum Transport {
        /** NIO channels. */
        NIO,
        /** Sockets of the engine's own, on Linux: {@code epoll}, and {@code splice} for bulk. */
        EPOLL
    }

    /** Checks for null, and copies the list. */
    public EngineStats {
        Objects.requireNonNull(transport, "transport");
        loops = List.copyOf(loops);
        Objects.requireNonNull(lookUps, "lookUps");
    }

    /**
     * A snapshot of an event loop. The share of the time in which it was busy follows from {@linkplain #busyShare two snapshots}.
     *
     * <p>Threading: immutable.
     *
     * @param name the name of its thread
     * @param clients the client connections assigned to it
     * @param channels the sockets registered with it: those of clients, of targets, of idle pooled connections, and listeners
     * @param busy how long it has worked since its start; it never decreases
     * @param running how long it runs, working and waiting; it never decreases
     */
    public record Loop(String name, int clients, int channels, Duration busy, Duration running) {

        /** Checks for null. */
        public Loop {
            Objects.requireNonNull(name, "name");
            Objects.requireNonNull(busy, "busy");
            Objects.requireNonNull(running, "running");
        }

        /**
         * The share of the time between an earlier snapshot and this one in which the loop was busy, from 0 to 1. A loop that is busy
         * all the time delays its connections.
         *
         * @param earlier an earlier snapshot of the same loop
         * @return 0 if no time has passed
         * @throws IllegalArgumentException if it is a later one, or of another loop
         */
        public double busyShare(Loop earlier) {
            long total = running.minus(earlier.running).toNanos();
            long worked = busy.minus(earlier.busy).toNanos();
            if (!name.equals(earlier.name) || total < 0 || worked < 0) {
                throw new IllegalArgumentException("not an earlier snapshot of " + name + ": " + earlier);
            }
            return total == 0 ? 0 : Math.min(1, (double) worked / total);
        }
    }
}
