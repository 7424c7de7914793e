package io.broxy.core.internal.proxy;

import io.broxy.core.internal.net.ClientNetwork;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/**
 * Credentials that were right lately, by network. They are checked like any others, but do not wait behind wrong ones. Past a
 * limit those with the oldest success are forgotten, and their users may have to wait.
 *
 * <p>Threading: guarded by the throttle's lock.
 */
final class ProvenCredentials {
    static final long KEPT_NANOS = TimeUnit.MINUTES.toNanos(10);

    /** Some 2 MB. */
    static final int MOST = 16_384;

    private record Key(ClientNetwork network, long credentials) {}

    /** The time of each one's last success, the oldest first. */
    private final Map<Key, Long> successes = new LinkedHashMap<>();

    /** Credentials were right just now. */
    void add(ClientNetwork network, long credentials, long nowNanos) {
        Key key = new Key(network, credentials);
        successes.remove(key); // so that it comes last
        successes.put(key, nowNanos);
        if (successes.size() > MOST) {
            successes.remove(successes.keySet().iterator().next());
        }
    }

    /** Credentials are no longer right; true if they were lately. */
    boolean remove(ClientNetwork network, long credentials) {
        return successes.remove(new Key(network, credentials)) != null;
    }

    /** Whether credentials were right lately. */
    boolean contain(ClientNetwork network, long credentials, long nowNanos) {
        Key key = new Key(network, credentials);
        Long success = successes.get(key);
        if (success == null) {
            return false;
        }
        if (nowNanos - success > KEPT_NANOS) {
            successes.remove(key);
            return false;
        }
        return true;
    }
}
