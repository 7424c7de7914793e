package io.broxy.core.internal.dial;

import io.broxy.LookUpStats;
import io.broxy.core.internal.loop.LookUpThreads;
import java.net.InetAddress;
import java.net.SocketTimeoutException;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.jspecify.annotations.Nullable;

/**
 * One dial's query for the addresses of a name. Completing it externally ends the query; a look-up without remaining queries is
 * abandoned.
 *
 * <p>Threading: thread-safe.
 */
final class NameQuery extends CompletableFuture<List<InetAddress>> {
    private final long askedNanos;
    private final LookUpThreads.@Nullable Task lookUp;
    /** Whether the dial is probably no longer needed; guarded by the resolver's lock. */
    private boolean yields;

    /**
     * Creates a query.
     *
     * @param lookUp the look-up that answers the query; null if the answer was cached
     */
    NameQuery(long askedNanos, LookUpThreads.@Nullable Task lookUp) {
        this.askedNanos = askedNanos;
        this.lookUp = lookUp;
    }

    void yields(boolean now) {
        yields = now;
    }

    boolean yields() {
        return yields;
    }

    /** Whether the answer came from the cache and so may be outdated. */
    boolean isFromCache() {
        return lookUp == null;
    }

    /**
     * The failure of a dial whose deadline passes before the answer; its message says how long the look-up was queued and
     * running.
     */
    SocketTimeoutException timedOut() {
        String text = "looking up the name took too long";
        if (lookUp == null) {
            return new SocketTimeoutException(text);
        }
        LookUpThreads.Progress progress = lookUp.since(askedNanos);
        LookUpStats counts = progress.counts();
        String queued = seconds(progress.queuedNanos());
        return new SocketTimeoutException(
                progress.runNanos() < 0
                        ? text + ": queued " + queued + " for a look-up thread, and not started (" + counts.running()
                                + " look-ups are running, " + counts.waiting() + " wait)"
                        : text + ": queued " + queued + " for a look-up thread, then looked up for "
                                + seconds(progress.runNanos()));
    }

    /** As in a {@link io.broxy.core.internal.loop.WaitedFuture}. */
    @Override
    public List<InetAddress> get(long timeout, TimeUnit unit)
            throws InterruptedException, ExecutionException, TimeoutException {
        LookUpThreads.waits(true);
        try {
            return super.get(timeout, unit);
        } finally {
            LookUpThreads.waits(false);
        }
    }

    private static String seconds(long nanos) {
        return String.format(Locale.ROOT, "%.1f s", nanos / 1e9);
    }
}
