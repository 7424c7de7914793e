package io.broxy.core.internal.proxy;

import io.broxy.core.internal.loop.EventLoop;
import io.broxy.core.internal.time.TimerQueue;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import org.jspecify.annotations.Nullable;

/**
 * Closes a blocking socket when a time is over. {@code SO_TIMEOUT} is no such limit: it is for one read of the system, and
 * a TLS socket makes as many of them for one of its own as its peer pleases.
 *
 * <p>Threading: thread-safe; the timer is owned by the loop that lends it.
 */
final class Watchdog {
    private final EventLoop clock;
    private final Executor closers;
    private final Runnable close;
    private TimerQueue.@Nullable Timer timer;
    private volatile boolean stopped;
    private volatile boolean fired;

    private Watchdog(EventLoop clock, Executor closers, Runnable close) {
        this.clock = clock;
        this.closers = closers;
        this.close = close;
    }

    /**
     * Begins to watch.
     *
     * @param clock lends a timer
     * @param closers runs {@code close}, which may block
     */
    static Watchdog start(EventLoop clock, long deadlineNanos, Executor closers, Runnable close) {
        Watchdog watchdog = new Watchdog(clock, closers, close);
        watchdog.onClock(() -> {
            if (!watchdog.stopped) {
                watchdog.timer = clock.timers().schedule(deadlineNanos, watchdog::fire);
            }
        });
        return watchdog;
    }

    private void onClock(Runnable task) {
        try {
            clock.execute(task);
        } catch (RejectedExecutionException e) {
            fire(); // the engine ends
        }
    }

    private void fire() {
        if (stopped) {
            return;
        }
        fired = !clock.isStopping(); // else it is not the time that is over
        try {
            closers.execute(close);
        } catch (RejectedExecutionException e) {
            close.run(); // the engine ends, and nothing waits for this loop any more
        }
    }

    /** Whether it has closed the socket because the time was over. */
    boolean hasFired() {
        return fired;
    }

    /** Watches no longer. */
    void stop() {
        stopped = true;
        try {
            clock.execute(() -> {
                if (timer != null) {
                    clock.timers().cancel(timer);
                }
            });
        } catch (RejectedExecutionException e) {
            // the timer went with its loop
        }
    }
}
