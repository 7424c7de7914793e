package io.broxy.core.internal.proxy;

import io.broxy.CloseReason;
import io.broxy.RefusedException;
import io.broxy.core.internal.http.Rejection;
import io.broxy.core.internal.loop.EventLoop;
import io.broxy.core.internal.proxy.CountLimit.Verdict;
import io.broxy.core.internal.time.SharedRates;
import io.broxy.core.internal.time.Ticker;
import io.broxy.core.internal.time.TimerQueue;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Lets clients in: each takes a place among the connections of its own address, and then one among all. Who has too many by
 * himself so takes none from the others.
 *
 * <p>Threading: thread-safe; {@link #take} is for the client's event loop.
 */
final class Arrivals {
    private final ConnectionLimits limits;
    private final CountLimit all;
    private final @Nullable ClientShares shares;
    private final @Nullable SharedRates<String> userRates;
    private final RareWarning headerWarning;

    Arrivals(ConnectionLimits limits, Ticker ticker) {
        this.limits = limits;
        this.all = new CountLimit(limits.tunnels());
        this.shares = limits.shares(ticker);
        this.userRates = limits.userRates(ticker);
        this.headerWarning = new RareWarning(ticker);
    }

    /**
     * How a client was let in.
     *
     * @param verdict what is done with it
     * @param place among the connections of its address; null if it has none, or is not known yet
     * @param ofAll whether it counts among all
     * @param unnamed whether a trusted sender has yet to name its address, so that there is no place yet
     * <p>Threading: immutable.
     */
    record Arrival(Verdict verdict, ClientShares.@Nullable Place place, boolean ofAll, boolean unnamed) {

        /** Why it is not served. */
        RefusedException refusal() {
            return ofAll ? Rejection.FULL.exception() : Rejection.TOO_MANY_OF_CLIENT.exception();
        }

        /** Whether its sender is asked for its address; one that is not served is the sender itself. */
        boolean awaitsName() {
            return unnamed && verdict == Verdict.ADMITTED;
        }

        /** Which count of all it is in; {@link Verdict#OVERFULL} is none. */
        Verdict counted() {
            return ofAll ? verdict : Verdict.OVERFULL;
        }
    }

    /**
     * Lets a client in; it {@linkplain #leave leaves} later.
     *
     * @param read whether the host server has read what the client has sent first
     */
    Arrival come(@Nullable SocketAddress remote, boolean read) {
        boolean unnamed = !read && limits.isTrustedSender(remote);
        ClientShares.Place place =
                !unnamed && remote instanceof InetSocketAddress internet ? place(internet.getAddress()) : null;
        return place == null || place.verdict() == Verdict.ADMITTED
                ? new Arrival(all.enter(), place, true, unnamed)
                : new Arrival(place.verdict(), place, false, false);
    }

    private ClientShares.@Nullable Place place(@Nullable InetAddress client) {
        return shares == null || client == null ? null : shares.enter(client);
    }

    /** A client that was counted so has ended. */
    void leave(Verdict counted) {
        all.leave(counted);
    }

    /** Begins the session of a client that was admitted and is on its loop. */
    void take(ClientConnection served, Arrival arrival, Consumer<ClientConnection> session) {
        if (arrival.unnamed()) {
            ProxyHeaderReader.start(served, headerWarning, client -> {
                client.visit();
                takeNamed(client, session);
            });
        } else {
            begin(served, arrival.place(), session);
        }
    }

    private void takeNamed(ClientConnection served, Consumer<ClientConnection> session) {
        ClientShares.Place place = place(served.clientAddress());
        if (place == null) {
            begin(served, null, session);
            return;
        }
        served.tunnel().alsoAtEnd(place::leave);
        switch (place.verdict()) {
            case ADMITTED -> begin(served, place, session);
            case FULL -> ClientSession.turnAway(served, Rejection.TOO_MANY_OF_CLIENT.exception());
            case OVERFULL -> {
                served.client().abort();
                served.over(CloseReason.REFUSED, Rejection.TOO_MANY_OF_CLIENT.exception());
            }
        }
    }

    private void begin(
            ClientConnection served, ClientShares.@Nullable Place place, Consumer<ClientConnection> session) {
        served.tunnel().client(served.source() == null ? served.client().peer() : served.source());
        limitLifetime(served);
        served.handler().comes(served);
        session.accept(served.limited(rates(served, place)));
    }

    private @Nullable ConnectionRates rates(ClientConnection served, ClientShares.@Nullable Place place) {
        return limits.rate() == 0 && limits.ratePerClient() == 0 && userRates == null
                ? null
                : ConnectionRates.of(served.loop(), served.tunnel(), limits.rate(), place, userRates);
    }

    private void limitLifetime(ClientConnection served) {
        if (limits.lifetimeNanos() == 0) {
            return;
        }
        EventLoop loop = served.loop();
        TimerQueue.Timer timer = loop.timers()
                .schedule(
                        served.tunnel().startNanos() + limits.lifetimeNanos(),
                        () -> served.tunnel().end(loop.isStopping() ? CloseReason.CLOSED : CloseReason.EXPIRED));
        served.tunnel().alsoAtEnd(() -> served.onLoop(() -> loop.timers().cancel(timer)));
    }
}
