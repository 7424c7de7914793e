package io.broxy.examples;

import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicBoolean;

/**
 * SIGTERM and SIGINT: the first one asks the program to end, a second one ends it at once.
 *
 * <p>A shutdown hook could not do that. While hooks run, the JVM takes no notice of a second signal, and it ends with 143
 * behind them. {@link Signals} can.
 *
 * <p>Threading: thread-safe; each signal comes on a thread of its own.
 */
final class StopSignals {
    private final AtomicBoolean asked = new AtomicBoolean();
    private final CountDownLatch stop = new CountDownLatch(1);

    private StopSignals() {}

    /** Listens to the signals from now on. Where that cannot be, the JVM ends by them at once, and a warning says so. */
    static StopSignals install() {
        StopSignals signals = new StopSignals();
        Signals.handle("TERM", "drain", () -> signals.received(15));
        Signals.handle("INT", "drain", () -> signals.received(2));
        return signals;
    }

    private void received(int number) {
        if (asked.compareAndSet(false, true)) {
            stop.countDown();
        } else {
            Runtime.getRuntime().halt(128 + number); // as a shell tells a death by signal
        }
    }

    /** Waits for the first signal. */
    void await() throws InterruptedException {
        stop.await();
    }
}
