package io.broxy.examples;

import java.lang.invoke.LambdaMetafactory;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.MethodType;
import java.lang.reflect.InvocationTargetException;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Consumer;
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
        try {
            Class<?> signal = Class.forName("sun.misc.Signal");
            Class<?> listener = Class.forName("sun.misc.SignalHandler");
            signal.getMethod("handle", signal, listener)
                    .invoke(
                            null,
                            signal.getConstructor(String.class).newInstance(name),
                            listener(signal, listener, any -> received(number)));
        } catch (ReflectiveOperationException e) { // no such module, or a JVM that leaves signals alone (-Xrs)
            Throwable cause = e.getCause() != null ? e.getCause() : e;
            String reason = cause.toString(); // the exception itself would come with its stack trace
            log.warn("SIG{} will not drain: {}", name, reason);
        }
    }

    /** What javac makes of {@code action::accept} where a listener is wanted; a {@code Proxy} takes 7 ms more to be made. */
    private static Object listener(Class<?> signal, Class<?> listener, Consumer<Object> action)
            throws ReflectiveOperationException {
        MethodHandles.Lookup lookup = MethodHandles.lookup();
        MethodType handle = MethodType.methodType(void.class, signal);
        MethodHandle accept =
                lookup.findVirtual(Consumer.class, "accept", MethodType.methodType(void.class, Object.class));
        try {
            return LambdaMetafactory.metafactory(
                            lookup, "handle", MethodType.methodType(listener, Consumer.class), handle, accept, handle)
                    .getTarget()
                    .invoke(action);
        } catch (Throwable e) { // what a method handle declares
            throw new InvocationTargetException(e);
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
