package io.broxy.core.internal.proxy;

import io.broxy.core.internal.proxy.Admission.Verdict;
import io.broxy.core.internal.time.TokenBucket;
import java.net.InetAddress;
import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * What each client may have: so many connections at once, and one rate for all of them. A client is known as long as it has a
 * connection.
 *
 * <p>Threading: thread-safe; the lock guards {@code shares} and the counts in them.
 */
final class ClientShares {
    /** Of one client, those that are only told that it has too many. */
    static final int MAX_TOLD = 8;

    private final int maxConnections;
    private final long rate;
    private final Object lock = new Object();
    private final Map<ClientNetwork, Share> shares = new HashMap<>();

    /**
     * Creates the shares.
     *
     * @param maxConnections 0 for no cap
     * @param rate in bytes a second and direction; 0 for none
     */
    ClientShares(int maxConnections, long rate) {
        this.maxConnections = maxConnections == 0 ? Integer.MAX_VALUE : maxConnections;
        this.rate = rate;
    }

    private static final class Share {
        final ClientNetwork client;
        final @Nullable TokenBucket toOrigin;
        final @Nullable TokenBucket toClient;
        int served;
        int told;

        Share(ClientNetwork client, long rate, long nowNanos) {
            this.client = client;
            this.toOrigin = rate == 0 ? null : new TokenBucket(rate, nowNanos);
            this.toClient = rate == 0 ? null : new TokenBucket(rate, nowNanos);
        }
    }

    /** A connection of a client. Threading: thread-safe. */
    final class Place {
        private final Share share;
        private final Verdict verdict;

        private Place(Share share, Verdict verdict) {
            this.share = share;
            this.verdict = verdict;
        }

        /** How it was let in. */
        Verdict verdict() {
            return verdict;
        }

        /** The client's rate towards origins, or null. */
        @Nullable
        TokenBucket toOrigin() {
            return share.toOrigin;
        }

        /** The rate towards the client, or null. */
        @Nullable
        TokenBucket toClient() {
            return share.toClient;
        }

        /** The connection has ended. */
        void leave() {
            synchronized (lock) {
                switch (verdict) {
                    case ADMITTED -> share.served--;
                    case FULL -> share.told--;
                    case OVERFULL -> {
                        return; // somebody else has forgotten the share, or will
                    }
                }
                if (share.served + share.told == 0) {
                    shares.remove(share.client);
                }
            }
        }
    }

    /** Lets one more connection of a client in, which {@linkplain Place#leave leaves} later. */
    Place enter(InetAddress address, long nowNanos) {
        ClientNetwork client = ClientNetwork.of(address);
        synchronized (lock) {
            Share share = shares.computeIfAbsent(client, key -> new Share(key, rate, nowNanos));
            if (share.served < maxConnections) {
                share.served++;
                return new Place(share, Verdict.ADMITTED);
            }
            if (share.told < MAX_TOLD) {
                share.told++;
                return new Place(share, Verdict.FULL);
            }
            return new Place(share, Verdict.OVERFULL);
        }
    }

    /** How many clients are known. */
    int clients() {
        synchronized (lock) {
            return shares.size();
        }
    }
}
