package io.broxy.core.internal.proxy;

import io.broxy.core.internal.proxy.CredentialMarks.Mark;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * The wrong credentials of one user that came from one network: how many different ones, and the latest of them, which count no
 * more when they come again.
 *
 * <p>Threading: guarded by the throttle's lock.
 */
final class UserFailures {
    /** A person's mistakes, which cost no waiting. */
    static final int FREE = 5;

    private static final long LONGEST_NANOS = TimeUnit.SECONDS.toNanos(8);
    private static final int MOST_WRONG = 4;

    /** No spelling in particular. */
    private static final long SEVERAL = 0;

    /** Of a user who has not failed; never written. */
    static final UserFailures NONE = new UserFailures(0, 0);

    /** Credentials that were wrong. They may be right by now, so they are asked about again, as seldom as a guess would be. */
    static final class Wrong {
        private final long credentials;
        private long lastNanos;
        private int asked;
        private long nextNanos;

        private Wrong(long credentials, long nowNanos) {
            this.credentials = credentials;
            this.lastNanos = nowNanos;
        }

        /** Whether to ask about them, which have come again; else they count as wrong. */
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

    private final long user;
    private final Turns turns = new Turns(LONGEST_NANOS);
    private final List<Wrong> wrong = new ArrayList<>(1);
    private int count;
    private long spelling = SEVERAL;
    private long lastNanos;

    UserFailures(long user, long nowNanos) {
        this.user = user;
        this.lastNanos = nowNanos;
    }

    boolean isOf(long asked) {
        return user == asked;
    }

    /** How many different credentials were wrong. */
    int count() {
        return count;
    }

    /** When the last one was wrong that counts. */
    long lastNanos() {
        return lastNanos;
    }

    /** Whether further ones have to wait for their turns. */
    boolean isThrottled() {
        return count >= FREE;
    }

    /** The turns of further ones. */
    Turns turns() {
        return turns;
    }

    /** Credentials that were wrong before; null if they were not, as far as is known. */
    @Nullable
    Wrong known(long credentials) {
        for (Wrong one : wrong) {
            if (one.credentials == credentials) {
                return one;
            }
        }
        return null;
    }

    /** Remembers credentials that are wrong, in place of those that have not come for longest. */
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

    /** Counts credentials that are wrong for the first time. */
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

    /** Forgets what is long ago; true if nothing is left. */
    boolean forget(long nowNanos, long keptNanos) {
        if (nowNanos - lastNanos > keptNanos) {
            count = 0;
        }
        wrong.removeIf(one -> nowNanos - one.lastNanos > keptNanos);
        return count == 0 && wrong.isEmpty();
    }
}
