package io.broxy.core.internal.proxy;

import java.net.InetAddress;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Slows down who guesses passwords. After some wrong credentials, further ones from the same address have their turn one
 * after another, over all its connections, with a growing distance; right ones end that. Nobody can guess his way through
 * with many connections at once, and nobody else waits but who shares the {@linkplain ClientNetwork address}.
 *
 * <p>Until it is known whether they are right, credentials count as if they were wrong: only as many different ones are
 * looked at together as may be wrong without a penalty, and more of them wait until some are decided. The same credentials many
 * times are one guess, so that a client with right ones does not wait, however many connections it opens at once. Where
 * the credentials of one address differ (by many users, or from request to request), they are decided that many at a time.
 *
 * <p>Threading: thread-safe; the lock guards {@code entries}, {@code undecided}, and what is in them, attempts included.
 */
final class LoginPenalties {
    /** A person's mistakes, for which nobody waits. */
    static final int FREE_FAILURES = 5;

    /** {@link Attempt#waitNanos} of who is not worth waiting for. */
    static final long REFUSED = -1;

    /** {@link Attempt#waitNanos} of who is told when others are decided. */
    static final long PARKED = Long.MAX_VALUE;

    private static final long FIRST_NANOS = TimeUnit.MILLISECONDS.toNanos(250);
    private static final long LONGEST_NANOS = TimeUnit.SECONDS.toNanos(8);

    /** Who would have to wait longer is told so instead: waiting costs a connection. */
    private static final long MAX_WAIT_NANOS = TimeUnit.SECONDS.toNanos(10);

    private static final long FORGET_NANOS = TimeUnit.MINUTES.toNanos(10);

    /** Beyond that the oldest are forgotten: an attacker with more networks than that is not slowed down by waiting. */
    private static final int MAX_ENTRIES = 8_192;

    /** What a client has got wrong. */
    private static final class Entry {
        private int failures;
        private long lastFailureNanos;
        private long nextTurnNanos;
    }

    /** What a client shows that has no penalty to wait for, by the credentials, in the order in which they came. */
    private static final class Guesses {
        private final Map<String, Guess> all = new LinkedHashMap<>(4);
        private int asked;
    }

    /** The attempts with the same credentials. */
    private static final class Guess {
        private int asked;
        private final Set<Attempt> parked = new LinkedHashSet<>(1);
    }

    private final Object lock = new Object();
    private final Map<ClientNetwork, Entry> entries = new LinkedHashMap<>(16, 0.75f, true) {
        private static final long serialVersionUID = 1L;

        @Override
        protected boolean removeEldestEntry(Map.Entry<ClientNetwork, Entry> eldest) {
            return size() > MAX_ENTRIES;
        }
    };

    /** As many as there are connections with such attempts at most. */
    private final Map<ClientNetwork, Guesses> undecided = new HashMap<>();

    /**
     * Credentials that a client shows, which are to be looked at. It ends in {@link #succeeded}, {@link #failed} or {@link
     * #cancel}; the first of them counts.
     *
     * <p>Threading: thread-safe.
     */
    final class Attempt {
        private final @Nullable ClientNetwork client;
        private final String credentials;
        private final Runnable wake;
        /** What it is one of; null if it is none that is looked at without a penalty, or waits for that. */
        private @Nullable Guess guess;

        private boolean over;

        private Attempt(@Nullable ClientNetwork client, String credentials, Runnable wake) {
            this.client = client;
            this.credentials = credentials;
            this.wake = wake;
        }

        /**
         * How long to wait before the credentials are looked at: {@link #REFUSED} if it is not worth waiting, {@link #PARKED}
         * to ask again when woken.
         */
        long waitNanos(long nowNanos) {
            synchronized (lock) {
                if (client == null || over) {
                    return 0;
                }
                if (guess != null) { // it was parked, and may have been let in since then
                    return guess.parked.contains(this) ? PARKED : 0;
                }
                Entry entry = entry(client, nowNanos);
                return entry == null || entry.failures < FREE_FAILURES
                        ? tryFree(client, entry == null ? 0 : entry.failures)
                        : turn(entry, nowNanos);
            }
        }

        private long tryFree(ClientNetwork network, int failures) {
            Guesses guesses = undecided.computeIfAbsent(network, key -> new Guesses());
            Guess same = guesses.all.computeIfAbsent(credentials, key -> new Guess());
            guess = same;
            if (same.asked == 0) {
                if (failures + guesses.asked >= FREE_FAILURES) {
                    same.parked.add(this);
                    return PARKED;
                }
                guesses.asked++;
            }
            same.asked++;
            return 0;
        }

        /** The client's credentials were wrong. */
        void failed(long nowNanos) {
            end(network -> {
                Entry entry = entries.computeIfAbsent(network, key -> new Entry());
                entry.failures++;
                entry.lastFailureNanos = nowNanos;
                if (entry.failures == FREE_FAILURES) {
                    entry.nextTurnNanos = nowNanos + FIRST_NANOS;
                }
            });
        }

        /** The client's credentials were right. */
        void succeeded() {
            end(entries::remove);
        }

        /** Nobody knows, or wants to know, whether they are right. */
        void cancel() {
            end(network -> {});
        }

        private void end(Consumer<ClientNetwork> counted) {
            List<Runnable> woken = new ArrayList<>(0);
            synchronized (lock) {
                if (client == null || over) {
                    return;
                }
                over = true;
                counted.accept(client);
                leave(client, woken);
            }
            woken.forEach(Runnable::run);
        }

        private void leave(ClientNetwork network, List<Runnable> woken) {
            Guesses guesses = undecided.get(network);
            Guess left = guess;
            if (left == null || guesses == null) {
                return;
            }
            if (!left.parked.remove(this) && --left.asked == 0) {
                guesses.asked--;
            }
            if (left.asked == 0 && left.parked.isEmpty()) {
                guesses.all.remove(credentials, left);
            }
            wake(network, guesses, woken);
            if (guesses.all.isEmpty()) {
                undecided.remove(network);
            }
        }
    }

    /**
     * Begins an attempt.
     *
     * @param client null if it has no address, and so no penalty
     * @param wake run under no lock, on any thread, when a parked attempt is to ask again
     */
    Attempt attempt(@Nullable InetAddress client, String credentials, Runnable wake) {
        return new Attempt(client == null ? null : ClientNetwork.of(client), credentials, wake);
    }

    private @Nullable Entry entry(ClientNetwork client, long nowNanos) {
        Entry entry = entries.get(client);
        if (entry != null && nowNanos - entry.lastFailureNanos > FORGET_NANOS) {
            entries.remove(client);
            return null;
        }
        return entry;
    }

    private static long turn(Entry entry, long nowNanos) {
        long turn = entry.nextTurnNanos - nowNanos > 0 ? entry.nextTurnNanos : nowNanos;
        if (turn - nowNanos > MAX_WAIT_NANOS) {
            return REFUSED;
        }
        entry.nextTurnNanos = turn + distanceNanos(entry.failures);
        return turn - nowNanos;
    }

    private static long distanceNanos(int failures) {
        int doublings = Math.min(failures - FREE_FAILURES, 16);
        return Math.min(FIRST_NANOS << doublings, LONGEST_NANOS);
    }

    /** Lets in those for whom there is room now; if there will be none, for wrong ones were too many, each gets its turn. */
    private void wake(ClientNetwork client, Guesses guesses, List<Runnable> woken) {
        Entry entry = entries.get(client);
        int failures = entry == null ? 0 : entry.failures;
        boolean penalty = failures >= FREE_FAILURES;
        Iterator<Guess> next = guesses.all.values().iterator();
        while (next.hasNext() && (penalty || failures + guesses.asked < FREE_FAILURES)) {
            Guess guess = next.next();
            if (guess.parked.isEmpty()) {
                continue;
            }
            guess.parked.forEach(attempt -> woken.add(attempt.wake));
            if (penalty) {
                guess.parked.forEach(attempt -> attempt.guess = null);
            } else {
                guesses.asked += guess.asked == 0 ? 1 : 0;
                guess.asked += guess.parked.size();
            }
            guess.parked.clear();
            if (guess.asked == 0) {
                next.remove();
            }
        }
    }
}
