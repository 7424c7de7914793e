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
 * A bounded number of platform threads with a queue. A task may wait for another one that is queued behind it, for example when
 * a user's dialer dials through another one. So the bound doubles, up to a cap, whenever no queued task has started for a
 * moment. When all threads of the cap are stalled, new tasks are rejected.
 *
 * <p>Threading: thread-safe.
 */
final class ElasticThreads extends ThreadPoolExecutor {
    /** The time that counts as a stall: short compared with a dial, long compared with a task that only computes. */
    static final long STALL_NANOS = TimeUnit.MILLISECONDS.toNanos(50);

    /** The minimum cap, which only endless recursion of tasks reaches. */
    static final int MIN_CAP = 1_024;

    /** The cap as a multiple of the base number of threads, if that is larger. */
    private static final int CAP = 16;

    private static final long KEEP_ALIVE_SECONDS = 10;

    private final int base;
    private final int cap;
    private final ThreadFactory watchers;
    private final AtomicLong begun = new AtomicLong();
    private final AtomicBoolean watched = new AtomicBoolean();
    private volatile @Nullable Thread watcher;
    private volatile boolean exhausted;

    /**
     * Creates an executor that has no threads yet.
     *
     * @param base the maximum number of threads unless there is a stall
     * @param watchers creates the thread that detects stalls, which runs while tasks are queued
     */
    ElasticThreads(int base, ThreadFactory threads, ThreadFactory watchers) {
        super(
                base,
                (int) Math.min(Integer.MAX_VALUE, Math.max(MIN_CAP, (long) CAP * base)),
                KEEP_ALIVE_SECONDS,
                TimeUnit.SECONDS,
                new LinkedBlockingQueue<>(),
                threads);
        this.base = base;
        this.cap = getMaximumPoolSize();
        this.watchers = watchers;
        allowCoreThreadTimeOut(true);
    }

    @Override
    public void execute(Runnable task) {
        if (exhausted) {
            throw new RejectedExecutionException("all " + cap + " threads are busy, and none makes progress");
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
        if (getCorePoolSize() > base && getQueue().isEmpty() && getActiveCount() <= base) {
            setCorePoolSize(base);
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
        } catch (OutOfMemoryError e) { // "unable to create native thread": the next task retries
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
            watch(); // for a task that arrived just now
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
