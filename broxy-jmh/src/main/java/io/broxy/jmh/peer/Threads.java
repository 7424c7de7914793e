package io.broxy.jmh.peer;

import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.MethodType;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import org.jspecify.annotations.Nullable;

/** Executors with one thread per task. Threading: thread-safe. */
final class Threads {
    /** {@code Executors.newVirtualThreadPerTaskExecutor}, available since Java 21, or null. */
    private static final @Nullable MethodHandle VIRTUAL = find();

    private Threads() {}

    private static @Nullable MethodHandle find() {
        if (Runtime.version().feature() < 21) {
            return null; // a preview in 19 and 20, which throws
        }
        try {
            return MethodHandles.publicLookup()
                    .findStatic(
                            Executors.class,
                            "newVirtualThreadPerTaskExecutor",
                            MethodType.methodType(ExecutorService.class));
        } catch (ReflectiveOperationException e) {
            throw new IllegalStateException("this Java should have virtual threads", e);
        }
    }

    static boolean haveVirtual() {
        return VIRTUAL != null;
    }

    /** A virtual thread for each task. */
    static ExecutorService virtual() {
        if (VIRTUAL == null) {
            throw new UnsupportedOperationException("this Java has no virtual threads");
        }
        try {
            return (ExecutorService) VIRTUAL.invokeExact();
        } catch (RuntimeException | Error e) {
            throw e;
        } catch (Throwable e) {
            throw new IllegalStateException(e);
        }
    }

    /** Reused daemon threads. */
    static ExecutorService platform() {
        return Executors.newCachedThreadPool(task -> {
            Thread thread = new Thread(task, "blocking-proxy");
            thread.setDaemon(true);
            return thread;
        });
    }
}
