package io.broxy.core.internal.proxy;

import io.broxy.core.internal.loop.EventLoop;
import io.broxy.core.internal.loop.Throttle;
import io.broxy.core.internal.loop.Throttles;
import io.broxy.core.internal.time.SharedRates;
import io.broxy.core.internal.time.TokenBucket;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * The rates that count for a client's connection: its own, that of its client, and that of the current request's user.
 *
 * <p>Threading: owned by the client's event loop, but for {@link #end}, which comes last.
 */
final class ConnectionRates {
    private final EventLoop loop;
    private final long rate;
    private final ClientShares.@Nullable Place place;
    private final @Nullable SharedRates<String> users;
    private final @Nullable TokenBucket ownToOrigin;
    private final @Nullable TokenBucket ownToClient;

    private @Nullable String identity;
    private SharedRates<String>.@Nullable Share user;
    private @Nullable Throttles throttles;

    /**
     * Creates the rates of a connection that has no request yet.
     *
     * @param rate of the connection; 0 for none
     * @param place the client's, or null
     * @param users null if they have no rates
     */
    ConnectionRates(
            EventLoop loop, long rate, ClientShares.@Nullable Place place, @Nullable SharedRates<String> users) {
        this.loop = loop;
        this.rate = rate;
        this.place = place;
        this.users = users;
        this.ownToOrigin = own();
        this.ownToClient = own();
        this.throttles = combined();
    }

    private @Nullable TokenBucket own() {
        return rate == 0 ? null : new TokenBucket(rate, loop.nowNanos());
    }

    /** The limits of what is relayed now, or null for none. */
    @Nullable
    Throttles throttles() {
        return throttles;
    }

    /** What is relayed from now on counts for this user, or for none (null). Nothing is relayed at the moment. */
    void identified(@Nullable String newIdentity) {
        if (users == null || Objects.equals(newIdentity, identity)) {
            return;
        }
        end();
        identity = newIdentity;
        user = newIdentity == null ? null : users.enter(newIdentity);
        throttles = combined();
    }

    private @Nullable Throttles combined() {
        Throttle toOrigin =
                throttle(ownToOrigin, place == null ? null : place.toOrigin(), user == null ? null : user.toOrigin());
        Throttle toClient =
                throttle(ownToClient, place == null ? null : place.toClient(), user == null ? null : user.toClient());
        return toOrigin == null || toClient == null ? null : new Throttles(toOrigin, toClient);
    }

    private @Nullable Throttle throttle(
            @Nullable TokenBucket own, @Nullable TokenBucket ofClient, @Nullable TokenBucket ofUser) {
        return own == null && ofClient == null && ofUser == null ? null : new Throttle(loop, own, ofClient, ofUser);
    }

    /** Nothing is relayed any more. */
    void end() {
        SharedRates<String>.Share left = user;
        user = null;
        if (left != null) {
            left.leave();
        }
    }
}
