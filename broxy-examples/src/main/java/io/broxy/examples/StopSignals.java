package io.broxy.examples;

import java.lang.reflect.InvocationHandler;
import java.lang.reflect.Proxy;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicBoolean;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * SIGTERM and SIGINT: the first one asks the program to end, a second one ends it at once.
 *
 * <p>A shutdown hook could not do that. While hooks run, the JVM takes no notice of a second signal, and it ends with 143
 * behind them. {@code sun.misc.Signal} can: it is in the module {@code jdk.unsupported} for the very reason that nothing
 * supported takes its place (JEP 260). It is called by reflection because javac warns of it, which cannot be suppressed,
 * and because a JVM may come without the module.
 *
 * <p>Threading: thread-safe; each signal comes on a thread of its own.
 */
final class StopSignals {
    private static final Logger log = LoggerFactory.getLogger(StopSignals.class);

    private final AtomicBoolean asked = new AtomicBoolean();
    private final CountDownLatch stop = new CountDownLatch(1);

    private StopSignals() {}

    /** Listens to the signals from now on. Where that cannot be, the JVM ends by them at once, and a warning says so. */
    static StopSignals install() {
        StopSignals signals = new StopSignals();
        signals.handle("TERM", 15);
        signals.handle("INT", 2);
        return signals;
    }

    private void handle(String name, int number) {
        InvocationHandler handler = (proxy, method, arguments) -> {
            received(number);
            return null;
        };
        try {
            Class<?> signal = Class.forName("sun.misc.Signal");
            Class<?> listener = Class.forName("sun.misc.SignalHandler");
            Object own = Proxy.newProxyInstance(StopSignals.class.getClassLoader(), new Class<?>[] {listener}, handler);
            signal.getMethod("handle", signal, listener)
                    .invoke(null, signal.getConstructor(String.class).newInstance(name), own);
        } catch (ReflectiveOperationException e) { // no such module, or a JVM that leaves signals alone (-Xrs)
            log.warn("SIG{} will not drain: {}", name, e.getCause() != null ? e.getCause() : e);
        }
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
