package io.broxy.core.internal.loop;

import io.broxy.core.internal.time.Ticker;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.Set;
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

    /** Look-ups that wait for dials of their own: a resolver that recurses without end must not take all memory. */
    private static final int MAX_WAITING_THEMSELVES = 1_000;

    /** One client has at most one part in so many of everything. */
    private static final int SHARES = 4;

    /** What counts for no client. */
    private static final Object NO_CLIENT = new Object();

    private static final ThreadLocal<@Nullable Task> CURRENT = new ThreadLocal<>();

    private final Executor executor;
    private final Executor interrupter;
    private final int places;
    private final int maxThreads;
    private final Ticker ticker;

    private final Object lock = new Object();
    /** Those that have something queued or a thread. */
    private final Map<Object, Share> shares = new HashMap<>();
    /** Those that have something queued, in turn. */
    private final Set<Share> line = new LinkedHashSet<>();

    private int queued;
    private int running;
    private int abandoned;
    private int waitingThemselves;

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
        this.places = places;
        this.maxThreads = maxThreads;
        this.interrupter = interrupter;
        this.ticker = ticker;
    }

    /** How many threads so many places may come to, abandoned look-ups included. */
    static int maxThreads(int places) {
        return (int) Math.min(Integer.MAX_VALUE, (long) THREADS_PER_PLACE * places);
    }

    private enum State {
        NEW,
        QUEUED,
        RUNNING,
        ABANDONED,
        OVER
    }

    /** What one client, or everything without a client, has. Threading: guarded by the lock. */
    private final class Share {
        final Object client;
        final int maxRunning;
        final int maxThreads;
        final int maxQueued;
        final int maxYielding;
        final Set<Task> queue = new LinkedHashSet<>();
        final Set<Task> yielding = new LinkedHashSet<>();
        int running;
        int abandoned;
        int waitingThemselves;

        Share(Object client) {
            int parts = client == NO_CLIENT ? 1 : SHARES;
            this.client = client;
            this.maxRunning = Math.max(1, places / parts);
            this.maxThreads = Math.max(1, LookUpThreads.this.maxThreads / parts);
            this.maxYielding = maxThreads - maxRunning;
            this.maxQueued = MAX_QUEUED / parts;
        }

        int queued() {
            return queue.size() + yielding.size();
        }

        /** Whether one more may yield its place. */
        boolean hasRoomToYield() {
            return abandoned < maxYielding && LookUpThreads.this.abandoned < LookUpThreads.this.maxThreads - places;
        }

        /** The next that may begin, or null. */
        @Nullable
        Task next() {
            if (running + abandoned >= maxThreads) {
                return null;
            }
            if (!queue.isEmpty() && running < maxRunning && LookUpThreads.this.running < places) {
                return queue.iterator().next();
            }
            return !yielding.isEmpty() && hasRoomToYield() ? yielding.iterator().next() : null;
        }

        boolean isUnused() {
            return queued() + running + abandoned + waitingThemselves == 0;
        }
    }

    /** One look-up. Threading: thread-safe. */
    public final class Task {
        private final Runnable work;
        private final Consumer<RejectedExecutionException> rejected;
        /** The look-up whose resolver asked for this one, on its own thread. */
        private final @Nullable Task parent = CURRENT.get();

        /** Guarded by the lock, as all up to the thread. */
        private State state = State.NEW;

        private final List<Share> queuedFor = new ArrayList<>(1);
        /** Whose place it takes. */
        private @Nullable Share charged;

        private boolean waitsItself;
        private boolean yields;
        private long queuedNanos;
        private long startedNanos;

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

        /** How long it has waited for its thread, and run, since a moment. */
        public Progress since(long nanos) {
            synchronized (lock) {
                long now = ticker.nanos();
                boolean started = state == State.RUNNING || state == State.ABANDONED;
                long queuedFrom = later(queuedNanos, nanos);
                long startedAt = started ? startedNanos : now;
                return new Progress(
                        Math.max(0, startedAt - queuedFrom),
                        started ? now - later(startedNanos, nanos) : -1,
                        snapshot());
            }
        }

        private LookUpThreads threads() {
            return LookUpThreads.this;
        }

        private void interrupt() {
            synchronized (this) {
                if (thread != null) {
                    interrupted = true;
                    thread.interrupt();
                }
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
    public record Progress(long queuedNanos, long runNanos, Counts counts) {}

    /**
     * How many look-ups there are.
     *
     * @param queued wait for a thread
     * @param running have one
     * @param abandoned have one that nothing waits for any more
     * @param maxRunning may run at once
     * <p>Threading: immutable.
     */
    public record Counts(int queued, int running, int abandoned, int maxRunning) {
        /** These and others. */
        public Counts plus(Counts other) {
            return new Counts(
                    queued + other.queued,
                    running + other.running,
                    abandoned + other.abandoned,
                    maxRunning + other.maxRunning);
        }
    }

    private static long later(long a, long b) {
        return a - b > 0 ? a : b;
    }

    /** How many there are now. */
    public Counts counts() {
        synchronized (lock) {
            return snapshot();
        }
    }

    private Counts snapshot() {
        return new Counts(queued, running + waitingThemselves, abandoned, places);
    }

    // ------------------------------------------------------------------ coming and going

    /**
     * Describes a look-up, which begins with {@link #submit}.
     *
     * @param rejected told in place of {@code work} if there is no thread for it
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
        List<Task> starting;
        synchronized (lock) {
            if (task.state != State.NEW) {
                return;
            }
            Share share = share(client);
            if (queued >= MAX_QUEUED || share.queued() >= share.maxQueued) {
                task.state = State.OVER;
                forgetIfUnused(share);
                throw new RejectedExecutionException("too many names are being looked up already: " + running
                        + " look-ups are running, " + queued + " wait");
            }
            if (waitingThemselves >= MAX_WAITING_THEMSELVES) {
                task.state = State.OVER;
                forgetIfUnused(share);
                throw new RejectedExecutionException(
                        waitingThemselves + " look-ups wait for dials of their own already");
            }
            task.state = State.QUEUED;
            task.queuedNanos = ticker.nanos();
            queued++;
            queue(task, share);
            starting = next();
        }
        start(starting);
    }

    /** Another client waits for a look-up: if that is still queued, whichever client's turn comes first begins it. */
    public void join(Task task, @Nullable Object client) {
        List<Task> starting;
        synchronized (lock) {
            if (task.state != State.QUEUED) {
                return;
            }
            if (task.yields) {
                task.yields = false;
                task.queuedFor.forEach(each -> {
                    each.yielding.remove(task);
                    each.queue.add(task);
                });
            }
            Share share = share(client);
            if (!share.queue.contains(task)) {
                queue(task, share);
            }
            starting = next();
        }
        start(starting);
    }

    /** What waits for a look-up is probably gone: it goes on without a place, or behind others. */
    public void giveWay(Task task) {
        List<Task> starting;
        synchronized (lock) {
            if (task.state == State.QUEUED && !task.yields) {
                task.yields = true;
                task.queuedFor.forEach(share -> {
                    share.queue.remove(task);
                    share.yielding.add(task);
                });
            } else if (task.state == State.RUNNING
                    && !task.yields
                    && task.charged != null
                    && task.charged.hasRoomToYield()) {
                count(task, -1);
                task.yields = true;
                count(task, 1);
            }
            starting = next();
        }
        start(starting);
    }

    /** Nothing waits for a look-up any more: it leaves the queue or, if it is running, its place, and is interrupted. */
    public void abandon(Task task) {
        List<Task> starting;
        boolean interrupt = false;
        synchronized (lock) {
            if (task.state == State.NEW) {
                task.state = State.OVER;
            } else if (task.state == State.QUEUED) {
                task.state = State.OVER;
                unqueue(task);
            } else if (task.state == State.RUNNING) {
                count(task, -1);
                task.state = State.ABANDONED;
                count(task, 1);
                interrupt = true;
            }
            starting = next();
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

    private Share share(@Nullable Object client) {
        return shares.computeIfAbsent(client == null ? NO_CLIENT : client, Share::new);
    }

    private void queue(Task task, Share share) {
        share.queue.add(task);
        task.queuedFor.add(share);
        line.add(share);
    }

    private void unqueue(Task task) {
        queued--;
        for (Share share : task.queuedFor) {
            share.queue.remove(task);
            share.yielding.remove(task);
            if (share.queued() == 0) {
                line.remove(share);
                forgetIfUnused(share);
            }
        }
        task.queuedFor.clear();
    }

    private void forgetIfUnused(Share share) {
        if (share.isUnused()) {
            shares.remove(share.client);
        }
    }

    /** Counts a task in, or out, as what it is now. */
    private void count(Task task, int one) {
        Share share = task.charged;
        if (share == null) {
            return;
        }
        if (task.state == State.ABANDONED || task.yields) {
            abandoned += one;
            share.abandoned += one;
        } else if (task.waitsItself) {
            waitingThemselves += one;
            share.waitingThemselves += one;
        } else {
            running += one;
            share.running += one;
        }
    }

    // ------------------------------------------------------------------ running

    /** Takes those whose turn it is out of the queue. */
    private List<Task> next() {
        List<Task> starting = List.of();
        for (Task task; running + abandoned < maxThreads && (task = nextInTurn()) != null; ) {
            task.state = State.RUNNING;
            task.startedNanos = ticker.nanos();
            count(task, 1);
            unqueue(task);
            if (starting.isEmpty()) {
                starting = new ArrayList<>(1);
            }
            starting.add(task);
        }
        return starting;
    }

    /** That of the first client which may begin one, and which goes to the end of the line; few that wait may not. */
    private @Nullable Task nextInTurn() {
        if (running >= places && abandoned >= maxThreads - places) {
            return null;
        }
        for (Share share : line) {
            Task task = share.next();
            if (task != null) {
                line.remove(share);
                line.add(share);
                task.charged = share;
                return task;
            }
        }
        return null;
    }

    /** A loop and no recursion, for at the end of the executor each rejection lets the next one be tried. */
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
            count(task, -1);
            task.state = State.OVER;
            if (task.charged != null) {
                forgetIfUnused(task.charged);
            }
            return next();
        }
    }

    // ------------------------------------------------------------------ look-ups that wait for dials

    /** Says that the calling thread, if it looks a name up, begins to wait for something of the engine. */
    public static void waits(boolean now) {
        Task task = CURRENT.get();
        if (task != null) {
            task.threads().waits(task, now);
        }
    }

    private void waits(Task task, boolean now) {
        List<Task> starting;
        synchronized (lock) {
            count(task, -1);
            task.waitsItself = now;
            count(task, 1);
            starting = next();
        }
        start(starting);
    }
}
