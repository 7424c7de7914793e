package io.broxy.core.internal.proxy;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * The undecided guesses of one network.
 *
 * <pre>
 *   NEW ──┬──> ASKED     as many as can be wrong without a penalty
 *    ^    ├──> PARKED    while that number is reached; users are admitted in turn
 *    │    │      │ └───> ASKED
 *    └────┼──────┘       if further guesses have a penalty by then
 *         └──> TURN      first the user's, and then the network's
 * </pre>
 *
 * <p>Threading: guarded by the throttle's lock.
 */
final class GuessQueue {
    /** The maximum number of different credentials that are checked concurrently without a penalty. */
    static final int MAX_CONCURRENT = 5;

    private enum State {
        NEW,
        ASKED,
        PARKED,
        TURN
    }

    /** All attempts with the same credentials. */
    static final class Guess {
        private final CredentialMarks.Mark mark;
        private final Set<LoginThrottle.Attempt> attempts = new LinkedHashSet<>(1);
        private State state = State.NEW;
        /** The turns taken: the user's, and then the network's. */
        private final List<Turns> taken = new ArrayList<>(0);

        private long firstNanos;
        private long readyNanos;

        private Guess(CredentialMarks.Mark mark) {
            this.mark = mark;
        }

        /** Takes a turn unless it has one; false if the next turn comes too late. */
        private boolean take(Turns turns, int excess, long nowNanos) {
            if (taken.contains(turns)) {
                return true;
            }
            long wait = turns.take(nowNanos, excess, LoginThrottle.MAX_WAIT_NANOS - (nowNanos - firstNanos));
            if (wait == Turns.TOO_LATE) {
                return false;
            }
            taken.add(turns);
            readyNanos = nowNanos + wait;
            return true;
        }
    }

    private final Map<Long, Guess> all = new HashMap<>(4);
    private final List<Guess> asked = new ArrayList<>(1);
    /** By user; the most recently admitted user comes last. */
    private final Map<Long, Set<Guess>> parked = new LinkedHashMap<>(1);

    /** Adds an attempt to the guess with its credentials. */
    Guess join(LoginThrottle.Attempt attempt) {
        Guess guess = all.computeIfAbsent(attempt.mark.credentials(), key -> new Guess(attempt.mark));
        guess.attempts.add(attempt);
        return guess;
    }

    /** Removes a finished attempt. */
    void leave(Guess guess, LoginThrottle.Attempt attempt) {
        if (guess.attempts.remove(attempt) && guess.attempts.isEmpty()) {
            all.remove(guess.mark.credentials());
            asked.remove(guess);
            unpark(guess);
            guess.taken.forEach(Turns::over);
        }
    }

    boolean isEmpty() {
        return all.isEmpty();
    }

    // ------------------------------------------------------------------ turns

    /** See {@link LoginThrottle.Attempt#waitNanos}. */
    long waitNanos(Guess guess, NetworkFailures there, long nowNanos) {
        return switch (guess.state) {
            case ASKED -> 0;
            case PARKED -> LoginThrottle.PARKED;
            case TURN -> turn(guess, there, nowNanos);
            case NEW -> there.throttles(guess.mark.user()) ? turn(guess, there, nowNanos) : tryFree(guess, there);
        };
    }

    private long tryFree(Guess guess, NetworkFailures there) {
        if (hasRoom(guess.mark.user(), there)) {
            ask(guess);
            return 0;
        }
        guess.state = State.PARKED;
        parked.computeIfAbsent(guess.mark.user(), key -> new LinkedHashSet<>(1)).add(guess);
        return LoginThrottle.PARKED;
    }

    private void ask(Guess guess) {
        guess.state = State.ASKED;
        asked.add(guess);
    }

    private boolean hasRoom(long user, NetworkFailures there) {
        long ofUser = asked.stream().filter(guess -> guess.mark.user() == user).count();
        return asked.size() < MAX_CONCURRENT
                && there.count() + asked.size() < NetworkFailures.FREE
                && there.of(user).count() + ofUser < UserFailures.FREE;
    }

    /** Takes the network's turn only once the user's turn has come, so that others do not wait behind it. */
    private static long turn(Guess guess, NetworkFailures there, long nowNanos) {
        if (guess.state == State.NEW) {
            guess.firstNanos = nowNanos;
            guess.readyNanos = nowNanos;
        }
        UserFailures user = there.of(guess.mark.user());
        if (user.isThrottled() && !guess.take(user.turns(), user.count() - UserFailures.FREE, nowNanos)) {
            return LoginThrottle.REFUSED;
        }
        guess.state = State.TURN;
        if (guess.readyNanos - nowNanos <= 0
                && there.isThrottled()
                && !guess.take(there.turns(), there.count() - NetworkFailures.FREE, nowNanos)) {
            return LoginThrottle.REFUSED;
        }
        return Math.max(0, guess.readyNanos - nowNanos);
    }

    // ------------------------------------------------------------------ admission after a decision

    /**
     * Called when a guess is decided: admits the guesses that now have room. If there will be no room because too many were
     * wrong, each guess takes a turn instead.
     *
     * @param user the user whose guess was decided
     * @param woken receives the attempts that must ask again
     */
    void wake(long user, NetworkFailures there, List<LoginThrottle.Attempt> woken) {
        if (there.isThrottled()) {
            List.copyOf(parked.keySet()).forEach(each -> wakeAll(each, woken));
        } else if (there.of(user).isThrottled()) {
            wakeAll(user, woken);
        }
        while (wakeOne(there, woken)) {}
    }

    private void wakeAll(long user, List<LoginThrottle.Attempt> woken) {
        Set<Guess> guesses = parked.remove(user);
        if (guesses != null) {
            for (Guess guess : guesses) {
                guess.state = State.NEW;
                woken.addAll(guess.attempts);
            }
        }
    }

    /**
     * Admits the first guess of the first user that has room, and moves the user's other guesses behind those of all other
     * users.
     */
    private boolean wakeOne(NetworkFailures there, List<LoginThrottle.Attempt> woken) {
        Long user = parked.keySet().stream()
                .filter(each -> hasRoom(each, there))
                .findFirst()
                .orElse(null);
        Set<Guess> guesses = user == null ? null : parked.remove(user);
        if (user == null || guesses == null) {
            return false;
        }
        Guess first = guesses.iterator().next();
        guesses.remove(first);
        if (!guesses.isEmpty()) {
            parked.put(user, guesses);
        }
        ask(first);
        woken.addAll(first.attempts);
        return true;
    }

    private void unpark(Guess guess) {
        long user = guess.mark.user();
        Set<Guess> ofUser = parked.get(user);
        if (ofUser != null && ofUser.remove(guess) && ofUser.isEmpty()) {
            parked.remove(user);
        }
    }
}
