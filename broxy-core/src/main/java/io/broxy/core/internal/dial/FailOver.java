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
 * The state of a dial through the first working one of several hops: the next hop, its time limit, and the combined failure. It
 * does not dial itself, so loops and blocking callers share it.
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
    /** The use of the current hop has been counted. */
    private boolean counted;

    private long currentStartNanos;

    /**
     * Starts with the first hop.
     *
     * @param hops at least one, in order of preference
     * @param startNanos when the dial began
     * @param endNanos the deadline of the whole dial
     * @param penaltyNanos how long a failed hop is tried after others
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

    /** Moves hops with a penalty to the end; otherwise keeps the order. */
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

    /** The hops that have not been tried yet. */
    List<Hop> others() {
        return List.copyOf(left);
    }

    /** Makes one of the {@link #others} the current hop, and moves the current one to the front of the others. */
    void prefer(Hop hop) {
        if (!left.remove(hop)) {
            throw new IllegalArgumentException("not one of the remaining hops");
        }
        left.addFirst(current);
        current = hop;
    }

    /** The request to the current hop, with an equal share of the remaining time; the last hop gets all of it. */
    DialRequest request() {
        long share = (endNanos - currentStartNanos) / (left.size() + 1);
        Duration timeout = request.timeout();
        if (timeout != null && timeout.equals(Duration.ofNanos(share))) {
            return request; // as in each dial with a single hop
        }
        return request.toBuilder().timeout(Duration.ofNanos(Math.max(1, share))).build();
    }

    /** Records that the current hop works. */
    void connected() {
        count();
        current.worked(ticker.nanos());
    }

    private void count() {
        if (!counted) {
            counted = true;
            current.used();
        }
    }

    /** Records that the current hop failed. Returns the failure of the whole dial, or null if there is another hop to dial. */
    @Nullable
    DialException failed(DialException failure) {
        count();
        long now = ticker.nanos();
        Verdict verdict = Verdict.of(failure);
        boolean newPenalty = verdict == Verdict.HOP_FAILED && current.failed(failure, now, penaltyNanos);
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
        if (newPenalty) {
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
        counted = false;
        currentStartNanos = now;
        return null;
    }

    private void suppressEarlier(DialException failure) {
        for (DialException.Attempt earlier : attempts) {
            if (earlier.failure() != failure) { // a user's dialer may throw the same exception again
                failure.addSuppressed(earlier.failure());
            }
        }
    }

    /** The reason of the hop where the dial got farthest; the first among equals. */
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

    /** The meaning of a failure for the hop; {@link io.broxy.RoutingDialer} documents the rules. */
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

        /**
         * Whether the hop works, but refuses or cannot reach the target; a refusal by a proxy before the hop does not count.
         */
        private static boolean isAnswer(DialException failure) {
            if (failure.reason() == Reason.PROXY_AUTH) {
                return false;
            }
            boolean refused = failure.reason() == Reason.PROXY_REFUSED;
            return failure.proxyReply() != null || (refused && !(failure.getCause() instanceof DialException));
        }
    }

    /**
     * Represents a hop where an exception expects an address: the attempt was to a hop of a routing dialer, not to an address.
     *
     * <p>Threading: immutable.
     */
    private static final class HopAddress extends SocketAddress {
        private static final long serialVersionUID = 1L;

        private final String name;

        HopAddress(String name) {
            this.name = name;
        }

        /** Returns the hop's name. */
        @Override
        public String toString() {
            return name;
        }
    }
}
