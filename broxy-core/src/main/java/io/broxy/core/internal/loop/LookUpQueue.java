package io.broxy.core.internal.loop;

import io.broxy.LookUpStats;
import io.broxy.core.internal.loop.LookUpThreads.Task;
import io.broxy.core.internal.time.Ticker;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.RejectedExecutionException;
import org.jspecify.annotations.Nullable;

/**
 * Counts look-ups by client and state, and decides which queued ones run next: the first look-up of the first client whose
 * share allows it; that client then moves to the end of the line. It neither owns threads nor runs tasks.
 *
 * <p>Threading: guarded by the lock of its {@link LookUpThreads}.
 */
final class LookUpQueue {
    /**
     * The maximum number of look-ups that wait for dials of their own, so that endless recursion of a resolver does not exhaust
     * memory.
     */
    private static final int MAX_WAITING_THEMSELVES = 1_000;

    /** The reciprocal of one client's maximum share of everything. */
    private static final int SHARES = 4;

    /** The key of look-ups without a client. */
    private static final Object NO_CLIENT = new Object();

    private final int places;
    private final int maxThreads;
    private final Ticker ticker;

    /** The shares that have queued look-ups or threads. */
    private final Map<Object, Share> shares = new HashMap<>();
    /** The shares that have queued look-ups, in round-robin order. */
    private final Set<Share> line = new LinkedHashSet<>();

    private int queued;
    private int running;
    private int abandoned;
    private int waitingThemselves;

    LookUpQueue(int places, int maxThreads, Ticker ticker) {
        this.places = places;
        this.maxThreads = maxThreads;
        this.ticker = ticker;
    }

    /** The state of a look-up; the diagram in {@link LookUpThreads} shows the transitions. */
    enum State {
        NEW,
        QUEUED,
        RUNNING,
        ABANDONED,
        OVER
    }

    /** The look-ups of one client, or of none. Threading: guarded by the lock. */
    final class Share {
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
            this.maxThreads = Math.max(1, LookUpQueue.this.maxThreads / parts);
            this.maxYielding = maxThreads - maxRunning;
            this.maxQueued = LookUpThreads.MAX_QUEUED / parts;
        }

        int queued() {
            return queue.size() + yielding.size();
        }

        /** Whether one more look-up may yield its place. */
        boolean hasRoomToYield() {
            return abandoned < maxYielding && LookUpQueue.this.abandoned < LookUpQueue.this.maxThreads - places;
        }

        /** The next look-up that may start, or null. */
        @Nullable
        Task next() {
            if (running + abandoned >= maxThreads) {
                return null;
            }
            if (!queue.isEmpty() && running < maxRunning && LookUpQueue.this.running < places) {
                return queue.iterator().next();
            }
            return !yielding.isEmpty() && hasRoomToYield() ? yielding.iterator().next() : null;
        }

        void forgetIfUnused() {
            if (queued() + running + abandoned + waitingThemselves == 0) {
                shares.remove(client);
            }
        }
    }

    /** The current numbers of look-ups. */
    LookUpStats counts() {
        return new LookUpStats(queued, running + waitingThemselves, abandoned, places);
    }

    /**
     * Queues a new look-up; has no effect on one that is not new.
     *
     * @throws RejectedExecutionException if too many are waiting
     */
    void add(Task task, @Nullable Object client) {
        if (task.state != State.NEW) {
            return;
        }
        Share share = share(client);
        String refusal = refusal(share);
        if (refusal != null) {
            task.state = State.OVER;
            share.forgetIfUnused();
            throw new RejectedExecutionException(refusal);
        }
        task.state = State.QUEUED;
        task.queuedNanos = ticker.nanos();
        queued++;
        add(task, share);
    }

    private @Nullable String refusal(Share share) {
        if (queued >= LookUpThreads.MAX_QUEUED || share.queued() >= share.maxQueued) {
            return "too many names are already being looked up: " + running + " look-ups are running, " + queued
                    + " wait";
        }
        return waitingThemselves >= MAX_WAITING_THEMSELVES
                ? waitingThemselves + " look-ups already wait for dials of their own"
                : null;
    }

    private Share share(@Nullable Object client) {
        return shares.computeIfAbsent(client == null ? NO_CLIENT : client, Share::new);
    }

    private void add(Task task, Share share) {
        share.queue.add(task);
        task.queuedFor.add(share);
        line.add(share);
    }

    /** Queues a look-up for another client, too, if it is still waiting. */
    void join(Task task, @Nullable Object client) {
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
            add(task, share);
        }
    }

    /** Lets a look-up continue without a place, or after others. */
    void yieldPlace(Task task) {
        if (task.yields) {
            return;
        }
        if (task.state == State.QUEUED) {
            task.yields = true;
            task.queuedFor.forEach(share -> {
                share.queue.remove(task);
                share.yielding.add(task);
            });
        } else if (task.state == State.RUNNING && task.charged != null && task.charged.hasRoomToYield()) {
            count(task, -1);
            task.yields = true;
            count(task, 1);
        }
    }

    /** Removes a look-up from the queue, or takes its place away; true if it has a thread that must be interrupted. */
    boolean abandon(Task task) {
        if (task.state == State.RUNNING) {
            count(task, -1);
            task.state = State.ABANDONED;
            count(task, 1);
            return true;
        }
        if (task.state == State.QUEUED) {
            remove(task);
        }
        if (task.state != State.ABANDONED) {
            task.state = State.OVER;
        }
        return false;
    }

    /** Frees the place of a look-up while it waits for a dial of its own. */
    void waits(Task task, boolean now) {
        count(task, -1);
        task.waitsItself = now;
        count(task, 1);
    }

    /** Records that a look-up has left its thread, or got none. */
    void over(Task task) {
        count(task, -1);
        task.state = State.OVER;
        if (task.charged != null) {
            task.charged.forgetIfUnused();
        }
    }

    /** Removes the look-ups that may start now from the queue. */
    List<Task> next() {
        List<Task> starting = List.of();
        for (Task task; running + abandoned < maxThreads && (task = nextInTurn()) != null; ) {
            task.state = State.RUNNING;
            task.startedNanos = ticker.nanos();
            count(task, 1);
            remove(task);
            if (starting.isEmpty()) {
                starting = new ArrayList<>(1);
            }
            starting.add(task);
        }
        return starting;
    }

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

    private void remove(Task task) {
        queued--;
        for (Share share : task.queuedFor) {
            share.queue.remove(task);
            share.yielding.remove(task);
            if (share.queued() == 0) {
                line.remove(share);
                share.forgetIfUnused();
            }
        }
        task.queuedFor.clear();
    }

    /** Adjusts the counters for a look-up's current state by 1 or -1. */
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
}
