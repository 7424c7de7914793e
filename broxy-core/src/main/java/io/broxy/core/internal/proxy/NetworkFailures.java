package io.broxy.core.internal.proxy;

import io.broxy.core.internal.proxy.CredentialMarks.Mark;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/**
 * The wrong credentials from one network, by user. Each user adds at most the number of free guesses to the network's count:
 * further guesses at that user wait for its own turns, and so cannot delay the network's other users.
 *
 * <p>Threading: guarded by the throttle's lock.
 */
final class NetworkFailures {
    /** The wrong guesses of all users together that cause no wait. */
    static final int FREE = 10;

    static final long KEPT_NANOS = TimeUnit.MINUTES.toNanos(10);

    /** Past this limit the user with the fewest failures is forgotten; its failures still count for the network. */
    static final int MOST_USERS = 256;

    /** Shorter than a user's: a neighbor's first login has to find a turn. */
    private static final long LONGEST_NANOS = TimeUnit.SECONDS.toNanos(2);

    /** The failures of a network without any; never written. */
    static final NetworkFailures NONE = new NetworkFailures();

    private final List<UserFailures> users = new ArrayList<>(1);
    private final Turns turns = new Turns(LONGEST_NANOS);
    private int ofForgottenUsers;
    private long forgottenNanos;

    /** The failures of a user. */
    UserFailures of(long user) {
        for (UserFailures one : users) {
            if (one.user == user) {
                return one;
            }
        }
        return UserFailures.NONE;
    }

    /** The number of users with failures. */
    int users() {
        return users.size();
    }

    /** The number of failures that count. */
    int count() {
        int count = ofForgottenUsers;
        for (UserFailures user : users) {
            count += Math.min(user.count(), UserFailures.FREE);
        }
        return count;
    }

    /** Whether guesses wait for turns of the network, even at users whose own guesses are still free. */
    boolean isThrottled() {
        return count() >= FREE;
    }

    /** Whether any guess waits. */
    boolean throttlesAnything() {
        return isThrottled() || users.stream().anyMatch(UserFailures::isThrottled);
    }

    /** Whether guesses at this user wait. */
    boolean throttles(long user) {
        return isThrottled() || of(user).isThrottled();
    }

    /** The turns of guesses at all users. */
    Turns turns() {
        return turns;
    }

    /** Remembers wrong credentials, and counts them if they are a guess that was not made before. */
    void failed(Mark mark, boolean guess, long nowNanos) {
        UserFailures user = ofOrNew(mark.user(), nowNanos);
        if (!guess || user.known(mark.credentials()) != null) {
            user.remember(mark.credentials(), nowNanos);
            return;
        }
        int before = count();
        user.failed(mark, nowNanos);
        if (before < FREE && count() >= FREE) {
            turns.begin(nowNanos);
        }
    }

    private UserFailures ofOrNew(long user, long nowNanos) {
        UserFailures known = of(user);
        if (known != UserFailures.NONE) {
            return known;
        }
        if (users.size() == MOST_USERS) {
            forgetOne(nowNanos);
        }
        UserFailures added = new UserFailures(user, nowNanos);
        users.add(added);
        return added;
    }

    private void forgetOne(long nowNanos) {
        UserFailures least = users.get(0);
        for (UserFailures user : users) {
            boolean less = user.count() < least.count()
                    || (user.count() == least.count() && user.lastNanos() - least.lastNanos() < 0);
            least = less ? user : least;
        }
        users.remove(least);
        if (least.count() > 0) {
            ofForgottenUsers += Math.min(least.count(), UserFailures.FREE);
            forgottenNanos = nowNanos;
        }
    }

    /** A user has logged in. */
    void succeeded(Mark mark) {
        UserFailures user = of(mark.user());
        if (user != UserFailures.NONE) {
            user.succeeded(mark);
        }
    }

    /** Forgets old failures; true if nothing is left. */
    boolean forget(long nowNanos) {
        if (nowNanos - forgottenNanos > KEPT_NANOS) {
            ofForgottenUsers = 0;
        }
        users.removeIf(user -> user.forget(nowNanos, KEPT_NANOS));
        return ofForgottenUsers == 0 && users.isEmpty();
    }
}
