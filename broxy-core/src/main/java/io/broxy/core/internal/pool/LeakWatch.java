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
 * Finds leases that became garbage without an end. It is polled, so it needs no thread of its own.
 *
 * <p>Threading: thread-safe.
 */
final class LeakWatch {
    private static final Logger log = LoggerFactory.getLogger(LeakWatch.class);

    private final int oneIn;
    private final AtomicLong taken = new AtomicLong();
    private final ReferenceQueue<UserLease> garbage = new ReferenceQueue<>();
    private final Set<Watched> watched = ConcurrentHashMap.newKeySet();

    /** Creates a watch that notes where each {@code oneIn}-th lease was taken; 0 for none. */
    LeakWatch(int oneIn) {
        this.oneIn = oneIn;
    }

    /** What is known about a lease when it is gone. Threading: immutable. */
    static final class Watched extends PhantomReference<UserLease> {
        final Slot<IdleConnection> slot;
        /** Null if it is not one of Broxy's. */
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
            this.connection = connection instanceof Transferable own ? own : null;
            this.place = place;
        }
    }

    /** Where the caller takes a lease, or null if that is not to be noted. */
    @Nullable
    Throwable place() {
        return oneIn > 0 && taken.getAndIncrement() % oneIn == 0 ? new Throwable("the lease was taken here") : null;
    }

    /**
     * Watches a lease until it has {@link #ended}.
     *
     * @param place where it was taken, from {@link #place}
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

    /** The next lease that became garbage, or null for none. */
    @Nullable
    Watched next() {
        for (Object found; (found = garbage.poll()) != null; ) {
            if (found instanceof Watched mark && watched.remove(mark)) {
                if (mark.place != null) {
                    log.warn("a lease of {} was dropped without an end", mark.slot.key(), mark.place);
                } else {
                    log.debug("a lease of {} was dropped without an end", mark.slot.key());
                }
                return mark;
            }
        }
        return null;
    }
}
