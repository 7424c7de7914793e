package io.broxy.core.internal.proxy;

import java.util.concurrent.atomic.AtomicInteger;

/**
 * A cap on how many there are of something at once, with a little room beyond it for those that are only told so.
 *
 * <p>Threading: thread-safe.
 */
final class Admission {
    /** Who comes beyond that is closed without a word: telling must not become the load. */
    private static final int OVERFLOW = 256;

    /** How somebody was let in. */
    enum Verdict {
        /** To be served. */
        ADMITTED,
        /** To be told that the cap is reached. */
        FULL,
        /** To be closed, and not to leave. */
        OVERFULL
    }

    private final AtomicInteger present = new AtomicInteger();
    private final int max;

    Admission(int max) {
        this.max = max;
    }

    /** Lets one more in, who {@linkplain #leave leaves} later unless {@link Verdict#OVERFULL}. */
    Verdict enter() {
        int now = present.incrementAndGet();
        if (now <= max) {
            return Verdict.ADMITTED;
        }
        if (now - max <= OVERFLOW) { // without overflow where max is near the integers' end
            return Verdict.FULL;
        }
        leave();
        return Verdict.OVERFULL;
    }

    void leave() {
        present.decrementAndGet();
    }

    /** How many are inside. */
    int present() {
        return present.get();
    }
}
