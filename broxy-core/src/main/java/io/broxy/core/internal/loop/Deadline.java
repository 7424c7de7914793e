package io.broxy.core.internal.loop;

import java.util.concurrent.TimeUnit;

/**
 * A time limit on a shutdown. An interrupt does not shorten it, since a half-finished shutdown would never complete; the
 * thread's interrupt status is restored afterwards.
 *
 * <p>Threading: for one thread.
 */
public final class Deadline {
    /** Allows noticing a completed shutdown even when no time is left. */
    private static final long LEAST_NANOS = TimeUnit.MILLISECONDS.toNanos(1);

    private final long deadlineNanos;

    /** Starts now. */
    public Deadline(long nanos) {
        deadlineNanos = System.nanoTime() + nanos;
    }

    /** Something that is shutting down. */
    public interface Ending {
        /** Waits for the end; false if the time is exceeded. */
        boolean await(long nanos) throws InterruptedException;
    }

    /** Waits for the end; false if the deadline passes first. */
    public boolean await(Ending ending) {
        boolean interrupted = false;
        try {
            while (true) {
                try {
                    return ending.await(Math.max(LEAST_NANOS, deadlineNanos - System.nanoTime()));
                } catch (InterruptedException e) {
                    interrupted = true;
                }
            }
        } finally {
            if (interrupted) {
                Thread.currentThread().interrupt();
            }
        }
    }
}
