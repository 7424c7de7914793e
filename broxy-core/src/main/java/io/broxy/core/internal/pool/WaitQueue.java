package io.broxy.core.internal.pool;

import java.util.LinkedHashSet;
import java.util.List;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * All waiters: a queue for each key, with sequence numbers that order waiters across keys. Threading: the pool's lock guards
 * it.
 */
final class WaitQueue<P> {
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

    /** Removes a waiter; false if it does not wait. */
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

    /** The servable key with the longest-waiting waiter, or null. */
    @Nullable
    KeySlots<P> first(Predicate<KeySlots<P>> servable) {
        if (awaited.isEmpty()) {
            return null; // the common case, without an iterator
        }
        KeySlots<P> first = null;
        for (KeySlots<P> slots : awaited) {
            if ((first == null || slots.firstNumber() < first.firstNumber()) && servable.test(slots)) {
                first = slots;
            }
        }
        return first;
    }

    /** Removes the first waiter of a key, which must exist. */
    Waiter<P> next(KeySlots<P> slots) {
        Waiter<P> first = slots.first();
        leave(slots, first);
        return first;
    }

    /** Removes all waiters and refuses them. */
    void refuseAll(PoolActions<P> actions) {
        for (KeySlots<P> slots : List.copyOf(awaited)) {
            while (slots.isAwaited()) {
                actions.refuse(next(slots));
            }
        }
    }
}
