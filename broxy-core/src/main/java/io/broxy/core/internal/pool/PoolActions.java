package io.broxy.core.internal.pool;

import io.broxy.ConnPool;
import java.util.ArrayList;
import java.util.List;

/**
 * What a change of the pool leaves to be done once its lock is free: connections to close, waiters to call, spares to open.
 *
 * <p>Threading: for one thread.
 */
final class PoolActions<P> {

    /** Carries the actions out. Threading: called without the pool's lock. */
    interface ActionRunner<P> {
        /** Closes a connection that was idle. */
        void close(P parked);

        /** Passes on what happened to a key's spares. */
        void spares(ConnPool.Key key, SpareEvent event);

        /** Calls for {@link IdlePool#expire} at a time. */
        void expireAt(long nanos);
    }

    /** What happened to a key's spares. */
    enum SpareEvent {
        /** One was leased. */
        USED,
        /** One could not be opened, or was lost soon after. */
        LOST,
        /** Some are missing: {@link IdlePool#openSpares} is to be called. */
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

    /** Mostly there is nothing to do, so lists are made when something comes into them. */
    private static <T> List<T> with(List<T> list, T item) {
        List<T> grown = list.isEmpty() ? new ArrayList<>(1) : list;
        grown.add(item);
        return grown;
    }

    /** Carries all of it out, once. */
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
