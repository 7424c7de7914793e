package io.broxy.core.internal.proxy;

import io.broxy.core.internal.net.ClientNetwork;
import io.broxy.core.internal.proxy.CredentialMarks.Mark;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * Wrong credentials by network. Past the limits on networks and users, whole networks are forgotten: those without a penalty
 * first, in the order of their last failures, and those with a penalty only when no other is left. Clearing a penalty thus takes
 * thousands of guesses elsewhere, which cost more than they gain.
 *
 * <p>Threading: guarded by the throttle's lock.
 */
final class LoginFailures {
    static final int MOST_NETWORKS = 8_192;

    /** Each takes at most some 350 bytes, all of them 12 MB. */
    static final int MOST_USERS = 32_768;

    /** Networks without a penalty, and below those with one; the oldest last failure comes first. */
    private final Map<ClientNetwork, NetworkFailures> light = new LinkedHashMap<>();

    private final Map<ClientNetwork, NetworkFailures> heavy = new LinkedHashMap<>();
    private int users;

    /** The failures that still count for a network; {@link NetworkFailures#NONE} if there are none. */
    NetworkFailures at(ClientNetwork network, long nowNanos) {
        NetworkFailures known = light.getOrDefault(network, heavy.getOrDefault(network, NetworkFailures.NONE));
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
     * Credentials were wrong.
     *
     * @param guess false if they were right lately, and so are an outdated password
     */
    void failed(ClientNetwork network, Mark mark, boolean guess, long nowNanos) {
        NetworkFailures known = at(network, nowNanos);
        NetworkFailures failures = known == NetworkFailures.NONE ? new NetworkFailures() : known;
        remove(network); // so that it comes last
        failures.failed(mark, guess, nowNanos);
        while (light.size() + heavy.size() >= MOST_NETWORKS || users + failures.users() > MOST_USERS) {
            remove((light.isEmpty() ? heavy : light).keySet().iterator().next());
        }
        put(network, failures);
    }

    /** Credentials were right. */
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
        (failures.throttlesAnything() ? heavy : light).put(network, failures);
        users += failures.users();
    }

    private void remove(ClientNetwork network) {
        NetworkFailures removed = light.remove(network);
        if (removed == null) {
            removed = heavy.remove(network);
        }
        if (removed != null) {
            users -= removed.users();
        }
    }

    /** The number of networks with failures. */
    int networks() {
        return light.size() + heavy.size();
    }

    /** The number of users with failures. */
    int users() {
        return users;
    }
}
