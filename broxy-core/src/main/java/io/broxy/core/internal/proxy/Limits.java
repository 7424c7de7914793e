package io.broxy.core.internal.proxy;

import org.jspecify.annotations.Nullable;

/**
 * How much of everything there may be; 0 for no limit.
 *
 * @param rate of one connection, in bytes a second and direction
 * @param ratePerClient of all connections of a client together
 * <p>Threading: immutable.
 */
record Limits(
        int tunnels,
        int streamClients,
        int connectionsPerClient,
        int requestsPerConnection,
        long lifetimeNanos,
        long rate,
        long ratePerClient) {

    /** Whether a client that has sent so many requests may send another. */
    boolean mayFollow(int requests) {
        return requestsPerConnection == 0 || requests < requestsPerConnection;
    }

    /** What is kept for each client, or null if nothing needs to be. */
    @Nullable
    ClientShares shares() {
        return connectionsPerClient == 0 && ratePerClient == 0
                ? null
                : new ClientShares(connectionsPerClient, ratePerClient);
    }
}
