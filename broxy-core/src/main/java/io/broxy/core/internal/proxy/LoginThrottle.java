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
 * Throttles the guessing of passwords, and nothing else. Wrong credentials count by {@linkplain ClientNetwork network} and user,
 * and by network alone. From a number of them on, further ones wait for their turns, with a growing distance, over all
 * connections from there; those that would wait for too long are refused.
 *
 * <ul>
 *   <li>Credentials that were right lately from a network are no guess, and do not wait.
 *   <li>Credentials that were wrong before are no new guess: they count once, do not wait, and take no turn. They are asked
 *       about again as seldom as guesses would be, and are wrong in between.
 *   <li>Credentials that were right lately and are not any more are an outdated password, and count not at all.
 *   <li>A success clears the failures of its user alone, and only if it is a new one: that of credentials which were right all
 *       the time says nothing about the failures.
 * </ul>
 *
 * <p>Until it is known whether they are right, new credentials count as if they were wrong: only so many different ones are
 * looked at together, and more of them are {@linkplain GuessQueue parked} until some are decided. The same credentials many
 * times are one guess.
 *
 * <p>Threading: thread-safe; the lock guards everything that this object keeps.
 */
final class LoginThrottle {
    /** {@link Attempt#waitNanos}: it is not worth waiting. */
    static final long REFUSED = -1;

    /** {@link Attempt#waitNanos}: they are wrong, as they were a moment ago. */
    static final long WRONG = -2;

    /** {@link Attempt#waitNanos}: wait until woken. */
    static final long PARKED = Long.MAX_VALUE;

    /** An attempt that would have to wait longer is refused instead: waiting costs a connection. */
    static final long MOST_WAIT_NANOS = TimeUnit.SECONDS.toNanos(10);

    private final CredentialMarks marks = new CredentialMarks();

    private final Object lock = new Object();
    private final ProvenCredentials proven = new ProvenCredentials();
    private final LoginFailures failures = new LoginFailures();

    /** As many as there are connections with such attempts at most. */
    private final Map<ClientNetwork, GuessQueue> undecided = new HashMap<>();

    /**
     * Credentials that a client shows, which are to be looked at. It ends in {@link #succeeded}, {@link #failed} or {@link
     * #cancel}; the first of them counts.
     *
     * <p>Threading: thread-safe.
     */
    final class Attempt {
        private final @Nullable ClientNetwork network;
        final Mark mark;
        private final Runnable wake;
        /** What it is one of; null if it is no guess. */
        private GuessQueue.@Nullable Guess guess;

        private boolean known;
        private boolean over;

        private Attempt(@Nullable ClientNetwork network, Mark mark, Runnable wake) {
            this.network = network;
            this.mark = mark;
            this.wake = wake;
        }

        /**
         * How long to wait before asking this again: 0 if the credentials are to be looked at now, {@link #REFUSED} or {@link
         * #WRONG} if not at all, {@link #PARKED} to wait until woken.
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

        /** The client's credentials were right. */
        void succeeded(long nowNanos) {
            end(nowNanos, at -> {
                if (!proven.contain(at, mark.credentials(), nowNanos)) {
                    failures.succeeded(at, mark, nowNanos);
                }
                proven.add(at, mark.credentials(), nowNanos);
            });
        }

        /** It is not known, or of no interest any more, whether they are right. */
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
            woken.forEach(attempt -> attempt.wake.run()); // under no lock
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
     * Begins an attempt.
     *
     * @param client null if it has no address, and so is not throttled
     * @param wake run under no lock, on any thread, when a parked attempt is to ask again
     */
    Attempt attempt(@Nullable InetAddress client, String authorization, Runnable wake) {
        return new Attempt(client == null ? null : ClientNetwork.of(client), marks.of(authorization), wake);
    }
}
