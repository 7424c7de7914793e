package io.broxy.core.internal.proxy;

import io.broxy.core.internal.proxy.CredentialMarks.Mark;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The wrong credentials of all networks. Beyond a number of networks or of users whole networks are forgotten: first those
 * where nothing has to wait, and among them the one that has not failed for longest; only without any of these one where
 * something has to wait. So a penalty is not cleared but by thousands of guesses elsewhere, which gain less than they cost.
 *
 * <p>Threading: guarded by the throttle's lock.
 */
final class LoginFailures {
    static final int MOST_NETWORKS = 8_192;

    /** Some 350 bytes each at most, 12 MB together. */
    static final int MOST_USERS = 32_768;

    /** Where nothing has to wait, and where something has; those that failed longest ago first. */
    private final Map<ClientNetwork, NetworkFailures> light = new LinkedHashMap<>();

    private final Map<ClientNetwork, NetworkFailures> heavy = new LinkedHashMap<>();
    private int users;

    /** What is known of a network now; {@link NetworkFailures#NONE} if there is nothing. */
    NetworkFailures at(ClientNetwork network, long nowNanos) {
        NetworkFailures known = of(network, nowNanos);
        return known == null ? NetworkFailures.NONE : known;
    }

    /** As {@link #at}; null if there is nothing. */
    @Nullable
    NetworkFailures of(ClientNetwork network, long nowNanos) {
        NetworkFailures known = find(network);
        if (known == null) {
            return null;
        }
        users -= known.users();
        boolean nothing = known.forget(nowNanos);
        users += known.users();
        if (nothing) {
            remove(network);
            return null;
        }
        return known;
    }

    private @Nullable NetworkFailures find(ClientNetwork network) {
        NetworkFailures known = light.get(network);
        return known == null ? heavy.get(network) : known;
    }

    /**
     * Credentials were wrong.
     *
     * @param guess false for those that were right lately, which are an outdated password
     */
    void failed(ClientNetwork network, Mark mark, boolean guess, long nowNanos) {
        NetworkFailures known = of(network, nowNanos);
        NetworkFailures failures = known == null ? new NetworkFailures() : known;
        remove(network); // so that it comes last
        failures.failed(mark, guess, nowNanos);
        while (light.size() + heavy.size() >= MOST_NETWORKS || users + failures.users() > MOST_USERS) {
            remove((light.isEmpty() ? heavy : light).keySet().iterator().next());
        }
        put(network, failures);
    }

    /** Credentials were right. */
    void succeeded(ClientNetwork network, Mark mark, long nowNanos) {
        NetworkFailures known = of(network, nowNanos);
        if (known == null) {
            return;
        }
        boolean throttled = known.throttlesAnything();
        users -= known.users();
        known.succeeded(mark);
        boolean nothing = known.forget(nowNanos);
        users += known.users();
        if (nothing) {
            remove(network);
        } else if (throttled && !known.throttlesAnything()) {
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

    /** How many networks something is kept of. */
    int networks() {
        return light.size() + heavy.size();
    }

    /** How many users something is kept of. */
    int users() {
        return users;
    }
}
