package io.broxy.core.internal.proxy;

import io.broxy.core.internal.proxy.CredentialMarks.Mark;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * The login failures of one user from one network: their number, and the most recent wrong credentials, which do not count
 * again when repeated.
 *
 * <p>Threading: guarded by the throttle's lock.
 */
final class UserFailures {
    /** The number of wrong guesses that cause no wait, to allow for typing errors. */
    static final int FREE = 5;

    private static final long MAX_INTERVAL_NANOS = TimeUnit.SECONDS.toNanos(8);
    private static final int MAX_WRONG = 4;

    /** The value of {@code spelling} if there is more than one. */
    private static final long SEVERAL = 0;

    /** A user without failures; never modified. */
    static final UserFailures NONE = new UserFailures(0, 0);

    /** Known wrong credentials. They may have become valid, so the authenticator is asked again, as rarely as for a guess. */
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

        /** Whether the authenticator is asked about a repetition; otherwise the credentials count as wrong. */
        boolean mayBeAskedAbout(long nowNanos) {
            lastNanos = nowNanos;
            if (asked >= FREE) {
                if (nextNanos - nowNanos > 0) {
                    return false;
                }
                nextNanos = nowNanos + Turns.intervalNanos(asked - FREE, MAX_INTERVAL_NANOS);
            }
            asked++;
            return true;
        }
    }

    final long user;
    private final Turns turns = new Turns(MAX_INTERVAL_NANOS);
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

    /** Whether further guesses must wait for turns. */
    boolean isThrottled() {
        return count >= FREE;
    }

    /** The turns of further guesses. */
    Turns turns() {
        return turns;
    }

    /** The record of known wrong credentials, or null. */
    @Nullable
    Wrong known(long credentials) {
        for (Wrong one : wrong) {
            if (one.credentials == credentials) {
                return one;
            }
        }
        return null;
    }

    /** Records wrong credentials, replacing the least recently seen ones. */
    void remember(long credentials, long nowNanos) {
        Wrong known = known(credentials);
        if (known != null) {
            known.lastNanos = nowNanos;
            return;
        }
        if (wrong.size() == MAX_WRONG) {
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

    /** Clears the failures after a login. Failures with another spelling may belong to another account and are kept. */
    void succeeded(Mark mark) {
        wrong.removeIf(one -> one.credentials == mark.credentials());
        if (spelling == mark.spelling()) {
            count = 0;
        }
    }

    /** Removes expired failures; true if none are left. */
    boolean forget(long nowNanos, long keptNanos) {
        if (nowNanos - lastNanos > keptNanos) {
            count = 0;
        }
        wrong.removeIf(one -> nowNanos - one.lastNanos > keptNanos);
        return count == 0 && wrong.isEmpty();
    }
}
