package io.broxy.core.testkit;

import java.lang.reflect.Method;
import java.util.List;

/** Platform and virtual threads; a JVM may have only the former. */
public enum Threads {
    /** Threads of the system. */
    PLATFORM {
        @Override
        public Thread start(Runnable task) {
            Thread thread = new Thread(task, "test");
            thread.setDaemon(true);
            thread.start();
            return thread;
        }
    },
    /** Virtual threads (JEP 444). */
    VIRTUAL {
        @Override
        public Thread start(Runnable task) {
            try {
                return (Thread) startVirtual().invoke(null, task);
            } catch (ReflectiveOperationException e) {
                throw new LinkageError("this JVM has no virtual threads", e);
            }
        }
    };

    /** Starts a thread. */
    public abstract Thread start(Runnable task);

    /** Those that this JVM has. */
    public static List<Threads> available() {
        try {
            startVirtual();
            return List.of(values());
        } catch (NoSuchMethodException e) {
            return List.of(PLATFORM); // Java 17 to 20
        }
    }

    private static Method startVirtual() throws NoSuchMethodException {
        return Thread.class.getMethod("startVirtualThread", Runnable.class);
    }
}
