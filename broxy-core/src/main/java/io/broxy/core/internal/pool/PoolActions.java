package io.broxy.core.internal.pool;

import io.broxy.ConnPool;
import java.util.ArrayList;
import java.util.List;

/**
 * The actions that a change of the pool entails and that run after its lock is released: connections to close, waiters to call,
 * spares to open.
 *
 * <p>Threading: for one thread.
 */
final class PoolActions<P> {

    /** Executes the actions. Threading: called without the pool's lock. */
    interface ActionRunner<P> {
        /** Closes a connection that was idle. */
        void close(P parked);

        /** Reports an event of a key's spares. */
        void spares(ConnPool.Key key, SpareEvent event);

        /** Schedules {@link IdlePool#expire}. */
        void expireAt(long nanos);
    }

    /** An event of a key's spares. */
    enum SpareEvent {
        /** A spare was leased. */
        USED,
        /** A spare could not be opened, or was lost soon after. */
        LOST,
        /** Spares are missing: {@link IdlePool#openSpares} must be called. */
        MISSING
    }

    private record Grant<P>(Waiter<P> waiter, Slot<P> slot) {}

    private record Report(ConnPool.Key key, SpareEvent event) {}

    private List<P> closing = List.of();
    private List<Grant<P>> grants = List.of();
    private List<Waiter<P>> refused = List.of();
    private List<Report> reports = List.of();
    private boolean expires;
    private long expireAtNanos;

    void close(P parked) {
        closing = with(closing, parked);
    }

    void grant(Waiter<P> waiter, Slot<P> slot) {
        grants = with(grants, new Grant<>(waiter, slot));
    }

    void refuse(Waiter<P> waiter) {
        refused = with(refused, waiter);
    }

    void report(ConnPool.Key key, SpareEvent event) {
        reports = with(reports, new Report(key, event));
    }

    void expireAt(long nanos) {
        expires = true;
        expireAtNanos = nanos;
    }

    /** Most changes entail no action, so lists are created on first use. */
    private static <T> List<T> with(List<T> list, T item) {
        List<T> grown = list.isEmpty() ? new ArrayList<>(1) : list;
        grown.add(item);
        return grown;
    }

    /** Runs all actions, once. */
    void run(ActionRunner<P> runner) {
        for (P parked : closing) {
            runner.close(parked);
        }
        for (Grant<P> grant : grants) {
            grant.waiter.granted(grant.slot);
        }
        for (Waiter<P> waiter : refused) {
            waiter.refused();
        }
        for (Report report : reports) {
            runner.spares(report.key, report.event);
        }
        if (expires) {
            runner.expireAt(expireAtNanos);
        }
    }
}
