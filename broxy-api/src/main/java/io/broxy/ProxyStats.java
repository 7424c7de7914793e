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

    /** Requests refused before anything was dialled. */
    long refused();

    /** Requests whose target could not be dialled. */
    long dialFailures();

    /** Bytes passed to origins by tunnels that have ended. */
    long bytesToOrigin();

    /** Bytes passed to clients by tunnels that have ended. */
    long bytesToClient();
}
