package io.broxy.core.internal.proxy;

import io.broxy.core.internal.proxy.CredentialMarks.Mark;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/**
 * The login failures of one network, by user. Each user contributes at most the number of free guesses to the network's count:
 * further guesses wait for that user's turns and so cannot delay the network's other users.
 *
 * <p>Threading: guarded by the throttle's lock.
 */
final class NetworkFailures {
    /** The number of wrong guesses of all users that cause no wait. */
    static final int FREE = 10;

    static final long KEPT_NANOS = TimeUnit.MINUTES.toNanos(10);

    /** Past this limit the user with the fewest failures is evicted, but its failures still count for the network. */
    static final int MAX_USERS = 256;

    /** Shorter than for a user, so that other users of the network can still log in for the first time. */
    private static final long MAX_INTERVAL_NANOS = TimeUnit.SECONDS.toNanos(2);

    /** A network without failures; never modified. */
    static final NetworkFailures NONE = new NetworkFailures();

    private final List<UserFailures> users = new ArrayList<>(1);
    private final Turns turns = new Turns(MAX_INTERVAL_NANOS);
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

    /** Whether guesses must wait for turns of the network, even for users with free guesses left. */
    boolean isThrottled() {
        return count() >= FREE;
    }

    /** Whether any guess must wait. */
    boolean throttlesAnything() {
        return isThrottled() || users.stream().anyMatch(UserFailures::isThrottled);
    }

    /** Whether guesses for a user must wait. */
    boolean throttles(long user) {
        return isThrottled() || of(user).isThrottled();
    }

    /** The turns of guesses for all users. */
    Turns turns() {
        return turns;
    }

    /** Records wrong credentials, and counts them if they are a new guess. */
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
        if (users.size() == MAX_USERS) {
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

    /** Records that a user has logged in. */
    void succeeded(Mark mark) {
        UserFailures user = of(mark.user());
        if (user != UserFailures.NONE) {
            user.succeeded(mark);
        }
    }

    /** Removes expired failures; true if none are left. */
    boolean forget(long nowNanos) {
        if (nowNanos - forgottenNanos > KEPT_NANOS) {
            ofForgottenUsers = 0;
        }
        users.removeIf(user -> user.forget(nowNanos, KEPT_NANOS));
        return ofForgottenUsers == 0 && users.isEmpty();
    }
}
