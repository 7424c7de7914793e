package io.broxy.examples;

import java.lang.invoke.LambdaMetafactory;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.MethodType;
import java.lang.reflect.InvocationTargetException;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Handles signals of the system, through {@code sun.misc.Signal}: it is in the module {@code jdk.unsupported} for the very
 * reason that nothing supported takes its place (JEP 260). It is called by reflection because javac warns of it, which
 * cannot be suppressed, and because a JVM may come without the module.
 *
 * <p>Threading: stateless; each signal comes on a thread of its own.
 */
final class Signals {
    private static final Logger log = LoggerFactory.getLogger(Signals.class);

    private Signals() {}

    /**
     * Calls an action at each signal from now on. Where that cannot be, the JVM ends by the signal as it would otherwise, and
     * a warning says so.
     *
     * @param name without {@code SIG}
     * @param effect what the signal does, for the warning, such as {@code drain}
     */
    static void handle(String name, String effect, Runnable action) {
        try {
            Class<?> signal = Class.forName("sun.misc.Signal");
            Class<?> listener = Class.forName("sun.misc.SignalHandler");
            signal.getMethod("handle", signal, listener)
                    .invoke(
                            null,
                            signal.getConstructor(String.class).newInstance(name),
                            listener(signal, listener, any -> action.run()));
        } catch (
                ReflectiveOperationException e) { // no such module or signal, or a JVM that leaves signals alone (-Xrs)
            Throwable cause = e.getCause() != null ? e.getCause() : e;
            String reason = cause.toString(); // the exception itself would come with its stack trace
            log.warn("SIG{} will not {}: {}", name, effect, reason);
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
}
