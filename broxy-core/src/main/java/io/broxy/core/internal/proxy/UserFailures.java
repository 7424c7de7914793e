package io.broxy.core.internal.proxy;

import io.broxy.core.internal.proxy.CredentialMarks.Mark;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * The wrong credentials of one user from one network: their number, and the latest of them, which do not count again when they
 * are repeated.
 *
 * <p>Threading: guarded by the throttle's lock.
 */
final class UserFailures {
    /** The wrong guesses that cause no wait: a person's mistakes. */
    static final int FREE = 5;

    private static final long LONGEST_NANOS = TimeUnit.SECONDS.toNanos(8);
    private static final int MOST_WRONG = 4;

    /** Stands for more than one spelling. */
    private static final long SEVERAL = 0;

    /** The failures of a user without any; never written. */
    static final UserFailures NONE = new UserFailures(0, 0);

    /** Wrong credentials. They may be right by now, so the authenticator is asked again, as rarely as about a guess. */
    static final class Wrong {
        private final long credentials;
        private long lastNanos;
        private int asked;
        private long nextNanos;

        private Wrong(long credentials, long nowNanos) {
            this.credentials = credentials;
            this.lastNanos = nowNanos;
            this.nextNanos = nowNanos;
        }

        /** Whether the authenticator is asked when they are repeated; if not, they count as wrong. */
        boolean mayBeAskedAbout(long nowNanos) {
            lastNanos = nowNanos;
            if (asked >= FREE) {
                if (nextNanos - nowNanos > 0) {
                    return false;
                }
                nextNanos = nowNanos + Turns.distanceNanos(asked - FREE, LONGEST_NANOS);
            }
            asked++;
            return true;
        }
    }

    final long user;
    private final Turns turns = new Turns(LONGEST_NANOS);
    private final List<Wrong> wrong = new ArrayList<>(1);
    private int count;
    private long spelling = SEVERAL;
    private long lastNanos;

    UserFailures(long user, long nowNanos) {
        this.user = user;
        this.lastNanos = nowNanos;
    }

    /** The number of different wrong credentials. */
    int count() {
        return count;
    }

    /** The time of the last failure that counts. */
    long lastNanos() {
        return lastNanos;
    }

    /** Whether further guesses wait for their turns. */
    boolean isThrottled() {
        return count >= FREE;
    }

    /** The turns of further guesses. */
    Turns turns() {
        return turns;
    }

    /** The record of credentials that were wrong before, or null if there is none. */
    @Nullable
    Wrong known(long credentials) {
        for (Wrong one : wrong) {
            if (one.credentials == credentials) {
                return one;
            }
        }
        return null;
    }

    /** Remembers wrong credentials in place of the least recently seen ones. */
    void remember(long credentials, long nowNanos) {
        Wrong known = known(credentials);
        if (known != null) {
            known.lastNanos = nowNanos;
            return;
        }
        if (wrong.size() == MOST_WRONG) {
            Wrong oldest = wrong.get(0);
            for (Wrong one : wrong) {
                oldest = one.lastNanos - oldest.lastNanos < 0 ? one : oldest;
            }
            wrong.remove(oldest);
        }
        wrong.add(new Wrong(credentials, nowNanos));
    }

    /** Counts new wrong credentials. */
    void failed(Mark mark, long nowNanos) {
        spelling = count == 0 || spelling == mark.spelling() ? mark.spelling() : SEVERAL;
        count++;
        lastNanos = nowNanos;
        if (count == FREE) {
            turns.begin(nowNanos);
        }
        remember(mark.credentials(), nowNanos);
    }

    /** The user has logged in. Failures of another spelling may be another account's, and stay. */
    void succeeded(Mark mark) {
        wrong.removeIf(one -> one.credentials == mark.credentials());
        if (spelling == mark.spelling()) {
            count = 0;
        }
    }

    /** Forgets old failures; true if nothing is left. */
    boolean forget(long nowNanos, long keptNanos) {
        if (nowNanos - lastNanos > keptNanos) {
            count = 0;
        }
        wrong.removeIf(one -> nowNanos - one.lastNanos > keptNanos);
        return count == 0 && wrong.isEmpty();
    }
}
