package io.broxy.core.internal.proxy;

import io.broxy.core.internal.loop.EventLoop;
import io.broxy.core.internal.loop.Throttle;
import io.broxy.core.internal.loop.Throttles;
import io.broxy.core.internal.relay.TunnelHandle;
import io.broxy.core.internal.time.SharedRates;
import io.broxy.core.internal.time.TokenBucket;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * The rates that count for a client's connection: its own, that of its client, and that of the user who asks, which may be
 * another with each request.
 *
 * <p>Threading: owned by the client's event loop, but for {@link #end}, which comes last.
 */
final class ConnectionRates {
    private final EventLoop loop;
    private final TunnelHandle tunnel;
    private final long rate;
    private final ClientShares.@Nullable Place place;
    private final @Nullable SharedRates<String> users;
    private final @Nullable TokenBucket ownToOrigin;
    private final @Nullable TokenBucket ownToClient;

    private @Nullable String identity;
    private SharedRates<String>.@Nullable Share user;

    private ConnectionRates(
            EventLoop loop,
            TunnelHandle tunnel,
            long rate,
            ClientShares.@Nullable Place place,
            @Nullable SharedRates<String> users) {
        this.loop = loop;
        this.tunnel = tunnel;
        this.rate = rate;
        this.place = place;
        this.users = users;
        this.ownToOrigin = own();
        this.ownToClient = own();
    }

    private @Nullable TokenBucket own() {
        return rate == 0 ? null : new TokenBucket(rate, loop.nowNanos());
    }

    /**
     * Limits what goes over a connection, whose request is yet to come.
     *
     * @param rate of the connection; 0 for none
     * @param place the client's, or null
     * @param users null if they have no rates
     */
    static ConnectionRates of(
            EventLoop loop,
            TunnelHandle tunnel,
            long rate,
            ClientShares.@Nullable Place place,
            @Nullable SharedRates<String> users) {
        ConnectionRates rates = new ConnectionRates(loop, tunnel, rate, place, users);
        rates.apply();
        if (users != null) {
            tunnel.alsoAtEnd(rates::end);
        }
        return rates;
    }

    /** What goes over from now on is asked for by this user, or by nobody in particular. Nothing goes over at the moment. */
    void identified(@Nullable String who) {
        if (users == null || Objects.equals(who, identity)) {
            return;
        }
        end();
        identity = who;
        user = who == null ? null : users.enter(who);
        apply();
    }

    private void apply() {
        Throttle toOrigin =
                throttle(ownToOrigin, place == null ? null : place.toOrigin(), user == null ? null : user.toOrigin());
        Throttle toClient =
                throttle(ownToClient, place == null ? null : place.toClient(), user == null ? null : user.toClient());
        tunnel.throttles(toOrigin == null || toClient == null ? null : new Throttles(toOrigin, toClient));
    }

    private @Nullable Throttle throttle(
            @Nullable TokenBucket own, @Nullable TokenBucket ofClient, @Nullable TokenBucket ofUser) {
        return own == null && ofClient == null && ofUser == null ? null : new Throttle(loop, own, ofClient, ofUser);
    }

    /** Nothing goes over any more. */
    private void end() {
        SharedRates<String>.Share left = user;
        user = null;
        if (left != null) {
            left.leave();
        }
    }
}
