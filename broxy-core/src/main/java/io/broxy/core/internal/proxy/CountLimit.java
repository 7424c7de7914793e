package io.broxy.core.internal.proxy;

import java.util.concurrent.atomic.AtomicInteger;

/**
 * A cap on the connections that are served concurrently, with some additional room for connections that receive a refusal. The
 * two are counted separately, so that refused connections do not take the places of served ones.
 *
 * <p>Threading: thread-safe.
 */
final class CountLimit {
    /**
     * The maximum number of connections that receive a refusal concurrently; further ones are closed without a response, so
     * that refusals cannot become a load.
     */
    static final int OVERFLOW = 256;

    /** What to do with a connection. */
    enum Verdict {
        /** Serve the connection. */
        ADMITTED,
        /** Refuse the connection with a response. */
        FULL,
        /** Close the connection without a response. */
        OVERFULL
    }

    private final AtomicInteger served = new AtomicInteger();
    private final AtomicInteger refused = new AtomicInteger();
    private final int max;

    CountLimit(int max) {
        this.max = max;
    }

    /** Counts a new connection, which {@linkplain #leave leaves} later. */
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

    /** Called when a connection with this verdict has ended. */
    void leave(Verdict verdict) {
        switch (verdict) {
            case ADMITTED -> served.decrementAndGet();
            case FULL -> refused.decrementAndGet();
            case OVERFULL -> {}
        }
    }
}
