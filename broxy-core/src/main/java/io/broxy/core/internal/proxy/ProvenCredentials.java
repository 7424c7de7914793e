package io.broxy.core.internal.proxy;

import io.broxy.core.internal.net.ClientNetwork;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/**
 * The recently valid credentials of each network. They are checked like any others, but do not wait behind wrong ones. Past a
 * limit, those with the oldest success are evicted, after which their users may have to wait.
 *
 * <p>Threading: guarded by the throttle's lock.
 */
final class ProvenCredentials {
    static final long KEPT_NANOS = TimeUnit.MINUTES.toNanos(10);

    /** All entries take about 2 MB. */
    static final int MAX_ENTRIES = 16_384;

    private record Key(ClientNetwork network, long credentials) {}

    /** The time of the last success, oldest first. */
    private final Map<Key, Long> successes = new LinkedHashMap<>();

    /** Records that credentials were valid. */
    void add(ClientNetwork network, long credentials, long nowNanos) {
        Key key = new Key(network, credentials);
        successes.remove(key); // so that it is reinserted last
        successes.put(key, nowNanos);
        if (successes.size() > MAX_ENTRIES) {
            successes.remove(successes.keySet().iterator().next());
        }
    }

    /** Removes credentials that are no longer valid; true if they were recently valid. */
    boolean remove(ClientNetwork network, long credentials) {
        return successes.remove(new Key(network, credentials)) != null;
    }

    /** Whether credentials were recently valid. */
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
