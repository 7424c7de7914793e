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

    /**
     * How a client was counted.
     *
     * @param verdict what is done with it
     * @param place among the connections of its address; null if it has none, or is not known yet
     * @param ofAll whether it counts among all
     * @param unnamed whether a trusted sender has yet to name its address, so that there is no place yet
     * <p>Threading: immutable.
     */
    record Admission(Verdict verdict, ClientShares.@Nullable Place place, boolean ofAll, boolean unnamed) {

        /** Why it is not served. */
        RefusedException refusal() {
            return (ofAll ? Rejection.FULL : Rejection.TOO_MANY_OF_CLIENT).exception();
        }

        /** Whether the PROXY header is read; a sender that is not served is the client itself. */
        boolean awaitsName() {
            return unnamed && verdict == Verdict.ADMITTED;
        }

        /** Which count of all it is in; {@link Verdict#OVERFULL} is none. */
        Verdict counted() {
            return ofAll ? verdict : Verdict.OVERFULL;
        }
    }

    /**
     * Counts a client, which {@linkplain #leave leaves} later.
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

    /** Takes a place among the connections of an address; null if these are not counted. */
    ClientShares.@Nullable Place place(@Nullable InetAddress client) {
        return shares == null || client == null ? null : shares.enter(client);
    }

    /** A client has ended. */
    void leave(Admission admission) {
        all.leave(admission.counted());
    }

    /** Counts a connection that needs threads, which {@linkplain #leaveThreads leaves} later. */
    Verdict enterThreads() {
        return threaded.enter();
    }

    /** A connection that needed threads has ended. */
    void leaveThreads(Verdict verdict) {
        threaded.leave(verdict);
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
