package io.broxy.core.internal.proxy;

import io.broxy.core.internal.loop.EventLoop;
import io.broxy.core.internal.loop.Throttle;
import io.broxy.core.internal.loop.Throttles;
import io.broxy.core.internal.time.SharedRates;
import io.broxy.core.internal.time.TokenBucket;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * The rates that limit a client's connection: that of the connection itself, of the client, and of the current request's user.
 *
 * <p>Threading: owned by the client's event loop, except {@link #end}, which is called last.
 */
final class ConnectionRates {
    private final EventLoop loop;
    private final long rate;
    private final ClientShares.@Nullable Place place;
    private final @Nullable SharedRates<String> users;
    private final @Nullable TokenBucket connectionToOrigin;
    private final @Nullable TokenBucket connectionToClient;

    private @Nullable String identity;
    private SharedRates<String>.@Nullable Share user;
    private @Nullable Throttles throttles;

    /**
     * Creates the rates of a connection that has no request yet.
     *
     * @param rate the rate of the connection; 0 for none
     * @param place the client's place, or null
     * @param users the rates of users; null for none
     */
    ConnectionRates(
            EventLoop loop, long rate, ClientShares.@Nullable Place place, @Nullable SharedRates<String> users) {
        this.loop = loop;
        this.rate = rate;
        this.place = place;
        this.users = users;
        this.connectionToOrigin = newBucket();
        this.connectionToClient = newBucket();
        this.throttles = combined();
    }

    private @Nullable TokenBucket newBucket() {
        return rate == 0 ? null : new TokenBucket(rate, loop.nowNanos());
    }

    /** The limits of the bytes relayed now, or null for none. */
    @Nullable
    Throttles throttles() {
        return throttles;
    }

    /** Charges the bytes relayed from now on to a user, or to none (null). Must not be called while bytes are relayed. */
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
        Throttle toOrigin = throttle(
                connectionToOrigin, place == null ? null : place.toOrigin(), user == null ? null : user.toOrigin());
        Throttle toClient = throttle(
                connectionToClient, place == null ? null : place.toClient(), user == null ? null : user.toClient());
        return toOrigin == null || toClient == null ? null : new Throttles(toOrigin, toClient);
    }

    private @Nullable Throttle throttle(
            @Nullable TokenBucket ofConnection, @Nullable TokenBucket ofClient, @Nullable TokenBucket ofUser) {
        return ofConnection == null && ofClient == null && ofUser == null
                ? null
                : new Throttle(loop, ofConnection, ofClient, ofUser);
    }

    /** Releases the rates after the last byte. */
    void end() {
        SharedRates<String>.Share left = user;
        user = null;
        if (left != null) {
            left.leave();
        }
    }
}
