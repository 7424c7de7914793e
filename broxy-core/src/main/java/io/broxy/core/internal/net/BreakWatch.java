package io.broxy.core.internal.net;

import io.broxy.core.internal.time.LazyTimer;
import java.io.IOException;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;

/**
 * Detects a broken client connection that rate limiting keeps from being read, by probing it periodically while bytes wait.
 *
 * <p>Threading: owned by its event loop.
 */
public final class BreakWatch {
    /** Short enough for the other clients that share a rate, and long compared with the intervals between throttled reads. */
    public static final long PERIOD_NANOS = TimeUnit.MILLISECONDS.toNanos(250);

    private final LoopConnection connection;
    private final BooleanSupplier waiting;
    private final Consumer<IOException> broken;
    private final LazyTimer timer;

    /**
     * Creates an inactive watch.
     *
     * @param waiting whether bytes still wait
     * @param broken receives the failure of a write
     */
    public BreakWatch(LoopConnection connection, BooleanSupplier waiting, Consumer<IOException> broken) {
        this.connection = connection;
        this.waiting = waiting;
        this.broken = broken;
        this.timer = new LazyTimer(connection.loop().timers(), this::probe);
    }

    /** Starts probing. */
    public void begin() {
        timer.atLatest(connection.loop().nowNanos() + PERIOD_NANOS);
    }

    /** Stops probing. */
    public void stop() {
        timer.cancel();
    }

    private void probe() {
        if (connection.loop().isStopping()) {
            return;
        }
        connection.lookForBreak(broken); // even if nothing waits in this turn, since that may be so in every turn
        if (waiting.getAsBoolean()) {
            begin();
        }
    }
}
