package io.broxy.core.internal.pool;

import io.broxy.ConnPool.Hop;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What a change of the pool leaves to be done once its lock is free: connections to close, waiters to tell, spares to open.
 *
 * <p>Threading: for one thread.
 */
final class Work<P> {

    /** Does it. Threading: called without the pool's lock. */
    interface Doer<P> {
        /** Closes what was idle. */
        void close(P parked);

        /** Sees to a hop's spares. */
        void spares(Hop hop, News news);

        /** Calls for {@link IdlePool#expire} at a time. */
        void expireAt(long nanos);
    }

    /** What is new about a hop's spares. */
    enum News {
        /** One was leased. */
        USED,
        /** One could not be opened, or was lost as soon as it stood. */
        LOST,
        /** Some are missing: {@link IdlePool#openSpares} is to be called. */
        MISSING
    }

    private record Grant<P>(Waiter<P> waiter, Slot<P> slot) {}

    private record Report(Hop hop, News news) {}

    private final List<P> closing = new ArrayList<>(0);
    private final List<Grant<P>> grants = new ArrayList<>(0);
    private final List<Waiter<P>> refused = new ArrayList<>(0);
    private final List<Report> reports = new ArrayList<>(0);
    private @Nullable Long expireAtNanos;

    void close(P parked) {
        closing.add(parked);
    }

    void grant(Waiter<P> waiter, Slot<P> slot) {
        grants.add(new Grant<>(waiter, slot));
    }

    void refuse(Waiter<P> waiter) {
        refused.add(waiter);
    }

    void report(Hop hop, News news) {
        reports.add(new Report(hop, news));
    }

    void expireAt(long nanos) {
        expireAtNanos = nanos;
    }

    /** Does all of it, once. */
    void run(Doer<P> doer) {
        closing.forEach(doer::close);
        grants.forEach(grant -> grant.waiter.granted(grant.slot));
        refused.forEach(Waiter::refused);
        reports.forEach(report -> doer.spares(report.hop, report.news));
        if (expireAtNanos != null) {
            doer.expireAt(expireAtNanos);
        }
    }
}
