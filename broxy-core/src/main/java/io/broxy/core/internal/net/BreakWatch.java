package io.broxy.core.internal.net;

import io.broxy.core.internal.time.LazyTimer;
import java.io.IOException;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;

/**
 * Notices a broken client while its bytes wait for their turn, so that it is not read, or only what it sent long before: it
 * looks from time to time, for as long as something waits.
 *
 * <p>Threading: owned by its event loop.
 */
public final class BreakWatch {
    /** Soon enough for the other clients of a shared rate, and rare beside the turns that a rate makes. */
    public static final long PERIOD_NANOS = TimeUnit.MILLISECONDS.toNanos(250);

    private final LoopConnection connection;
    private final BooleanSupplier waiting;
    private final Consumer<IOException> broken;
    private final LazyTimer timer;

    /**
     * Creates a watch that is off.
     *
     * @param waiting whether something still waits
     * @param broken receives the failure of a write
     */
    public BreakWatch(LoopConnection connection, BooleanSupplier waiting, Consumer<IOException> broken) {
        this.connection = connection;
        this.waiting = waiting;
        this.broken = broken;
        this.timer = new LazyTimer(connection.loop().timers(), this::look);
    }

    /** Begins to look, for something waits. */
    public void begin() {
        timer.atLatest(connection.loop().nowNanos() + PERIOD_NANOS);
    }

    /** Ends the looking. */
    public void stop() {
        timer.cancel();
    }

    private void look() {
        if (connection.loop().isStopping()) {
            return;
        }
        connection.lookForBreak(broken); // also if nothing waits in this turn, for each of its turns may be like that
        if (waiting.getAsBoolean()) {
            begin();
        }
    }
}
