package io.broxy.core.internal.pool;

import io.broxy.Connection;
import io.broxy.core.internal.net.Transferable;
import java.lang.ref.PhantomReference;
import java.lang.ref.ReferenceQueue;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Finds leases that were garbage collected without having been ended. It is polled, so it needs no thread of its own.
 *
 * <p>Threading: thread-safe.
 */
final class LeakWatch {
    private static final Logger log = LoggerFactory.getLogger(LeakWatch.class);

    private final int oneIn;
    private final AtomicLong taken = new AtomicLong();
    private final ReferenceQueue<UserLease> garbage = new ReferenceQueue<>();
    private final Set<Watched> watched = ConcurrentHashMap.newKeySet();

    /** Creates a watch that records a stack trace for every {@code oneIn}-th lease; 0 for none. */
    LeakWatch(int oneIn) {
        this.oneIn = oneIn;
    }

    /** The data of a lease that survives its collection. Threading: immutable. */
    static final class Watched extends PhantomReference<UserLease> {
        final Slot<IdleConnection> slot;
        /** Null if the connection is not one of Broxy's own. */
        final @Nullable Transferable connection;

        private final @Nullable Throwable place;

        private Watched(
                UserLease lease,
                ReferenceQueue<UserLease> queue,
                Slot<IdleConnection> slot,
                Connection connection,
                @Nullable Throwable place) {
            super(lease, queue);
            this.slot = slot;
            this.connection = connection instanceof Transferable transferable ? transferable : null;
            this.place = place;
        }
    }

    /** The stack trace of the current lease, or null if this one is not recorded. */
    @Nullable
    Throwable place() {
        return oneIn > 0 && taken.getAndIncrement() % oneIn == 0 ? new Throwable("the lease was taken here") : null;
    }

    /**
     * Watches a lease until {@link #ended} is called.
     *
     * @param place the stack trace from {@link #place}
     */
    Watched watch(UserLease lease, Slot<IdleConnection> slot, Connection connection, @Nullable Throwable place) {
        Watched mark = new Watched(lease, garbage, slot, connection, place);
        watched.add(mark);
        return mark;
    }

    void ended(Watched mark) {
        watched.remove(mark);
        mark.clear();
    }

    boolean isWatching() {
        return !watched.isEmpty();
    }

    /** The next lease that was garbage collected, or null for none. */
    @Nullable
    Watched next() {
        for (Object found; (found = garbage.poll()) != null; ) {
            if (found instanceof Watched mark && watched.remove(mark)) {
                if (mark.place != null) {
                    log.warn("a lease of {} was leaked: it was never ended", mark.slot.key(), mark.place);
                } else {
                    log.debug("a lease of {} was leaked: it was never ended", mark.slot.key());
                }
                return mark;
            }
        }
        return null;
    }
}
