package io.broxy.core.internal.dial;

import io.broxy.DialException;
import io.broxy.Dialer;
import io.broxy.DirectDialer;
import io.broxy.HopStats;
import io.broxy.HostPort;
import io.broxy.Route;
import io.broxy.Rules;
import io.broxy.core.internal.upstream.HttpRouter;
import io.broxy.core.internal.upstream.LoopDialer;
import io.broxy.core.internal.upstream.UserDialerAdapter;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeSet;
import java.util.concurrent.atomic.LongAdder;
import org.jspecify.annotations.Nullable;

/**
 * Rules together with the hops that they name.
 *
 * <p>Threading: immutable, but for what the hops remember.
 */
final class RoutingTable {
    private final Rules rules;
    private final Map<String, Hop> hops;

    private RoutingTable(Rules rules, Map<String, Hop> hops) {
        TreeSet<String> unknown = new TreeSet<>(rules.hops());
        unknown.removeAll(hops.keySet());
        if (!unknown.isEmpty()) {
            throw new IllegalArgumentException("the rules name hops that there are not: " + String.join(", ", unknown));
        }
        this.rules = rules;
        this.hops = hops;
    }

    /**
     * Makes a table of new hops.
     *
     * @param dialers those of the hops, {@link Route#DIRECT} among them
     * @throws IllegalArgumentException if a rule names none of them
     */
    static RoutingTable of(Rules rules, Map<String, Dialer> dialers, DialEngine engine) {
        Map<String, Hop> hops = new HashMap<>();
        dialers.forEach((name, dialer) -> hops.put(name, new Hop(name, dialer, engine)));
        return new RoutingTable(rules, hops);
    }

    /** The same hops with other rules. */
    RoutingTable with(Rules newRules) {
        return new RoutingTable(newRules, hops);
    }

    /** Other rules and hops; the direct hop, and each hop whose name and dialer are the same, stays as it is. */
    RoutingTable with(Rules newRules, Map<String, Dialer> dialers, DialEngine engine) {
        Map<String, Hop> newHops = new HashMap<>();
        dialers.forEach((name, dialer) -> {
            Hop old = hops.get(checkName(name));
            newHops.put(name, old != null && old.dialer == dialer ? old : new Hop(name, dialer, engine));
        });
        newHops.put(Route.DIRECT, hop(Route.DIRECT));
        return new RoutingTable(newRules, newHops);
    }

    /** Refuses a name that a user's hop cannot have. */
    static String checkName(String name) {
        if (name.equals(Route.DIRECT)) {
            throw new IllegalArgumentException("the hop \"" + Route.DIRECT + "\" is the dialer for direct dials");
        }
        return Route.via(name).hops().get(0);
    }

    /** Whether the dialer of one of the hops sends the address of the client. */
    boolean sendsClientAddress() {
        for (Hop hop : hops.values()) {
            if (hop.dialer.sendsClientAddress()) {
                return true;
            }
        }
        return false;
    }

    Rules rules() {
        return rules;
    }

    /** The hops to a target in order of preference, none if it is denied. */
    List<Hop> hopsTo(HostPort target) {
        List<String> names = rules.route(target).hops();
        List<Hop> all = new ArrayList<>(names.size());
        for (String name : names) {
            all.add(hop(name));
        }
        return all;
    }

    /** The state of each hop: in the order of their names, and the direct one last. */
    List<HopStats> stats(long nowNanos) {
        Comparator<Hop> directLast = Comparator.comparing(hop -> hop.name.equals(Route.DIRECT));
        return hops.values().stream()
                .sorted(directLast.thenComparing(hop -> hop.name))
                .map(hop -> hop.stats(nowNanos))
                .toList();
    }

    private Hop hop(String name) {
        return Objects.requireNonNull(hops.get(name), name); // every name was looked for when this was made
    }

    /**
     * A named dialer, and whether it has failed lately.
     *
     * <p>Threading: thread-safe.
     */
    static final class Hop {
        final String name;

        /** As its user gave it, for the caller's thread. */
        final Dialer dialer;

        /** For an event loop. */
        final LoopDialer onLoop;

        /** For plain HTTP requests. */
        final HttpRouter router;

        private final boolean direct;
        private final LongAdder uses = new LongAdder();
        private final LongAdder failures = new LongAdder();
        private volatile @Nullable Failure lastFailure;
        private volatile long penaltyEndNanos;

        /** Threading: immutable. */
        private record Failure(DialException failure, Instant at) {}

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

        /** A dial or a request has used it, or tried to. */
        void used() {
            uses.increment();
        }

        /** A snapshot. */
        HopStats stats(long nowNanos) {
            Failure last = lastFailure;
            return new HopStats(
                    name,
                    dialer,
                    uses.sum(),
                    failures.sum(),
                    last == null ? null : last.failure,
                    last == null ? null : last.at,
                    Duration.ofNanos(penaltyLeftNanos(nowNanos)));
        }

        /** It failed; true if it has a penalty now and had none. The failure of a direct dial is the target's, and costs nothing. */
        boolean failed(DialException failure, long nowNanos, long penaltyNanos) {
            failures.increment();
            lastFailure = new Failure(failure, Instant.now());
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
}
