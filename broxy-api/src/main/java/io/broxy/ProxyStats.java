package io.broxy;

/**
 * A snapshot of a handler's counters. Implemented by Broxy only. Each figure is exact by itself; figures of one
 * snapshot may be a few events apart while connections come and go.
 *
 * <p>Threading: immutable.
 */
public interface ProxyStats {

    /** Client connections being served now, from hand-over to close. */
    long openConnections();

    /** Client connections handed over since the start. */
    long totalConnections();

    /** Tunnels being made or relaying now. */
    long openTunnels();

    /** Tunnels that were established since the start, running ones included. */
    long establishedTunnels();

    /** Requests being forwarded, or answered by an {@link LocalRequestHandler}, now. */
    long openExchanges();

    /** Such requests since the start, those without a response included and running ones not. */
    long totalExchanges();

    /** Requests refused before anything was dialled. */
    long refused();

    /** Requests refused for one reason. */
    long refused(RefusedException.Reason reason);

    /** Requests whose target could not be dialled. */
    long dialFailures();

    /** Requests whose target could not be dialled for one reason. */
    long dialFailures(DialException.Reason reason);

    /**
     * Bytes passed to origins by tunnels, running ones included, and by exchanges that have ended, heads of forwarded requests
     * included. It never becomes less.
     */
    long bytesToOrigin();

    /**
     * Bytes passed to clients by tunnels, running ones included, and by exchanges that have ended, heads of forwarded responses
     * included. It never becomes less.
     */
    long bytesToClient();

    /** Events that the {@link ProxyListener} was not told, and lines that the access log lacks, because too many were waiting. */
    long droppedEvents();

    /** The pool of connections for forwarded requests: the handler's own, or the one that it was built with. */
    PoolStats pool();

    /** The name look-ups of the handler's engine, those of its other handlers and dialers included. */
    LookUpStats lookUps();
}
