package io.broxy.core.internal.dial;

import io.broxy.DialException;
import io.broxy.DialException.Reason;
import io.broxy.DialRequest;
import io.broxy.core.internal.dial.RoutingTable.Hop;
import io.broxy.core.internal.time.Ticker;
import java.net.SocketAddress;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.Deque;
import java.util.List;
import java.util.function.BiConsumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One dial through the first of several hops that works: which hop is next, how much time it has, and how the failures
 * are summed up. It dials nothing itself, so it serves a loop and a blocking caller alike.
 *
 * <p>Threading: for one thread, or owned by its event loop.
 */
final class FailOver {
    private static final Logger log = LoggerFactory.getLogger(FailOver.class);

    private final DialRequest request;
    private final long startNanos;
    private final long endNanos;
    private final long penaltyNanos;
    private final Ticker ticker;

    /** Gets each hop that has failed, with its failure. */
    private final BiConsumer<Hop, DialException> hopFailed;

    private final Deque<Hop> left;
    private final List<DialException.Attempt> attempts = new ArrayList<>(0);
    private Hop current;
    private long currentStartNanos;

    /**
     * Begins with the first hop.
     *
     * @param hops at least one, in order of preference
     * @param startNanos when the dial began
     * @param endNanos the deadline of the whole
     * @param penaltyNanos how long a hop that failed is tried behind others
     */
    FailOver(DialRequest request, List<Hop> hops, long startNanos, long endNanos, long penaltyNanos, Ticker ticker) {
        this(request, hops, startNanos, endNanos, penaltyNanos, ticker, (hop, failure) -> {});
    }

    /** Begins with the first hop, and passes on which hops have failed. */
    FailOver(
            DialRequest request,
            List<Hop> hops,
            long startNanos,
            long endNanos,
            long penaltyNanos,
            Ticker ticker,
            BiConsumer<Hop, DialException> hopFailed) {
        this.request = request;
        this.hopFailed = hopFailed;
        this.startNanos = startNanos;
        this.endNanos = endNanos;
        this.penaltyNanos = penaltyNanos;
        this.ticker = ticker;
        this.currentStartNanos = startNanos;
        this.left = new ArrayDeque<>(inOrder(hops, startNanos));
        this.current = left.remove();
    }

    /** Those without a penalty first; otherwise as they are. */
    private static List<Hop> inOrder(List<Hop> hops, long nowNanos) {
        if (hops.size() == 1) {
            return hops;
        }
        List<Hop> order = new ArrayList<>(hops);
        order.sort(Comparator.comparing(hop -> hop.penaltyLeftNanos(nowNanos) > 0));
        return order;
    }

    /** The hop to dial now. */
    Hop hop() {
        return current;
    }

    /** The hops that were not tried yet. */
    List<Hop> others() {
        return List.copyOf(left);
    }

    /** Makes one of the {@link #others} the current hop, and the current one the next. */
    void prefer(Hop hop) {
        if (!left.remove(hop)) {
            throw new IllegalArgumentException("not a hop that is left");
        }
        left.addFirst(current);
        current = hop;
    }

    /** The request to the hop, with an equal share of the time left; the last hop gets all of it. */
    DialRequest request() {
        long share = (endNanos - currentStartNanos) / (left.size() + 1);
        Duration own = request.timeout();
        if (own != null && own.equals(Duration.ofNanos(share))) {
            return request; // as in every dial with one hop
        }
        return request.toBuilder().timeout(Duration.ofNanos(Math.max(1, share))).build();
    }

    /** The hop works. */
    void connected() {
        current.worked(ticker.nanos());
    }

    /** The hop does not: gives the failure of the whole dial, or null if there is another hop to dial now. */
    @Nullable
    DialException failed(DialException failure) {
        long now = ticker.nanos();
        Verdict verdict = Verdict.of(failure);
        boolean news = verdict == Verdict.HOP_FAILED && current.failed(now, penaltyNanos);
        if (verdict == Verdict.HOP_FAILED) {
            hopFailed.accept(current, failure);
        }
        if (attempts.isEmpty() && left.isEmpty()) {
            return failure; // there was only one hop
        }
        if (verdict == Verdict.FINAL) {
            suppressEarlier(failure);
            return failure;
        }
        if (news) {
            log.warn("hop {} failed and is tried last for a while: {}", current.name, failure.getMessage());
        }
        Duration duration = Duration.ofNanos(now - currentStartNanos);
        attempts.add(new DialException.Attempt(new HopAddress(current.name), failure, duration));
        boolean late = now - endNanos >= 0;
        Hop next = late ? null : left.poll();
        if (next == null) {
            Duration all = Duration.ofNanos(now - startNanos);
            return new DialException(late ? Reason.TIMEOUT : farthest(), request.target(), all, attempts, null);
        }
        current = next;
        currentStartNanos = now;
        return null;
    }

    private void suppressEarlier(DialException failure) {
        for (DialException.Attempt earlier : attempts) {
            if (earlier.failure() != failure) { // an own dialer may throw the same one again
                failure.addSuppressed(earlier.failure());
            }
        }
    }

    /** The reason of the hop where the dial came farthest, the first of equals, is the reason of the whole. */
    private Reason farthest() {
        Reason farthest = Reason.POOL_EXHAUSTED;
        for (DialException.Attempt attempt : attempts) {
            Reason reason = ((DialException) attempt.failure()).reason();
            if (weight(reason) > weight(farthest)) {
                farthest = reason;
            }
        }
        return farthest;
    }

    private static int weight(Reason reason) {
        return switch (reason) {
            case PROXY_AUTH -> 7;
            case PROTOCOL -> 6;
            case PROXY_REFUSED -> 5;
            case REFUSED -> 4;
            case TIMEOUT -> 3;
            case UNREACHABLE -> 2;
            case RESOLVE -> 1;
            case POOL_EXHAUSTED, DENIED, LOCAL, CANCELLED -> 0;
        };
    }

    /** What a failure says about the hop; {@link io.broxy.RoutingDialer} gives the reasons. */
    private enum Verdict {
        HOP_FAILED,
        HOP_IS_FULL,
        FINAL;

        static Verdict of(DialException failure) {
            if (isAnswer(failure)) {
                return FINAL;
            }
            return switch (failure.reason()) {
                case RESOLVE, REFUSED, UNREACHABLE, TIMEOUT, PROTOCOL, PROXY_REFUSED, PROXY_AUTH -> HOP_FAILED;
                case POOL_EXHAUSTED -> HOP_IS_FULL;
                case DENIED, LOCAL, CANCELLED -> FINAL;
            };
        }

        /** Whether the hop works, and refuses or cannot reach the target; a refusal by a proxy before the hop does not count. */
        private static boolean isAnswer(DialException failure) {
            if (failure.reason() == Reason.PROXY_AUTH) {
                return false;
            }
            boolean refused = failure.reason() == Reason.PROXY_REFUSED;
            return failure.proxyReply() != null || (refused && !(failure.getCause() instanceof DialException));
        }
    }

    /**
     * Names a hop where an exception asks for an address: the attempt was at a hop of a routing dialer, not at an address.
     *
     * <p>Threading: immutable.
     */
    private static final class HopAddress extends SocketAddress {
        private static final long serialVersionUID = 1L;

        private final String name;

        HopAddress(String name) {
            this.name = name;
        }

        /** The hop's name. */
        @Override
        public String toString() {
            return name;
        }
    }
}
