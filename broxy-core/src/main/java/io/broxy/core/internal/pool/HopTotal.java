package io.broxy.core.internal.pool;

import io.broxy.ConnPool;
import org.jspecify.annotations.Nullable;

/**
 * What the caps of a hop count: its connections for all clients together. However many clients come, they share what one
 * hop may have.
 *
 * <p>Threading: the pool's lock guards it.
 */
final class HopTotal<P> {
    /** For nobody in particular. */
    final ConnPool.Key hop;

    /** How many {@link HopSlots} are of it. */
    int members;

    /** Idle, leased and being opened. */
    int open;

    private int idleCount;

    /** How its peer treats idle connections, if it closes them early or spoils them; else null. */
    @Nullable
    IdleLife life;

    /** The ends of the list of what is idle, which the slots themselves are. */
    private @Nullable Slot<P> oldest;

    private @Nullable Slot<P> newest;

    HopTotal(ConnPool.Key hop, @Nullable IdleLife life) {
        this.hop = hop;
        this.life = life;
    }

    /** How long another connection was idle when the peer closed it, or {@link IdleTimes#UNKNOWN}. */
    long livedNanos(long nowNanos) {
        return life == null ? IdleTimes.UNKNOWN : life.nanos(nowNanos);
    }

    /** Whether the peer has sent what was not asked for over an idle connection. */
    boolean isSpoilt(long nowNanos) {
        return life != null && life.isSpoilt(nowNanos);
    }

    int idleCount() {
        return idleCount;
    }

    /** One lies idle from now on. */
    void add(Slot<P> slot) {
        Slot<P> before = newest;
        slot.older = before;
        if (before == null) {
            oldest = slot;
        } else {
            before.newer = slot;
        }
        newest = slot;
        idleCount++;
    }

    /** One that was idle is not any more. */
    void remove(Slot<P> slot) {
        Slot<P> before = slot.older;
        Slot<P> behind = slot.newer;
        if (before == null) {
            oldest = behind;
        } else {
            before.newer = behind;
        }
        if (behind == null) {
            newest = before;
        } else {
            behind.older = before;
        }
        slot.older = null;
        slot.newer = null;
        idleCount--;
    }

    /** The one that has been idle longest, spares last; null if none is idle. */
    @Nullable
    Slot<P> evictionCandidate() {
        for (Slot<P> slot = oldest; slot != null; slot = slot.newer) {
            if (slot.owner.idleCount() > slot.owner.wanted) {
                return slot;
            }
        }
        return oldest;
    }
}
