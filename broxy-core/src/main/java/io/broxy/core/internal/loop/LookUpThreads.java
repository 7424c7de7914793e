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
 * Decides which look-ups get a thread, so that hanging names do not block others: the number of running look-ups is bounded,
 * each client has a limited share, and waiting look-ups are scheduled round-robin by client.
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
 * <p>A look-up can also yield when the dials that wait for it have probably been given up. It continues without a place, as
 * long as the others still have as many threads as there are places, and starts after look-ups that do not yield.
 *
 * <p>Three kinds of threads are counted separately. A <em>running</em> look-up takes a place. An <em>abandoned</em> one has
 * been interrupted and takes none; but since the JDK's look-ups ignore interrupts, the number of abandoned ones is bounded,
 * too, for each client and in total. A look-up that <em>waits</em> for a dial of its own takes no place either, since that dial
 * may need one.
 *
 * <p>Threading: thread-safe; the lock guards everything except a task's thread, which the task's own lock guards.
 */
public final class LookUpThreads {
    /** The maximum number of look-ups that wait for a place. */
    public static final int MAX_QUEUED = 10_000;

    /** The limit on threads, including those of abandoned look-ups, as a multiple of the places. */
    private static final int THREADS_PER_PLACE = 3;

    private static final ThreadLocal<@Nullable Task> CURRENT = new ThreadLocal<>();

    private final Executor executor;
    private final Executor interrupter;
    private final Ticker ticker;
    private final Object lock = new Object();
    private final LookUpQueue queue;

    /**
     * Creates an instance without look-ups.
     *
     * @param executor runs look-ups, never more at once than {@code maxThreads}
     * @param places the maximum number of running look-ups
     * @param maxThreads the maximum number of running and abandoned look-ups together, at least {@code places}
     * @param interrupter interrupts abandoned look-ups, which may run code of a user's interruptible channel
     */
    public LookUpThreads(Executor executor, int places, int maxThreads, Executor interrupter, Ticker ticker) {
        this.executor = executor;
        this.interrupter = interrupter;
        this.ticker = ticker;
        this.queue = new LookUpQueue(places, maxThreads, ticker);
    }

    /** The maximum number of threads for a number of places, including abandoned look-ups. */
    static int maxThreads(int places) {
        return (int) Math.min(Integer.MAX_VALUE, (long) THREADS_PER_PLACE * places);
    }

    /** One look-up. Threading: thread-safe. */
    public final class Task {
        private final Runnable work;
        private final Consumer<RejectedExecutionException> rejected;
        /** The look-up whose resolver requested this one on its own thread. */
        private final @Nullable Task parent = CURRENT.get();

        /** The {@link LookUpQueue} maintains this field and the following ones up to the thread. */
        State state = State.NEW;

        final List<LookUpQueue.Share> queuedFor = new ArrayList<>(1);
        /** The share whose place this look-up takes. */
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

        /** Whether the calling thread runs this look-up, or one that depends on it. */
        public boolean isAskedByItself() {
            for (Task task = CURRENT.get(); task != null; task = task.parent) {
                if (task == this) {
                    return true;
                }
            }
            return false;
        }

        /** How long the look-up has been queued and has run since a point in time. */
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
                Thread.interrupted(); // the interrupt was for this look-up, not for the thread's next task
            }
        }
    }

    /**
     * The progress of a look-up.
     *
     * @param runNanos how long it has run; negative if it has not started
     * @param counts the numbers of all look-ups
     * <p>Threading: immutable.
     */
    public record Progress(long queuedNanos, long runNanos, LookUpStats counts) {}

    private static long later(long a, long b) {
        return a - b > 0 ? a : b;
    }

    /** The current numbers of look-ups. */
    public LookUpStats counts() {
        synchronized (lock) {
            return queue.counts();
        }
    }

    // ------------------------------------------------------------------ submitting and abandoning

    /**
     * Creates a look-up, which {@link #submit} queues.
     *
     * @param rejected called instead of {@code work} if no thread is available
     */
    public Task task(Runnable work, Consumer<RejectedExecutionException> rejected) {
        return new Task(work, rejected);
    }

    /**
     * Queues a look-up, and starts it as soon as a place is free. Has no effect on one that was already abandoned.
     *
     * @param client the client whose share it uses, compared by {@code equals}; null for none
     * @throws RejectedExecutionException if too many are waiting
     */
    public void submit(Task task, @Nullable Object client) {
        update(() -> queue.add(task, client));
    }

    /** Adds a client that waits for a look-up: if it is still queued, the turn of either client starts it. */
    public void join(Task task, @Nullable Object client) {
        update(() -> queue.join(task, client));
    }

    /** Lowers the priority of a look-up that is probably no longer needed: it continues without a place, or after others. */
    public void yieldPlace(Task task) {
        update(() -> queue.yieldPlace(task));
    }

    /**
     * Abandons a look-up that is no longer needed: it leaves the queue or, if it is running, gives up its place and is
     * interrupted.
     */
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

    /** Changes the queue, and starts the look-ups that may start as a result. */
    private void update(Runnable change) {
        List<Task> starting;
        synchronized (lock) {
            change.run();
            starting = queue.next();
        }
        start(starting);
    }

    // ------------------------------------------------------------------ running

    /** Iterative, since each rejection by a closing executor makes room for the next look-up. */
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
            return new RejectedExecutionException("no thread is available for a look-up", e);
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

    /** Called when a thread starts or stops waiting for the engine; matters if it runs a look-up. */
    public static void waits(boolean now) {
        Task task = CURRENT.get();
        if (task != null) {
            LookUpThreads threads = task.threads();
            threads.update(() -> threads.queue.waits(task, now));
        }
    }
}
