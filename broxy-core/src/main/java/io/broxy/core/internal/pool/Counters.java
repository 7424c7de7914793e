package io.broxy.core.internal.pool;

import io.broxy.PoolStats;
import io.broxy.PoolStats.Eviction;
import java.util.EnumMap;
import java.util.Map;

/** The counters of a pool. Threading: the pool's lock guards it. */
final class Counters {
    /** How a lease ends if the pool does not keep its connection. */
    enum Ending {
        DISCARDED,
        /** Discarded: the peer closed a reused connection without answering its request. */
        UNANSWERED,
        DETACHED,
        LEAKED
    }

    int leased;
    private int held;
    int opening;
    long created;
    long reused;
    private long discarded;
    private long detached;
    private long leaked;
    private final Map<Eviction, Long> evicted = new EnumMap<>(Eviction.class);

    /** Counts a connection that is now leased or held. */
    void taken(Slot.State state) {
        if (state == Slot.State.HELD) {
            held++;
        } else {
            leased++;
        }
    }

    /** Counts a connection that is no longer leased or held. */
    void returned(Slot.State state) {
        if (state == Slot.State.HELD) {
            held--;
        } else {
            leased--;
        }
    }

    void ended(Ending ending) {
        switch (ending) {
            case DISCARDED, UNANSWERED -> discarded++;
            case DETACHED -> detached++;
            case LEAKED -> leaked++;
        }
    }

    void evicted(Eviction cause) {
        evicted.merge(cause, 1L, Long::sum);
    }

    PoolStats snapshot(int idle, int waiting) {
        return new Snapshot(
                idle + held,
                leased,
                opening,
                waiting,
                created,
                reused,
                discarded,
                detached,
                leaked,
                Map.copyOf(evicted));
    }

    /** A copy. Threading: immutable. */
    private record Snapshot(
            int idle,
            int leased,
            int opening,
            int waiting,
            long created,
            long reused,
            long discarded,
            long detached,
            long leaked,
            Map<Eviction, Long> evictions)
            implements PoolStats {

        @Override
        public long evicted(Eviction cause) {
            return evictions.getOrDefault(cause, 0L);
        }

        @Override
        public String toString() {
            StringBuilder text =
                    new StringBuilder("PoolStats[idle " + idle + ", leased " + leased + ", opening " + opening
                            + ", waiting " + waiting + ", created " + created + ", reused " + reused + ", discarded "
                            + discarded
                            + ", detached " + detached + ", leaked " + leaked);
            for (Eviction cause : Eviction.values()) {
                text.append(", ").append(cause).append(' ').append(evicted(cause));
            }
            return text.append(']').toString();
        }
    }
}
