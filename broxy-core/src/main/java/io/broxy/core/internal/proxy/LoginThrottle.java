package io.broxy.core.internal.proxy;

import io.broxy.core.internal.net.ClientNetwork;
import io.broxy.core.internal.proxy.CredentialMarks.Mark;
import java.net.InetAddress;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Throttles password guessing, and nothing else. Wrong credentials are counted by {@linkplain ClientNetwork network} and user,
 * and by network alone. Above a limit, further ones wait for turns with growing intervals, across all connections of the
 * network; guesses that would wait for too long are refused.
 *
 * <ul>
 *   <li>Credentials that were recently valid from a network are not a guess and do not wait.
 *   <li>Credentials that are known to be wrong are not a new guess: they count once, do not wait, and take no turn. The
 *       authenticator is asked again only as rarely as for guesses; in between they count as wrong.
 *   <li>Credentials that were recently valid but no longer are have an outdated password and do not count.
 *   <li>A success clears only the failures of its own user, and only if it is new: continued success of credentials that were
 *       always valid says nothing about the failures.
 * </ul>
 *
 * <p>New credentials count as wrong until they are checked: only a limited number of different ones is checked concurrently,
 * and others are {@linkplain GuessQueue parked} until some are decided. Repetitions of the same credentials are one guess.
 *
 * <p>Threading: thread-safe; the lock guards all state.
 */
final class LoginThrottle {
    /** {@link Attempt#waitNanos}: the attempt is refused. */
    static final long REFUSED = -1;

    /** {@link Attempt#waitNanos}: the credentials are wrong, as a recent check has shown. */
    static final long WRONG = -2;

    /** {@link Attempt#waitNanos}: wait until woken. */
    static final long PARKED = Long.MAX_VALUE;

    /** The maximum wait. An attempt that would have to wait longer is refused, since a waiting client occupies a connection. */
    static final long MAX_WAIT_NANOS = TimeUnit.SECONDS.toNanos(10);

    private final CredentialMarks marks = new CredentialMarks();

    private final Object lock = new Object();
    private final ProvenCredentials proven = new ProvenCredentials();
    private final LoginFailures failures = new LoginFailures();

    /** At most one entry for each connection with an undecided attempt. */
    private final Map<ClientNetwork, GuessQueue> undecided = new HashMap<>();

    /**
     * A login attempt. It ends with {@link #succeeded}, {@link #failed} or {@link #cancel}; only the first call counts.
     *
     * <p>Threading: thread-safe.
     */
    final class Attempt {
        private final @Nullable ClientNetwork network;
        final Mark mark;
        private final Runnable wake;
        /** The guess that this attempt belongs to; null if it is not a guess. */
        private GuessQueue.@Nullable Guess guess;

        private boolean known;
        private boolean over;

        private Attempt(@Nullable ClientNetwork network, Mark mark, Runnable wake) {
            this.network = network;
            this.mark = mark;
            this.wake = wake;
        }

        /**
         * How long to wait before calling this method again: 0 if the credentials must be checked now, {@link #REFUSED} or
         * {@link #WRONG} if they must not be checked, {@link #PARKED} to wait until woken.
         */
        long waitNanos(long nowNanos) {
            synchronized (lock) {
                if (network == null || known || over) {
                    return 0;
                }
                NetworkFailures there = failures.at(network, nowNanos);
                if (guess == null) {
                    if (proven.contain(network, mark.credentials(), nowNanos)) {
                        known = true;
                        return 0;
                    }
                    UserFailures.Wrong wrong = there.of(mark.user()).known(mark.credentials());
                    if (wrong != null) {
                        known = wrong.mayBeAskedAbout(nowNanos);
                        return known ? 0 : WRONG;
                    }
                    guess = queue(network).join(this);
                }
                return queue(network).waitNanos(guess, there, nowNanos);
            }
        }

        /** The client's credentials were wrong. */
        void failed(long nowNanos) {
            end(nowNanos, at -> failures.failed(at, mark, !proven.remove(at, mark.credentials()), nowNanos));
        }

        /** The client's credentials were valid. */
        void succeeded(long nowNanos) {
            end(nowNanos, at -> {
                if (!proven.contain(at, mark.credentials(), nowNanos)) {
                    failures.succeeded(at, mark, nowNanos);
                }
                proven.add(at, mark.credentials(), nowNanos);
            });
        }

        /** The attempt was given up or could not be decided. */
        void cancel(long nowNanos) {
            end(nowNanos, at -> {});
        }

        private void end(long nowNanos, Consumer<ClientNetwork> counted) {
            List<Attempt> woken = new ArrayList<>(0);
            synchronized (lock) {
                if (network == null || over) {
                    return;
                }
                over = true;
                counted.accept(network);
                if (guess != null) {
                    leave(network, guess, nowNanos, woken);
                }
            }
            woken.forEach(attempt -> attempt.wake.run()); // without the lock
        }

        private void leave(ClientNetwork from, GuessQueue.Guess left, long nowNanos, List<Attempt> woken) {
            GuessQueue queue = queue(from);
            queue.leave(left, this);
            queue.wake(mark.user(), failures.at(from, nowNanos), woken);
            if (queue.isEmpty()) {
                undecided.remove(from);
            }
        }
    }

    private GuessQueue queue(ClientNetwork network) {
        return undecided.computeIfAbsent(network, key -> new GuessQueue());
    }

    /**
     * Starts an attempt.
     *
     * @param client the client's address; null if it has none, so that it is not throttled
     * @param wake run without the lock, on any thread, when a parked attempt must ask again
     */
    Attempt attempt(@Nullable InetAddress client, String authorization, Runnable wake) {
        return new Attempt(client == null ? null : ClientNetwork.of(client), marks.of(authorization), wake);
    }
}
