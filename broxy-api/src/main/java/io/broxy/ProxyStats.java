package io.broxy;

/**
 * A snapshot of a handler's counters. Each figure is exact by itself; figures of one snapshot may be a few events apart
 * while connections open and close. Broxy implements it, and may add methods.
 *
 * <p>Threading: immutable.
 */
public interface ProxyStats {

    /** Client connections being served now, from hand-over to close. */
    long openConnections();

    /** Client connections handed over since the start. */
    long totalConnections();

    /** Tunnels being established or relaying now. */
    long openTunnels();

    /** Tunnels that were established since the start, running ones included. */
    long establishedTunnels();

    /** Requests being forwarded, or answered by a {@link LocalRequestHandler}, now. */
    long openExchanges();

    /** Such requests that have ended since the start, including those without a response. */
    long totalExchanges();

    /** Requests refused before a connection was dialed. */
    long refused();

    /** Requests refused for one reason. */
    long refused(RefusedException.Reason reason);

    /** TLS handshakes of clients under way now. */
    long openTlsHandshakes();

    /** TLS handshakes of clients that ended in one of the possible ways. */
    long tlsHandshakes(TlsOutcome outcome);

    /** Requests whose target could not be dialed. */
    long dialFailures();

    /** Requests whose target could not be dialed for one reason. */
    long dialFailures(DialException.Reason reason);

    /**
     * Bytes passed to origins by tunnels, running ones included, and by exchanges that have ended, heads of forwarded
     * requests included. It never decreases.
     */
    long bytesToOrigin();

    /**
     * Bytes passed to clients by tunnels, running ones included, and by exchanges that have ended, heads of forwarded
     * responses included. It never decreases.
     */
    long bytesToClient();

    /**
     * Events dropped for the {@link ProxyListener}, and lines dropped from the access log, because too many were
     * waiting.
     */
    long droppedEvents();

    /**
     * How long dials took that opened a connection, for tunnels and for forwarded requests: from their start until the connection was
     * open, with the handshakes with proxies and with the hops that failed before. For a forwarded request, it includes the wait for a
     * place in the pool. Failed dials are counted by {@link #dialFailures()} only.
     */
    DurationHistogram dialTimes();

    /** The durations of tunnels that were established and have ended, as {@link TunnelResult#duration()} gives them. */
    DurationHistogram tunnelDurations();

    /**
     * How long the final responses to forwarded requests took: from the end of the request's head to the end of the response's head,
     * authentication, dials and repetitions included. Requests without a response from their origin or the next proxy, and those that
     * the proxy itself answers, do not count.
     */
    DurationHistogram responseTimes();

    /** The pool of connections for forwarded requests: the handler's own, or the one passed to its builder. */
    PoolStats pool();

    /** The name lookups of the handler's engine, including those of its other handlers and dialers. */
    LookUpStats lookUps();
}
