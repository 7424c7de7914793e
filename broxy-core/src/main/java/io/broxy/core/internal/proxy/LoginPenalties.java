package io.broxy.core.internal.proxy;

import java.net.InetAddress;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * Slows down who guesses passwords. After some wrong credentials, further ones from the same address have their turn one
 * after another, over all its connections, with a growing distance; right ones end that. Nobody can guess his way through
 * with many connections at once, and nobody else waits but who shares the {@linkplain ClientNetwork address}.
 *
 * <p>Threading: thread-safe; the lock guards {@code entries} and what is in them.
 */
final class LoginPenalties {
    /** A person's mistakes, for which nobody waits. */
    static final int FREE_FAILURES = 5;

    private static final long FIRST_NANOS = TimeUnit.MILLISECONDS.toNanos(250);
    private static final long LONGEST_NANOS = TimeUnit.SECONDS.toNanos(8);

    /** Who would have to wait longer is told so instead: waiting costs a connection. */
    private static final long MAX_WAIT_NANOS = TimeUnit.SECONDS.toNanos(10);

    private static final long FORGET_NANOS = TimeUnit.MINUTES.toNanos(10);

    /** Beyond that the oldest are forgotten: an attacker with more networks than that is not slowed down by waiting. */
    private static final int MAX_ENTRIES = 8_192;

    private static final class Entry {
        private int failures;
        private long lastFailureNanos;
        private long nextTurnNanos;
    }

    private final Object lock = new Object();
    private final Map<ClientNetwork, Entry> entries = new LinkedHashMap<>(16, 0.75f, true) {
        private static final long serialVersionUID = 1L;

        @Override
        protected boolean removeEldestEntry(Map.Entry<ClientNetwork, Entry> eldest) {
            return size() > MAX_ENTRIES;
        }
    };

    /** How long a client has to wait before its credentials are looked at, and -1 if it is not worth waiting. */
    long waitNanos(@Nullable InetAddress client, long nowNanos) {
        if (client == null) {
            return 0;
        }
        synchronized (lock) {
            Entry entry = entries.get(ClientNetwork.of(client));
            if (entry == null || entry.failures < FREE_FAILURES) {
                return 0;
            }
            if (nowNanos - entry.lastFailureNanos > FORGET_NANOS) {
                entries.remove(ClientNetwork.of(client));
                return 0;
            }
            long turn = entry.nextTurnNanos - nowNanos > 0 ? entry.nextTurnNanos : nowNanos;
            if (turn - nowNanos > MAX_WAIT_NANOS) {
                return -1;
            }
            entry.nextTurnNanos = turn + distanceNanos(entry.failures);
            return turn - nowNanos;
        }
    }

    private static long distanceNanos(int failures) {
        int doublings = Math.min(failures - FREE_FAILURES, 16);
        return Math.min(FIRST_NANOS << doublings, LONGEST_NANOS);
    }

    /** A client's credentials were wrong. */
    void failed(@Nullable InetAddress client, long nowNanos) {
        if (client == null) {
            return;
        }
        synchronized (lock) {
            Entry entry = entries.computeIfAbsent(ClientNetwork.of(client), key -> new Entry());
            entry.failures++;
            entry.lastFailureNanos = nowNanos;
            if (entry.failures == FREE_FAILURES) {
                entry.nextTurnNanos = nowNanos + FIRST_NANOS;
            }
        }
    }

    /** A client's credentials were right. */
    void succeeded(@Nullable InetAddress client) {
        if (client != null) {
            synchronized (lock) {
                entries.remove(ClientNetwork.of(client));
            }
        }
    }
}
