package io.broxy.core.internal.proxy;

import io.broxy.core.internal.net.ClientNetwork;
import io.broxy.core.internal.proxy.CredentialMarks.Mark;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * The login failures of each network. Past the limits on networks and users, whole networks are evicted, oldest last failure
 * first, and those with a penalty only when no others remain. Clearing a penalty by eviction thus takes thousands of guesses
 * elsewhere, which costs an attacker more than it gains.
 *
 * <p>Threading: guarded by the throttle's lock.
 */
final class LoginFailures {
    static final int MAX_NETWORKS = 8_192;

    /** Each takes at most about 350 bytes; all together, 12 MB. */
    static final int MAX_USERS = 32_768;

    /** Networks without a penalty, oldest last failure first; {@code throttled} has those with one. */
    private final Map<ClientNetwork, NetworkFailures> unthrottled = new LinkedHashMap<>();

    private final Map<ClientNetwork, NetworkFailures> throttled = new LinkedHashMap<>();
    private int users;

    /** The unexpired failures of a network; {@link NetworkFailures#NONE} if there are none. */
    NetworkFailures at(ClientNetwork network, long nowNanos) {
        NetworkFailures known =
                unthrottled.getOrDefault(network, throttled.getOrDefault(network, NetworkFailures.NONE));
        if (known == NetworkFailures.NONE) {
            return known;
        }
        users -= known.users();
        boolean nothing = known.forget(nowNanos);
        users += known.users();
        if (nothing) {
            remove(network);
            return NetworkFailures.NONE;
        }
        return known;
    }

    /**
     * Records wrong credentials.
     *
     * @param guess false if they were recently valid and so have an outdated password
     */
    void failed(ClientNetwork network, Mark mark, boolean guess, long nowNanos) {
        NetworkFailures known = at(network, nowNanos);
        NetworkFailures failures = known == NetworkFailures.NONE ? new NetworkFailures() : known;
        remove(network); // so that it is reinserted last
        failures.failed(mark, guess, nowNanos);
        while (unthrottled.size() + throttled.size() >= MAX_NETWORKS || users + failures.users() > MAX_USERS) {
            remove((unthrottled.isEmpty() ? throttled : unthrottled)
                    .keySet()
                    .iterator()
                    .next());
        }
        put(network, failures);
    }

    /** Records valid credentials. */
    void succeeded(ClientNetwork network, Mark mark, long nowNanos) {
        NetworkFailures known = at(network, nowNanos);
        boolean throttled = known.throttlesAnything();
        known.succeeded(mark);
        if (at(network, nowNanos) == known && throttled && !known.throttlesAnything()) {
            remove(network);
            put(network, known);
        }
    }

    private void put(ClientNetwork network, NetworkFailures failures) {
        (failures.throttlesAnything() ? throttled : unthrottled).put(network, failures);
        users += failures.users();
    }

    private void remove(ClientNetwork network) {
        NetworkFailures removed = unthrottled.remove(network);
        if (removed == null) {
            removed = throttled.remove(network);
        }
        if (removed != null) {
            users -= removed.users();
        }
    }

    /** The number of networks with failures. */
    int networks() {
        return unthrottled.size() + throttled.size();
    }

    /** The number of users with failures. */
    int users() {
        return users;
    }
}
