package io.broxy.core.internal.loop;

import java.util.concurrent.TimeUnit;

/**
 * A time within which things must end. An interrupt does not cut it short, since what is half ended would never end; the
 * caller finds the thread interrupted afterwards.
 *
 * <p>Threading: for one thread.
 */
public final class Deadline {
    /** With no time left, an end that has come is still noticed. */
    private static final long LEAST_NANOS = TimeUnit.MILLISECONDS.toNanos(1);

    private final long deadlineNanos;

    /** Begins now. */
    public Deadline(long nanos) {
        deadlineNanos = System.nanoTime() + nanos;
    }

    /** Something that ends. */
    public interface Ending {
        /** Waits for it; false if it has not ended within the time. */
        boolean await(long nanos) throws InterruptedException;
    }

    /** Waits for an end; false if the time is over before. */
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
