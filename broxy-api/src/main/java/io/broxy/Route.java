package io.broxy;

import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What {@link Rules} say about a target: denied, dialed directly, or dialed through the first of several named hops
 * that works.
 *
 * <p>The names are those that {@link RoutingDialer.Builder#hop} gives to dialers. {@link #DIRECT} names the direct
 * connection, so {@code Route.via("proxy", Route.DIRECT)} dials directly if the proxy is out of order.
 *
 * <p>Threading: immutable.
 */
public final class Route {
    /** The reserved name for a direct connection. */
    public static final String DIRECT = "direct";

    private static final Route DENY = new Route(List.of());
    private static final Route STRAIGHT = new Route(List.of(DIRECT));

    private final List<String> hops;

    private Route(List<String> hops) {
        this.hops = hops;
    }

    /** Denied: a dial fails with {@link DialException.Reason#DENIED}. */
    public static Route deny() {
        return DENY;
    }

    /** Directly; the same as {@code via(DIRECT)}. */
    public static Route direct() {
        return STRAIGHT;
    }

    /** As {@link #via(List)}. */
    public static Route via(String... hops) {
        return via(List.of(hops));
    }

    /**
     * Through the first of these hops that works.
     *
     * @param hops names, at least one, in order of preference
     * @throws IllegalArgumentException if there is none, if one is named twice, or if a name is blank or has control
     *     characters
     */
    public static Route via(List<String> hops) {
        List<String> copy = List.copyOf(hops);
        if (copy.isEmpty()) {
            throw new IllegalArgumentException("a route needs at least one hop");
        }
        copy.forEach(Route::checkName);
        if (copy.stream().distinct().count() < copy.size()) {
            throw new IllegalArgumentException("a hop is named twice in " + copy);
        }
        return new Route(copy);
    }

    /** Refuses names that do not fit into a line of a log. */
    static void checkName(String hop) {
        if (hop.isBlank() || hop.chars().anyMatch(Character::isISOControl)) {
            throw new IllegalArgumentException("not a valid hop name: " + Printable.quote(hop)
                    + ": it must not be blank or have control characters");
        }
    }

    /** Whether the target is denied. */
    public boolean isDenied() {
        return hops.isEmpty();
    }

    /** The hops in order of preference; unmodifiable, empty if the target is denied. */
    public List<String> hops() {
        return hops;
    }

    @Override
    public boolean equals(@Nullable Object other) {
        return other instanceof Route that && hops.equals(that.hops);
    }

    @Override
    public int hashCode() {
        return hops.hashCode();
    }

    /** {@code denied}, {@code direct}, or {@code via} and the hops. */
    @Override
    public String toString() {
        if (isDenied()) {
            return "denied";
        }
        return equals(STRAIGHT) ? DIRECT : "via " + String.join(", ", hops);
    }
}
