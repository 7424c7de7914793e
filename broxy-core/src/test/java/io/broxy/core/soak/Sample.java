package io.broxy.core.soak;

import io.broxy.core.testkit.LeakCheck;
import java.lang.management.BufferPoolMXBean;
import java.lang.management.ManagementFactory;
import java.util.List;
import java.util.stream.Stream;

/**
 * The resources of the process while no client is served.
 *
 * @param heap bytes after a garbage collection
 * @param direct bytes of direct buffers
 * @param held bytes of buffers that slow peers keep from the engines
 * <p>Threading: immutable.
 */
record Sample(long clients, long bytes, long heap, long direct, long held, int descriptors, int threads) {
    private static final int COLLECTIONS = 4;

    /** What may come and go between two samples: caches of the JDK, code that was compiled, entries for each address. */
    private static final long HEAP_SLACK = 3L << 20;

    /** Loops keep some free buffers, as many as they once needed. */
    private static final long DIRECT_SLACK = 16L << 20;

    /** Takes one. */
    static Sample take(Scene scene, Crew crew) {
        long heap = Long.MAX_VALUE;
        for (int i = 0; i < COLLECTIONS; i++) { // what one finds unreachable, the next one frees
            System.gc();
            heap = Math.min(
                    heap,
                    ManagementFactory.getMemoryMXBean().getHeapMemoryUsage().getUsed());
        }
        return new Sample(
                crew.played(),
                scene.ledger().totals().bytes(),
                heap,
                directBytes(),
                scene.heldBytes(),
                LeakCheck.descriptors().size(),
                Thread.activeCount());
    }

    private static long directBytes() {
        return ManagementFactory.getPlatformMXBeans(BufferPoolMXBean.class).stream()
                .filter(pool -> pool.getName().equals("direct"))
                .mapToLong(BufferPoolMXBean::getMemoryUsed)
                .sum();
    }

    /** What has grown since another one was taken. */
    List<String> growthSince(Sample start) {
        return Stream.of(
                        growth("the heap", start.heap, heap, HEAP_SLACK),
                        growth("direct memory", start.direct, direct, DIRECT_SLACK))
                .filter(text -> !text.isEmpty())
                .toList();
    }

    private static String growth(String what, long before, long after, long slack) {
        return after - before <= slack ? "" : what + " has grown from " + before + " to " + after + " bytes";
    }

    /** The line above the samples. */
    static String heading() {
        return String.format(
                "  %12s %18s %14s %14s %10s %11s %8s%n",
                "clients", "bytes relayed", "heap", "direct", "held", "descriptors", "threads");
    }

    /** A line of the table. */
    String line() {
        return String.format(
                "  %,12d %,18d %,14d %,14d %,10d %,11d %,8d%n",
                clients, bytes, heap, direct, held, descriptors, threads);
    }
}
