package io.broxy.core.internal.proxy;

import io.broxy.core.internal.proxy.CredentialMarks.Mark;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * The wrong credentials that came from one network, by user. What counts of each user is what is free for one: further guesses
 * at that user have to wait on their own, and so cannot make the network's other users wait.
 *
 * <p>Threading: guarded by the throttle's lock.
 */
final class NetworkFailures {
    /** Mistakes of all its users together, which cost no waiting. */
    static final int FREE = 10;

    static final long KEPT_NANOS = TimeUnit.MINUTES.toNanos(10);

    /** Beyond that those are forgotten that have failed least, while their failures count on for the network. */
    static final int MOST_USERS = 256;

    /** Not as long as a user's: a neighbour's first login has to find a turn. */
    private static final long LONGEST_NANOS = TimeUnit.SECONDS.toNanos(2);

    /** Of a network where nothing has failed; never written. */
    static final NetworkFailures NONE = new NetworkFailures();

    private final List<UserFailures> users = new ArrayList<>(1);
    private final Turns turns = new Turns(LONGEST_NANOS);
    private int ofForgottenUsers;
    private long forgottenNanos;

    /** The failures of a user. */
    UserFailures of(long user) {
        for (UserFailures one : users) {
            if (one.isOf(user)) {
                return one;
            }
        }
        return UserFailures.NONE;
    }

    /** How many users something is kept of. */
    int users() {
        return users.size();
    }

    /** How many failures count. */
    int count() {
        int count = ofForgottenUsers;
        for (UserFailures user : users) {
            count += Math.min(user.count(), UserFailures.FREE);
        }
        return count;
    }

    /** Whether further guesses at users that may still guess freely have to wait for their turns, too. */
    boolean isThrottled() {
        return count() >= FREE;
    }

    /** Whether any guess has to wait. */
    boolean throttlesAnything() {
        return isThrottled() || users.stream().anyMatch(UserFailures::isThrottled);
    }

    /** Whether further guesses at this user have to wait. */
    boolean throttles(long user) {
        return isThrottled() || of(user).isThrottled();
    }

    /** The turns of guesses at all users. */
    Turns turns() {
        return turns;
    }

    /** Credentials that were wrong before; null if they were not, as far as is known. */
    UserFailures.@Nullable Wrong known(Mark mark) {
        return of(mark.user()).known(mark.credentials());
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

    /** Forgets what is long ago; true if nothing is left. */
    boolean forget(long nowNanos) {
        if (nowNanos - forgottenNanos > KEPT_NANOS) {
            ofForgottenUsers = 0;
        }
        users.removeIf(user -> user.forget(nowNanos, KEPT_NANOS));
        return ofForgottenUsers == 0 && users.isEmpty();
    }
}
