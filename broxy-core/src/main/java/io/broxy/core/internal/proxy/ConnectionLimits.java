package io.broxy.core.internal.proxy;

import io.broxy.RefusedException;
import io.broxy.core.internal.http.Rejection;
import io.broxy.core.internal.proxy.CountLimit.Verdict;
import io.broxy.core.internal.time.SharedRates;
import io.broxy.core.internal.time.Ticker;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import org.jspecify.annotations.Nullable;

/**
 * Counts the connections of a handler. Each takes a place among the connections of its own address, and then one among all, so
 * that a client with too many of them takes no place from the others.
 *
 * <p>Threading: thread-safe.
 */
final class ConnectionLimits {
    private final HandlerSettings settings;
    private final CountLimit all;
    private final CountLimit threaded;
    private final @Nullable ClientShares shares;
    private final @Nullable SharedRates<String> userRates;

    ConnectionLimits(HandlerSettings settings, Ticker ticker) {
        HandlerSettings.Limits limits = settings.limits();
        this.settings = settings;
        this.all = new CountLimit(limits.connections());
        this.threaded = new CountLimit(limits.threaded());
        this.shares = limits.connectionsPerClient() == 0 && limits.ratePerClient() == 0
                ? null
                : new ClientShares(limits.connectionsPerClient(), limits.ratePerClient(), ticker);
        this.userRates = limits.ratePerIdentity() == 0 ? null : new SharedRates<>(limits.ratePerIdentity(), ticker);
    }

    /** The places that a client takes among those that are counted. Threading: for one thread at a time. */
    final class Admission {
        private final Verdict verdict;
        private final boolean ofAll;
        private final boolean unnamed;
        private ClientShares.@Nullable Place place;
        private @Nullable Verdict threads;

        private Admission(Verdict verdict, ClientShares.@Nullable Place place, boolean ofAll, boolean unnamed) {
            this.verdict = verdict;
            this.place = place;
            this.ofAll = ofAll;
            this.unnamed = unnamed;
        }

        /** What is done with the client. */
        Verdict verdict() {
            return verdict;
        }

        /** Why it is not served. */
        RefusedException refusal() {
            return (ofAll ? Rejection.FULL : Rejection.TOO_MANY_OF_CLIENT).exception();
        }

        /** Whether a trusted sender has yet to name its address, so that it has no place among those of its address. */
        boolean unnamed() {
            return unnamed;
        }

        /** Whether the PROXY header is read; a sender that is not served is the client itself. */
        boolean awaitsName() {
            return unnamed && verdict == Verdict.ADMITTED;
        }

        /** The place among the connections of its address; null if it has none, or is not known yet. */
        ClientShares.@Nullable Place place() {
            return place;
        }

        /** Takes a place among the connections of an announced address; null if these are not counted. */
        ClientShares.@Nullable Place takePlace(@Nullable InetAddress announced) {
            place = ConnectionLimits.this.place(announced);
            return place;
        }

        /** Counts the connection among those that need threads. */
        Verdict enterThreads() {
            Verdict entered = threaded.enter();
            threads = entered;
            return entered;
        }

        /** Whether the connection may have threads, which the origin's connection makes necessary. */
        boolean mayHaveThreads() {
            return threads != null
                    || enterThreads() == Verdict.ADMITTED; // the client may have made some necessary before
        }

        /** The client has ended, and gives its places back. */
        void leave() {
            if (place != null) {
                place.leave();
            }
            if (threads != null) {
                threaded.leave(threads);
            }
            all.leave(ofAll ? verdict : Verdict.OVERFULL); // which is no count
        }
    }

    /**
     * Counts a client, which {@linkplain Admission#leave leaves} later.
     *
     * @param read whether the host server has read what the client has sent first
     */
    Admission enter(@Nullable SocketAddress remote, boolean read) {
        boolean unnamed = !read && settings.access().isTrustedSender(remote);
        ClientShares.Place place =
                !unnamed && remote instanceof InetSocketAddress internet ? place(internet.getAddress()) : null;
        return place == null || place.verdict() == Verdict.ADMITTED
                ? new Admission(all.enter(), place, true, unnamed)
                : new Admission(place.verdict(), place, false, false);
    }

    private ClientShares.@Nullable Place place(@Nullable InetAddress client) {
        return shares == null || client == null ? null : shares.enter(client);
    }

    /** The rates of a client on its loop, or null if none is limited. */
    @Nullable
    ConnectionRates rates(ClientConnection connection, ClientShares.@Nullable Place place) {
        HandlerSettings.Limits limits = settings.limits();
        return limits.rate() == 0 && limits.ratePerClient() == 0 && userRates == null
                ? null
                : new ConnectionRates(connection.loop(), limits.rate(), place, userRates);
    }
}
