package io.broxy.core.internal.dial;

import io.broxy.Dialer;
import io.broxy.DirectDialer;
import io.broxy.Route;
import io.broxy.core.internal.upstream.HttpRouter;
import io.broxy.core.internal.upstream.LoopDialer;
import io.broxy.core.internal.upstream.UserDialerAdapter;

/**
 * A named way to targets, and whether it has failed lately.
 *
 * <p>Threading: thread-safe.
 */
final class Hop {
    private final String name;
    private final Dialer dialer;
    private final LoopDialer onLoop;
    private final HttpRouter router;
    private final boolean direct;
    private volatile long penaltyEndNanos;

    Hop(String name, Dialer dialer, DialEngine engine) {
        this.name = name;
        this.dialer = dialer;
        this.onLoop = UserDialerAdapter.of(dialer, engine.workers());
        this.router = HttpRouter.of(dialer, engine.workers());
        this.direct = name.equals(Route.DIRECT) || isDirect(dialer);
        this.penaltyEndNanos = engine.ticker().nanos();
    }

    private static boolean isDirect(Dialer dialer) {
        return dialer instanceof ProxyHeaderDialer announcing
                ? isDirect(announcing.below())
                : dialer instanceof DirectDialer;
    }

    String name() {
        return name;
    }

    /** As its user gave it, for the caller's thread. */
    Dialer dialer() {
        return dialer;
    }

    /** For an event loop. */
    LoopDialer onLoop() {
        return onLoop;
    }

    /** For plain HTTP requests. */
    HttpRouter router() {
        return router;
    }

    /** It failed; true if it has a penalty now and had none. The failure of a direct dial is the target's, and costs nothing. */
    boolean failed(long nowNanos, long penaltyNanos) {
        if (direct) {
            return false;
        }
        boolean news = penaltyNanos > 0 && penaltyLeftNanos(nowNanos) == 0;
        penaltyEndNanos = nowNanos + penaltyNanos;
        return news;
    }

    /** It works. */
    void worked(long nowNanos) {
        if (penaltyLeftNanos(nowNanos) > 0) {
            penaltyEndNanos = nowNanos;
        }
    }

    /** For how long it is still tried behind others, 0 for not at all. */
    long penaltyLeftNanos(long nowNanos) {
        return Math.max(0, penaltyEndNanos - nowNanos);
    }
}
