package io.broxy;

import java.time.Duration;
import java.util.List;
import java.util.Map;

/**
 * Dials each target as {@link Rules} say: through one of several named hops, directly, or not at all.
 *
 * <p>A hop is any dialer: through an HTTP proxy, through a SOCKS5 proxy, direct, or user-written. If a route names
 * several hops, they are dialed in order until one works, all within the request's one timeout: while others remain, a
 * hop gets an equal share of the remaining time, and the last one gets all of it.
 *
 * <p>Only a failure of the hop itself lets the next one have a try:
 *
 * <table>
 *   <caption>Effects of a hop's failure</caption>
 *   <tr><th>reason</th><th>next hop?</th><th>penalty?</th></tr>
 *   <tr><td>{@code RESOLVE}, {@code REFUSED}, {@code UNREACHABLE}, {@code TIMEOUT}, {@code
 *   PROTOCOL}</td><td>yes</td><td>yes</td></tr>
 *   <tr><td>{@code PROXY_AUTH}: the hop's credentials are wrong, whatever the target</td><td>yes</td><td>yes</td></tr>
 *   <tr><td>{@code POOL_EXHAUSTED}: the hop works, but is full</td><td>yes</td><td>no</td></tr>
 *   <tr><td>{@code PROXY_REFUSED}, and any other with a {@linkplain DialException#proxyReply reply} of the hop: the hop
 *   works and
 *       has responded</td><td>no</td><td>no</td></tr>
 *   <tr><td>{@code PROXY_REFUSED} by another proxy in front of the hop</td><td>yes</td><td>yes</td></tr>
 *   <tr><td>{@code DENIED}, {@code LOCAL}, {@code CANCELLED}</td><td>no</td><td>no</td></tr>
 * </table>
 *
 * <p>A hop with a penalty is tried after those without, for {@linkplain Builder#penalty a while} or until it works
 * again. A direct dial gets no penalty, because its failures are the target's. An unchecked exception of a user-written
 * dialer is a programming error rather than a failure of its hop, and ends the dial.
 *
 * <p>If no hop works, each one is an {@linkplain DialException#attempts attempt} of the exception: its failure is the
 * hop's own exception, and its address reads as the hop's name. The reason is {@code TIMEOUT} if the time has expired,
 * and otherwise that of the hop whose dial got farthest. A failure that lets no other hop have a try is thrown
 * unchanged, with the earlier failures suppressed; so is the failure of a route with one hop.
 *
 * <p>Threading: thread-safe. A dial follows the rules that were in force when it began.
 */
public interface RoutingDialer extends Dialer {

    /** The rules that the next dial will follow. */
    Rules rules();

    /**
     * Replaces the rules, at once and as a whole. Dials in progress and open connections continue.
     *
     * @throws IllegalArgumentException if a route names an unknown hop; the old rules stay
     */
    void rules(Rules rules);

    /**
     * Replaces the rules and the hops, at once and as a whole. Dials in progress and open connections continue.
     * A hop that keeps its name and its dialer keeps its penalty.
     *
     * @param hops every hop by its name, except for {@link Route#DIRECT}, which stays
     * @throws IllegalArgumentException if a route names an unknown hop, or a name is not allowed by {@link
     *     Builder#hop}; everything stays as it was
     */
    void replace(Rules rules, Map<String, Dialer> hops);

    /** Adds to {@link Rules#explain}, in one line, which of the route's hops have a penalty. */
    String explain(HostPort target);

    /** The state of every hop, in the order of their names, and the direct hop last; unmodifiable. */
    List<HopStats> hops();

    /** Collects the settings of a dialer. Threading: for one thread. */
    interface Builder {

        /**
         * Adds a hop, or replaces the one of that name.
         *
         * @param name not blank, without control characters, and not {@link Route#DIRECT}
         * @param dialer dials targets through the hop
         * @throws IllegalArgumentException if the name is not allowed
         */
        Builder hop(String name, Dialer dialer);

        /** The dialer of {@link Route#DIRECT}; default a {@link DirectDialer} with its defaults. */
        Builder direct(Dialer dialer);

        /** The rules; by default all targets are dialed directly. */
        Builder rules(Rules rules);

        /**
         * How long a hop that failed is tried after the others; default 10 s, zero for no penalty.
         *
         * @throws IllegalArgumentException if it is negative
         */
        Builder penalty(Duration penalty);

        /**
         * The timeout of a dial whose request has none; default 10 s.
         *
         * @throws IllegalArgumentException if it is not positive
         */
        Builder timeout(Duration timeout);

        /**
         * The dialer.
         *
         * @throws IllegalArgumentException if a route names an unknown hop
         */
        RoutingDialer build();
    }
}
