package io.broxy.core.internal.loop;

import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.MethodType;
import java.lang.reflect.InvocationTargetException;
import java.util.concurrent.ThreadFactory;
import org.jspecify.annotations.Nullable;

/** Virtual threads (JEP 444) where the JVM has them; the baseline, Java 17, has none. Threading: thread-safe. */
public final class VirtualThreads {
    private static final @Nullable MethodHandle IS_VIRTUAL = find();

    private VirtualThreads() {}

    private static @Nullable MethodHandle find() {
        try {
            return MethodHandles.publicLookup()
                    .findVirtual(Thread.class, "isVirtual", MethodType.methodType(boolean.class));
        } catch (ReflectiveOperationException e) {
            return null; // Java 17 to 20
        }
    }

    /** Whether a thread is virtual. */
    public static boolean isVirtual(Thread thread) {
        if (IS_VIRTUAL == null) {
            return false;
        }
        try {
            return (boolean) IS_VIRTUAL.invokeExact(thread);
        } catch (Throwable e) {
            throw new IllegalStateException("Thread.isVirtual() failed", e);
        }
    }

    /** Creates virtual threads with numbered names; null if the JVM has none. */
    static @Nullable ThreadFactory factory(String prefix) {
        if (IS_VIRTUAL == null) {
            return null;
        }
        try {
            Class<?> builder = Class.forName("java.lang.Thread$Builder");
            Object virtual = Thread.class.getMethod("ofVirtual").invoke(null);
            Object named = builder.getMethod("name", String.class, long.class).invoke(virtual, prefix, 1L);
            return (ThreadFactory) builder.getMethod("factory").invoke(named);
        } catch (InvocationTargetException e) {
            if (e.getCause() instanceof UnsupportedOperationException) {
                return null; // Java 19 and 20, where they are a disabled preview
            }
            throw new IllegalStateException("this JVM has virtual threads but makes none", e);
        } catch (ReflectiveOperationException e) {
            throw new IllegalStateException("this JVM has virtual threads but makes none", e);
        }
    }
}
