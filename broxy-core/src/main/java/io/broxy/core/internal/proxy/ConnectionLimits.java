package io.broxy.core.internal.proxy;

import io.broxy.AddressPolicy;
import io.broxy.core.internal.time.SharedRates;
import io.broxy.core.internal.time.Ticker;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import org.jspecify.annotations.Nullable;

/**
 * How much of everything there may be; 0 for no limit.
 *
 * @param rate of one connection, in bytes a second and direction
 * @param ratePerClient of all connections of a client together
 * @param ratePerIdentity of all connections of an authenticated user together
 * @param trustedSenders whose connections begin with a header of the PROXY protocol; null for nobody's
 * <p>Threading: immutable.
 */
record ConnectionLimits(
        int tunnels,
        int streamClients,
        int connectionsPerClient,
        int requestsPerConnection,
        long lifetimeNanos,
        long rate,
        long ratePerClient,
        long ratePerIdentity,
        @Nullable AddressPolicy trustedSenders) {

    /** Whether a client that has sent so many requests may send another. */
    boolean mayFollow(int requests) {
        return requestsPerConnection == 0 || requests < requestsPerConnection;
    }

    /** Whether a connection from there begins with a header of the PROXY protocol. */
    boolean isTrustedSender(@Nullable SocketAddress remote) {
        return trustedSenders != null
                && remote instanceof InetSocketAddress internet
                && trustedSenders.admits(internet.getAddress());
    }

    /** What is kept for each client, or null if nothing needs to be. */
    @Nullable
    ClientShares shares(Ticker ticker) {
        return connectionsPerClient == 0 && ratePerClient == 0
                ? null
                : new ClientShares(connectionsPerClient, ratePerClient, ticker);
    }

    /** The rates of users by their identities, or null if they have none. */
    @Nullable
    SharedRates<String> userRates(Ticker ticker) {
        return ratePerIdentity == 0 ? null : new SharedRates<>(ratePerIdentity, ticker);
    }
}
