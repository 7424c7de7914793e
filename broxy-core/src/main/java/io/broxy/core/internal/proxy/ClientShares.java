package io.broxy.core.internal.proxy;

import io.broxy.core.internal.net.ClientNetwork;
import io.broxy.core.internal.proxy.CountLimit.Verdict;
import io.broxy.core.internal.time.SharedRates;
import io.broxy.core.internal.time.Ticker;
import io.broxy.core.internal.time.TokenBucket;
import java.net.InetAddress;
import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The share of each client: a maximum number of connections, and one rate for all of them. A share exists while its client has
 * a connection; its rate exists until the token buckets are full again.
 *
 * <p>Threading: thread-safe; the lock guards {@code shares} and the counts in them.
 */
final class ClientShares {
    /**
     * The maximum number of a client's connections that receive a refusal concurrently; further ones are closed without a
     * response.
     */
    static final int MAX_REFUSALS = 8;

    private final int maxConnections;
    private final @Nullable SharedRates<ClientNetwork> rates;
    private final Object lock = new Object();
    private final Map<ClientNetwork, Share> shares = new HashMap<>();

    /**
     * Creates the shares.
     *
     * @param maxConnections 0 for no cap
     * @param rate in bytes per second and direction; 0 for none
     */
    ClientShares(int maxConnections, long rate, Ticker ticker) {
        this.maxConnections = maxConnections == 0 ? Integer.MAX_VALUE : maxConnections;
        this.rates = rate == 0 ? null : new SharedRates<>(rate, ticker);
    }

    private static final class Share {
        final ClientNetwork client;
        int served;
        int refused;

        Share(ClientNetwork client) {
            this.client = client;
        }
    }

    /** A connection of a client. Threading: thread-safe. */
    final class Place {
        private final Share share;
        private final Verdict verdict;
        private final SharedRates<ClientNetwork>.@Nullable Share rate;

        private Place(Share share, Verdict verdict) {
            this.share = share;
            this.verdict = verdict;
            this.rate = rates == null || verdict != Verdict.ADMITTED ? null : rates.enter(share.client);
        }

        /** What to do with the connection. */
        Verdict verdict() {
            return verdict;
        }

        /** The client's rate towards origins, or null. */
        @Nullable
        TokenBucket toOrigin() {
            return rate == null ? null : rate.toOrigin();
        }

        /** The rate towards the client, or null. */
        @Nullable
        TokenBucket toClient() {
            return rate == null ? null : rate.toClient();
        }

        /** Called when the connection has ended. */
        void leave() {
            if (rate != null) {
                rate.leave();
            }
            synchronized (lock) {
                switch (verdict) {
                    case ADMITTED -> share.served--;
                    case FULL -> share.refused--;
                    case OVERFULL -> {
                        return; // the last counted connection removes the share
                    }
                }
                if (share.served + share.refused == 0) {
                    shares.remove(share.client);
                }
            }
        }
    }

    /** Counts a new connection of a client, which {@linkplain Place#leave leaves} later. */
    Place enter(InetAddress address) {
        ClientNetwork client = ClientNetwork.of(address);
        synchronized (lock) {
            Share share = shares.computeIfAbsent(client, Share::new);
            if (share.served < maxConnections) {
                share.served++;
                return new Place(share, Verdict.ADMITTED);
            }
            if (share.refused < MAX_REFUSALS) {
                share.refused++;
                return new Place(share, Verdict.FULL);
            }
            return new Place(share, Verdict.OVERFULL);
        }
    }

    /** The number of clients that have a share. */
    int clients() {
        synchronized (lock) {
            return shares.size();
        }
    }
}
