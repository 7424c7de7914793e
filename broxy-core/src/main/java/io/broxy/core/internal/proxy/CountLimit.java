package io.broxy.core.internal.proxy;

import java.util.concurrent.atomic.AtomicInteger;

/**
 * A cap on how many there are of something at once, with a little room beside it for those that are only told so. Each has
 * a count of its own: else those that are being told would keep the places of those that are served.
 *
 * <p>Threading: thread-safe.
 */
final class CountLimit {
    /** Who comes beyond that is closed without a word: telling must not become the load. */
    static final int OVERFLOW = 256;

    /** How somebody was let in. */
    enum Verdict {
        /** To be served. */
        ADMITTED,
        /** To be told that the cap is reached. */
        FULL,
        /** To be closed. */
        OVERFULL
    }

    private final AtomicInteger served = new AtomicInteger();
    private final AtomicInteger told = new AtomicInteger();
    private final int max;

    CountLimit(int max) {
        this.max = max;
    }

    /** Lets one more in, who {@linkplain #leave leaves} later. */
    Verdict enter() {
        if (tryAdd(served, max)) {
            return Verdict.ADMITTED;
        }
        return tryAdd(told, OVERFLOW) ? Verdict.FULL : Verdict.OVERFULL;
    }

    private static boolean tryAdd(AtomicInteger count, int max) {
        int now = count.get();
        while (now < max) {
            int seen = count.compareAndExchange(now, now + 1);
            if (seen == now) {
                return true;
            }
            now = seen;
        }
        return false;
    }

    /** Lets one go who had been let in so. */
    void leave(Verdict verdict) {
        switch (verdict) {
            case ADMITTED -> served.decrementAndGet();
            case FULL -> told.decrementAndGet();
            case OVERFULL -> {}
        }
    }
}
