package io.broxy.core.internal.proxy;

import java.util.concurrent.atomic.AtomicInteger;

/**
 * A cap on how many connections are served at once, with a little room beside it for those that get a refusal. The two are
 * counted apart: else refused connections would take the places of served ones.
 *
 * <p>Threading: thread-safe.
 */
final class CountLimit {
    /** How many get the refusal at once; further ones are closed without it, so that refusing cannot become the load. */
    static final int OVERFLOW = 256;

    /** What is done with a connection. */
    enum Verdict {
        /** To be served. */
        ADMITTED,
        /** To be refused with a response. */
        FULL,
        /** To be closed without a response. */
        OVERFULL
    }

    private final AtomicInteger served = new AtomicInteger();
    private final AtomicInteger refused = new AtomicInteger();
    private final int max;

    CountLimit(int max) {
        this.max = max;
    }

    /** Counts one more, which {@linkplain #leave leaves} later. */
    Verdict enter() {
        if (tryAdd(served, max)) {
            return Verdict.ADMITTED;
        }
        return tryAdd(refused, OVERFLOW) ? Verdict.FULL : Verdict.OVERFULL;
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

    /** One that got this verdict has ended. */
    void leave(Verdict verdict) {
        switch (verdict) {
            case ADMITTED -> served.decrementAndGet();
            case FULL -> refused.decrementAndGet();
            case OVERFULL -> {}
        }
    }
}
