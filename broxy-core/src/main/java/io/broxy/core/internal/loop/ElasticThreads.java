package io.broxy.core.internal.loop;

import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/**
 * A bounded number of platform threads with a queue. The bound grows while nothing moves, for a task may wait for one that is
 * queued behind it, as a user's dialer does that dials with another. When no task has begun for a moment although
 * some are queued, there may be twice as many threads, up to a cap. A task that comes while even those wait is rejected.
 *
 * <p>Threading: thread-safe.
 */
final class ElasticThreads extends ThreadPoolExecutor {
    /** A stall: short beside the time of any dial, and long beside any task that only computes. */
    static final long STALL_NANOS = TimeUnit.MILLISECONDS.toNanos(50);

    /** The least cap. Only tasks that wait for further ones without end come that far. */
    static final int MIN_CAP = 1_024;

    /** The cap, in multiples of the ordinary number, if that is more. */
    private static final int CAP = 16;

    private static final long KEEP_ALIVE_SECONDS = 10;

    private final int ordinary;
    private final int cap;
    private final ThreadFactory watchers;
    private final AtomicLong begun = new AtomicLong();
    private final AtomicBoolean watched = new AtomicBoolean();
    private volatile @Nullable Thread watcher;
    private volatile boolean exhausted;

    /**
     * Creates one without threads.
     *
     * @param ordinary the number of threads, but for a stall
     * @param watchers makes the thread that looks for stalls, which lives while something is queued
     */
    ElasticThreads(int ordinary, ThreadFactory threads, ThreadFactory watchers) {
        super(
                ordinary,
                (int) Math.min(Integer.MAX_VALUE, Math.max(MIN_CAP, (long) CAP * ordinary)),
                KEEP_ALIVE_SECONDS,
                TimeUnit.SECONDS,
                new LinkedBlockingQueue<>(),
                threads);
        this.ordinary = ordinary;
        this.cap = getMaximumPoolSize();
        this.watchers = watchers;
        allowCoreThreadTimeOut(true);
    }

    @Override
    public void execute(Runnable task) {
        if (exhausted) {
            throw new RejectedExecutionException(
                    "all " + cap + " threads for this are at work, and none makes progress");
        }
        super.execute(task);
        watch();
    }

    @Override
    protected void beforeExecute(Thread thread, Runnable task) {
        begun.incrementAndGet();
        exhausted = false;
    }

    @Override
    protected void afterExecute(Runnable task, @Nullable Throwable failure) {
        if (getCorePoolSize() > ordinary && getQueue().isEmpty() && getActiveCount() <= ordinary) {
            setCorePoolSize(ordinary);
        }
    }

    @Override
    protected void terminated() {
        LockSupport.unpark(watcher);
    }

    // ------------------------------------------------------------------ stalls

    private void watch() {
        if (getQueue().isEmpty() || !watched.compareAndSet(false, true)) {
            return;
        }
        try {
            Thread thread = watchers.newThread(this::lookForStalls);
            watcher = thread;
            thread.start();
        } catch (OutOfMemoryError e) { // "unable to create native thread": the next task tries again
            watched.set(false);
        }
    }

    private void lookForStalls() {
        try {
            long before = begun.get();
            while (!getQueue().isEmpty() && !isTerminated()) {
                LockSupport.parkNanos(this, STALL_NANOS);
                long now = begun.get();
                if (now == before && !getQueue().isEmpty()) {
                    grow();
                }
                before = now;
            }
        } finally {
            watched.set(false);
        }
        if (!isTerminated()) {
            watch(); // for a task that came just now
        }
    }

    private void grow() {
        int more = (int) Math.min(cap, 2L * getCorePoolSize());
        if (getPoolSize() >= cap) {
            exhausted = true;
        } else if (!isShutdown()) {
            setCorePoolSize(more);
        }
    }
}
