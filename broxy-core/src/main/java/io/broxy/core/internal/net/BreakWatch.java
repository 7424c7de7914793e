package io.broxy.core.internal.net;

import io.broxy.core.internal.time.LazyTimer;
import java.io.IOException;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;

/**
 * Notices that a client has broken while its bytes wait for their turn, so that it is not read, or only what it had sent long
 * before: looks from time to time, for as long as something waits.
 *
 * <p>Threading: owned by its event loop.
 */
public final class BreakWatch {
    /** Soon enough for whoever shares a rate with the client, and few looks beside the turns that a rate makes. */
    public static final long PERIOD_NANOS = TimeUnit.MILLISECONDS.toNanos(250);

    private final LoopConnection connection;
    private final BooleanSupplier waiting;
    private final Consumer<IOException> broken;
    private final LazyTimer timer;

    /**
     * Creates a watch that is off.
     *
     * @param waiting whether something still waits
     * @param broken told how a write fails
     */
    public BreakWatch(LoopConnection connection, BooleanSupplier waiting, Consumer<IOException> broken) {
        this.connection = connection;
        this.waiting = waiting;
        this.broken = broken;
        this.timer = new LazyTimer(connection.loop().timers(), this::look);
    }

    /** Something waits. */
    public void begin() {
        timer.atLatest(connection.loop().nowNanos() + PERIOD_NANOS);
    }

    /** Looks no more. */
    public void stop() {
        timer.cancel();
    }

    private void look() {
        if (connection.loop().isStopping()) {
            return;
        }
        connection.lookForBreak(broken); // also in the turn in which nothing waits, which may be always this one
        if (waiting.getAsBoolean()) {
            begin();
        }
    }
}
