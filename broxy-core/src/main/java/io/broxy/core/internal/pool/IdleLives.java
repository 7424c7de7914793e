package io.broxy.core.internal.pool;

import io.broxy.ConnPool;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The keys whose peers close idle connections early or spoil them, including keys without connections now. At most {@value
 * #MAX} are remembered; another one replaces the one whose last event is oldest.
 *
 * <p>Threading: the pool's lock guards it.
 */
final class IdleLives {
    static final int MAX = 1_000;

    /** In the order of their last events. */
    private final Map<ConnPool.Key, IdleLife> lives = new LinkedHashMap<>();

    /** What is known of a key, or null. */
    @Nullable
    IdleLife of(ConnPool.Key key) {
        return lives.isEmpty() ? null : lives.get(key);
    }

    /** The peer closed an idle connection of a key. */
    IdleLife closed(ConnPool.Key key, long idleNanos, long nowNanos) {
        IdleLife life = latest(key, nowNanos);
        life.closed(idleNanos, nowNanos);
        return life;
    }

    /** The peer sent something over an idle connection of a key. */
    IdleLife spoilt(ConnPool.Key key, long nowNanos) {
        IdleLife life = latest(key, nowNanos);
        life.spoilt(nowNanos);
        return life;
    }

    private IdleLife latest(ConnPool.Key key, long nowNanos) {
        forgetOutdated(nowNanos);
        IdleLife life = lives.remove(key);
        if (life == null) {
            life = new IdleLife(nowNanos);
            if (lives.size() == MAX) {
                lives.remove(lives.keySet().iterator().next());
            }
        }
        lives.put(key, life);
        return life;
    }

    private void forgetOutdated(long nowNanos) {
        Iterator<IdleLife> oldest = lives.values().iterator();
        while (oldest.hasNext() && oldest.next().isOutdated(nowNanos)) {
            oldest.remove();
        }
    }

    int size() {
        return lives.size();
    }
}
