package io.broxy.core.internal.loop;

import io.broxy.LookUpStats;
import io.broxy.core.internal.loop.LookUpQueue.State;
import io.broxy.core.internal.time.Ticker;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Decides which look-ups get a thread, so that names which hang stop no other name: so many run at once, one client has a
 * share of them, and those that wait take turns by client.
 *
 * <pre>
 *            submit             a place is free
 *   NEW ──────────> QUEUED ──────────────────────> RUNNING ──────> OVER
 *                     │                            │     ^            ^
 *                     │ abandon             abandon│     └─ waits ─┐  │
 *                     v                            v               │  │
 *                   OVER                       ABANDONED ──────────┼──┘
 * </pre>
 *
 * <p>A look-up can also yield: what waits for it is probably gone. It goes on, but takes no place, as long as that leaves
 * as many threads to others as there are places, and it begins behind those that do not yield.
 *
 * <p>Three kinds of threads are counted apart. A look-up that is <em>running</em> takes a place. One that is
 * <em>abandoned</em> has been interrupted and takes none, but many of them cannot: the JDK's own look-ups mind no interrupt,
 * so their number is bounded too, for each client and for all. One that <em>waits</em> for a dial of its own takes none
 * either, for what it waits for may need that place.
 *
 * <p>Threading: thread-safe; the lock guards everything but a task's thread, which the task's own lock guards.
 */
public final class LookUpThreads {
    /** Look-ups that wait for a place. */
    public static final int MAX_QUEUED = 10_000;

    /** Abandoned look-ups may take this many times the places in addition to them. */
    private static final int THREADS_PER_PLACE = 3;

    private static final ThreadLocal<@Nullable Task> CURRENT = new ThreadLocal<>();

    private final Executor executor;
    private final Executor interrupter;
    private final Ticker ticker;
    private final Object lock = new Object();
    private final LookUpQueue queue;

    /**
     * Creates one without look-ups.
     *
     * @param executor runs look-ups; it is given no more at once than there may be threads
     * @param places how many run at once
     * @param maxThreads how many run or have been abandoned at once, at least {@code places}
     * @param interrupter interrupts abandoned look-ups, which may run code of a user's channel
     */
    public LookUpThreads(Executor executor, int places, int maxThreads, Executor interrupter, Ticker ticker) {
        this.executor = executor;
        this.interrupter = interrupter;
        this.ticker = ticker;
        this.queue = new LookUpQueue(places, maxThreads, ticker);
    }

    /** How many threads so many places may come to, abandoned look-ups included. */
    static int maxThreads(int places) {
        return (int) Math.min(Integer.MAX_VALUE, (long) THREADS_PER_PLACE * places);
    }

    /** One look-up. Threading: thread-safe. */
    public final class Task {
        private final Runnable work;
        private final Consumer<RejectedExecutionException> rejected;
        /** The look-up whose resolver asked for this one, on its own thread. */
        private final @Nullable Task parent = CURRENT.get();

        /** The {@link LookUpQueue} keeps this and all up to the thread. */
        State state = State.NEW;

        final List<LookUpQueue.Share> queuedFor = new ArrayList<>(1);
        /** The share whose place it takes. */
        LookUpQueue.@Nullable Share charged;

        boolean waitsItself;
        boolean yields;
        long queuedNanos;
        long startedNanos;

        private @Nullable Thread thread;
        private boolean interrupted;

        private Task(Runnable work, Consumer<RejectedExecutionException> rejected) {
            this.work = work;
            this.rejected = rejected;
        }

        /** Whether the calling thread looks this up, or something that this is looked up for. */
        public boolean isAskedByItself() {
            for (Task task = CURRENT.get(); task != null; task = task.parent) {
                if (task == this) {
                    return true;
                }
            }
            return false;
        }

        /** How long it has waited for its thread, and run, since a time. */
        public Progress since(long nanos) {
            synchronized (lock) {
                long now = ticker.nanos();
                boolean started = state == State.RUNNING || state == State.ABANDONED;
                long startedAt = started ? startedNanos : now;
                return new Progress(
                        Math.max(0, startedAt - later(queuedNanos, nanos)),
                        started ? now - later(startedNanos, nanos) : -1,
                        queue.counts());
            }
        }

        private LookUpThreads threads() {
            return LookUpThreads.this;
        }

        private synchronized void interrupt() {
            if (thread != null) {
                interrupted = true;
                thread.interrupt();
            }
        }

        private synchronized void enter() {
            thread = Thread.currentThread();
        }

        private synchronized void leave() {
            thread = null;
            if (interrupted) {
                Thread.interrupted(); // it was for this look-up, not for what the thread does next
            }
        }
    }

    /**
     * How far a look-up has come.
     *
     * @param runNanos how long it has run; negative if it has not begun
     * @param counts of all look-ups
     * <p>Threading: immutable.
     */
    public record Progress(long queuedNanos, long runNanos, LookUpStats counts) {}

    private static long later(long a, long b) {
        return a - b > 0 ? a : b;
    }

    /** How many there are now. */
    public LookUpStats counts() {
        synchronized (lock) {
            return queue.counts();
        }
    }

    // ------------------------------------------------------------------ coming and going

    /**
     * Describes a look-up, which begins with {@link #submit}.
     *
     * @param rejected called in place of {@code work} if there is no thread for it
     */
    public Task task(Runnable work, Consumer<RejectedExecutionException> rejected) {
        return new Task(work, rejected);
    }

    /**
     * Queues a look-up, and begins it as soon as there is a place. One that was abandoned before is left alone.
     *
     * @param client whose share it counts for, by {@code equals}; null for none
     * @throws RejectedExecutionException if too many wait
     */
    public void submit(Task task, @Nullable Object client) {
        update(() -> queue.add(task, client));
    }

    /** Another client waits for a look-up: if that is still queued, the turn of either client begins it. */
    public void join(Task task, @Nullable Object client) {
        update(() -> queue.join(task, client));
    }

    /** What waits for a look-up is probably gone: it goes on without a place, or behind others. */
    public void giveWay(Task task) {
        update(() -> queue.giveWay(task));
    }

    /** Nothing waits for a look-up any more: it leaves the queue or, if it is running, its place, and is interrupted. */
    public void abandon(Task task) {
        List<Task> starting;
        boolean interrupt;
        synchronized (lock) {
            interrupt = queue.abandon(task);
            starting = queue.next();
        }
        if (interrupt) {
            try {
                interrupter.execute(task::interrupt);
            } catch (RejectedExecutionException | OutOfMemoryError e) {
                task.interrupt();
            }
        }
        start(starting);
    }

    /** Changes the queue, and starts the look-ups that may begin then. */
    private void update(Runnable change) {
        List<Task> starting;
        synchronized (lock) {
            change.run();
            starting = queue.next();
        }
        start(starting);
    }

    // ------------------------------------------------------------------ running

    /** Iterative, since each rejection by an executor that ends lets the next look-up be tried. */
    private void start(List<Task> starting) {
        Queue<Task> left = new ArrayDeque<>(starting);
        for (Task task; (task = left.poll()) != null; ) {
            RejectedExecutionException rejection = begin(task);
            if (rejection != null) {
                task.rejected.accept(rejection);
                left.addAll(over(task));
            }
        }
    }

    private @Nullable RejectedExecutionException begin(Task task) {
        try {
            executor.execute(() -> run(task));
            return null;
        } catch (RejectedExecutionException e) {
            return e;
        } catch (OutOfMemoryError e) { // "unable to create native thread"
            return new RejectedExecutionException("there is no thread for a look-up", e);
        }
    }

    private void run(Task task) {
        boolean wanted;
        synchronized (lock) {
            wanted = task.state == State.RUNNING;
        }
        try {
            if (wanted) {
                task.enter();
                CURRENT.set(task);
                task.work.run();
            }
        } finally {
            CURRENT.remove();
            task.leave();
            start(over(task));
        }
    }

    private List<Task> over(Task task) {
        synchronized (lock) {
            queue.over(task);
            return queue.next();
        }
    }

    // ------------------------------------------------------------------ look-ups that wait for dials

    /** The calling thread, if it looks a name up, begins or ends to wait for something of the engine. */
    public static void waits(boolean now) {
        Task task = CURRENT.get();
        if (task != null) {
            LookUpThreads threads = task.threads();
            threads.update(() -> threads.queue.waits(task, now));
        }
    }
}
