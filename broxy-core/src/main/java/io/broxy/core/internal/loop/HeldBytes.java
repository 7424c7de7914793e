package io.broxy.core.internal.loop;

import java.util.concurrent.atomic.AtomicLong;

/** How many bytes of unwritten remainders the loops of an engine hold. Threading: thread-safe. */
final class HeldBytes {
    private final AtomicLong bytes = new AtomicLong();
    private final long max;

    HeldBytes(long max) {
        this.max = max;
    }

    void add(long more) {
        bytes.addAndGet(more);
    }

    long get() {
        return bytes.get();
    }

    long max() {
        return max;
    }
}
