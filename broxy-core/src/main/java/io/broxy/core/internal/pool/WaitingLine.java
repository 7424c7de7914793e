package io.broxy.core.internal.pool;

import java.util.LinkedHashSet;
import java.util.List;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/** All waiters: each key has its queue, and a number tells which waiter came first. Threading: the pool's lock guards it. */
final class WaitingLine<P> {
    private final LinkedHashSet<KeySlots<P>> awaited = new LinkedHashSet<>();
    private long number;
    private int size;

    int size() {
        return size;
    }

    boolean isEmpty() {
        return size == 0;
    }

    void join(KeySlots<P> slots, Waiter<P> waiter) {
        slots.waiting.put(waiter, number++);
        awaited.add(slots);
        size++;
    }

    /** False if the waiter does not wait. */
    boolean leave(KeySlots<P> slots, Waiter<P> waiter) {
        if (slots.waiting.remove(waiter) == null) {
            return false;
        }
        size--;
        if (!slots.isAwaited()) {
            awaited.remove(slots);
        }
        return true;
    }

    /** The key that has been waited for longest, among those that can be served; or null. */
    @Nullable
    KeySlots<P> first(Predicate<KeySlots<P>> servable) {
        if (awaited.isEmpty()) {
            return null; // as nearly always, and without an iterator
        }
        KeySlots<P> first = null;
        for (KeySlots<P> slots : awaited) {
            if ((first == null || slots.firstNumber() < first.firstNumber()) && servable.test(slots)) {
                first = slots;
            }
        }
        return first;
    }

    /** Removes the first of a key; there must be one. */
    Waiter<P> next(KeySlots<P> slots) {
        Waiter<P> first = slots.first();
        leave(slots, first);
        return first;
    }

    /** Removes all, and has them refused. */
    void refuseAll(PoolActions<P> actions) {
        for (KeySlots<P> slots : List.copyOf(awaited)) {
            while (slots.isAwaited()) {
                actions.refuse(next(slots));
            }
        }
    }
}
