package io.broxy;

import java.time.Duration;
import java.util.Map;

/**
 * Dials each target the way that {@link Rules} say: through one of some named hops, directly, or not at all.
 *
 * <p>A hop is any dialer: through an HTTP proxy, a SOCKS5 proxy, directly, or an own one. Where a route names several, they
 * are dialled in order until one works, all within the request's one time-out: while others are left, a hop gets an
 * equal share of the time that is left, and the last one gets all of it.
 *
 * <p>Only what speaks of the hop lets the next one have a try:
 *
 * <table>
 *   <caption>What follows from a hop's failure</caption>
 *   <tr><th>reason</th><th>next hop?</th><th>penalty?</th></tr>
 *   <tr><td>{@code RESOLVE}, {@code REFUSED}, {@code UNREACHABLE}, {@code TIMEOUT}, {@code PROTOCOL}</td><td>yes</td><td>yes</td></tr>
 *   <tr><td>{@code PROXY_AUTH}: the hop's credentials are wrong, whatever the target</td><td>yes</td><td>yes</td></tr>
 *   <tr><td>{@code POOL_EXHAUSTED}: the hop works, but is full</td><td>yes</td><td>no</td></tr>
 *   <tr><td>{@code PROXY_REFUSED}, and any other with a {@linkplain DialException#proxyReply reply} of the hop: it works and
 *       has answered</td><td>no</td><td>no</td></tr>
 *   <tr><td>{@code PROXY_REFUSED} by another proxy on the way to the hop</td><td>yes</td><td>yes</td></tr>
 *   <tr><td>{@code DENIED}, {@code LOCAL}, {@code CANCELLED}</td><td>no</td><td>no</td></tr>
 * </table>
 *
 * <p>A hop with a penalty is tried behind those without for {@linkplain Builder#penalty a while}, or until it works again.
 * A direct dial gets none, for its failures are the target's. An unchecked exception of an own dialer is no failure of
 * its hop but a mistake, and ends the dial.
 *
 * <p>When no hop works, each one is an {@linkplain DialException#attempts attempt} of the exception: its failure is the
 * hop's own exception, and its address reads as the hop's name. The reason is {@code TIMEOUT} if the time was over,
 * otherwise that of the hop where the dial came farthest. A failure that lets no other hop have a try is thrown as the hop
 * made it, with those before it suppressed; so is that of a route with one hop.
 *
 * <p>Threading: thread-safe. A dial follows the rules that stood when it began.
 */
public interface RoutingDialer extends Dialer {

    /** The rules that the next dial follows. */
    Rules rules();

    /**
     * Replaces the rules, at once and as a whole. Dials that are under way and connections that stand go on.
     *
     * @throws IllegalArgumentException if a route names a hop that there is not; the old rules stay
     */
    void rules(Rules rules);

    /**
     * Replaces the rules and the hops, at once and as a whole. Dials that are under way and connections that stand go on.
     * A hop that keeps its name and its dialer keeps its penalty.
     *
     * @param hops every hop by its name, but for {@link Route#DIRECT}, which stays
     * @throws IllegalArgumentException if a route names a hop that there is not, or a name is none that {@link
     *     Builder#hop} takes; everything stays as it was
     */
    void replace(Rules rules, Map<String, Dialer> hops);

    /** Says in one line what {@link Rules#explain} says, and which of the route's hops have a penalty. */
    String explain(HostPort target);

    /** Collects the settings of a dialer. Threading: for one thread. */
    interface Builder {

        /**
         * Adds a hop, or replaces the one of that name.
         *
         * @param name not blank, without control characters, and not {@link Route#DIRECT}
         * @param dialer dials targets by way of the hop
         * @throws IllegalArgumentException if the name is none of these
         */
        Builder hop(String name, Dialer dialer);

        /** The dialer of {@link Route#DIRECT}; default a {@link DirectDialer} with its defaults. */
        Builder direct(Dialer dialer);

        /** What goes where; default everything directly. */
        Builder rules(Rules rules);

        /**
         * How long a hop that failed is tried behind the others; default 10 s, zero for not at all.
         *
         * @throws IllegalArgumentException if it is negative
         */
        Builder penalty(Duration penalty);

        /**
         * The time of a dial whose request names none; default 10 s.
         *
         * @throws IllegalArgumentException if it is not positive
         */
        Builder timeout(Duration timeout);

        /**
         * The dialer.
         *
         * @throws IllegalArgumentException if a route names a hop that there is not
         */
        RoutingDialer build();
    }
}
