package io.broxy.core.internal.pool;

import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/** All who wait: each hop has its queue, and a number says who came first. Threading: the pool's lock guards it. */
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

    void join(KeySlots<P> hop, Waiter<P> waiter) {
        hop.enqueue(waiter, number++);
        awaited.add(hop);
        size++;
    }

    /** False if he does not wait. */
    boolean leave(KeySlots<P> hop, Waiter<P> waiter) {
        if (!hop.leave(waiter)) {
            return false;
        }
        left(hop);
        return true;
    }

    /** Of the hops that can be served, the one that was waited for first; or null. */
    @Nullable
    KeySlots<P> first(Predicate<KeySlots<P>> servable) {
        if (awaited.isEmpty()) {
            return null; // as nearly always, and without an iterator
        }
        KeySlots<P> first = null;
        for (KeySlots<P> hop : awaited) {
            if ((first == null || hop.firstNumber() < first.firstNumber()) && servable.test(hop)) {
                first = hop;
            }
        }
        return first;
    }

    /** Takes the first of a hop out; there must be one. */
    Waiter<P> next(KeySlots<P> hop) {
        Waiter<P> waiter = hop.next();
        left(hop);
        return waiter;
    }

    /** The hops that are waited for. */
    List<KeySlots<P>> hops() {
        return new ArrayList<>(awaited);
    }

    private void left(KeySlots<P> hop) {
        size--;
        if (!hop.isAwaited()) {
            awaited.remove(hop);
        }
    }
}
