package io.broxy.core;

import io.broxy.core.internal.loop.Deadline;
import io.broxy.core.internal.loop.EventLoop;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The parts of an engine that are open, such as servers and pools, and their end: they are closed once, on the thread that asks
 * for it, or on one of its own if that thread must not wait.
 *
 * <p>Threading: thread-safe.
 */
final class EngineParts {
    private static final Logger log = LoggerFactory.getLogger(EngineParts.class);

    /** Stopping a loop takes no longer than its current step, which never blocks; user code may take longer. */
    static final long STOP_NANOS = TimeUnit.SECONDS.toNanos(10);

    /** The thread that closes an engine whose {@link Broxy#close} was called on one of its own threads. */
    private static final String END_THREAD = "broxy-close";

    private final Set<AutoCloseable> open = ConcurrentHashMap.newKeySet();
    private final AtomicBoolean closed = new AtomicBoolean();
    private final CountDownLatch ended = new CountDownLatch(1);
    private final BooleanSupplier onOwnThread;
    private final BooleanSupplier stopThreads;
    /** The thread that closes the engine; null before. Code that it runs may call {@link #close} again. */
    private volatile @Nullable Thread ending;

    /**
     * Creates the parts of an engine, none of them open.
     *
     * @param onOwnThread whether the caller is on a thread of the engine
     * @param stopThreads stops the engine's threads when all parts are closed; false if some still run
     */
    EngineParts(BooleanSupplier onOwnThread, BooleanSupplier stopThreads) {
        this.onOwnThread = onOwnThread;
        this.stopThreads = stopThreads;
    }

    /** The open parts; each removes itself when it closes. */
    Set<AutoCloseable> open() {
        return open;
    }

    /** Adds a part; if the engine is closed by now, closes the part and throws. */
    <P extends AutoCloseable> P add(P part) {
        open.add(part);
        if (closed.get()) {
            close(part);
            ensureOpen();
        }
        return part;
    }

    void ensureOpen() {
        if (closed.get()) {
            throw new IllegalStateException("this Broxy is closed");
        }
    }

    /** As {@link Broxy#close}. */
    void close() {
        boolean mustNotWait = onOwnThread.getAsBoolean() || EventLoop.current() != null;
        boolean first = closed.compareAndSet(false, true);
        if (first && mustNotWait) {
            Thread behind = new Thread(null, this::end, END_THREAD, 0, false);
            behind.setDaemon(true);
            ending = behind;
            behind.start();
        } else if (first) {
            ending = Thread.currentThread();
            end();
        } else if (!mustNotWait && ending != Thread.currentThread()) {
            awaitEnd();
        }
    }

    /** Waits as long as a shutdown can take. */
    private void awaitEnd() {
        Deadline deadline = new Deadline(2 * STOP_NANOS);
        deadline.await(nanos -> ended.await(nanos, TimeUnit.NANOSECONDS));
        Thread last = ending;
        if (last != null && last.getName().equals(END_THREAD)) {
            deadline.await(nanos -> {
                TimeUnit.NANOSECONDS.timedJoin(last, nanos);
                return !last.isAlive();
            });
        }
    }

    private void end() {
        try {
            open.forEach(EngineParts::close);
            if (!stopThreads.getAsBoolean()) {
                log.warn("user code is still running on threads of a closed Broxy");
            }
        } finally {
            ended.countDown();
        }
    }

    private static void close(AutoCloseable part) {
        try {
            part.close();
        } catch (Exception e) {
            log.error("closing a part of the engine failed; the rest is closed anyway", e);
        }
    }
}
