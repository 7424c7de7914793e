package io.broxy.core.testkit;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.reflect.Method;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.util.List;

/** Kinds of threads, of which the JVM may have only one. */
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

    /**
     * Lets one thread of each kind wait for bytes that do not come: virtual threads wait by selectors that the JVM opens at
     * the first use and keeps.
     */
    static void waitOnce(Socket socket) throws IOException, InterruptedException {
        socket.setSoTimeout(1);
        for (Threads threads : available()) {
            threads.start(() -> waitForNothing(socket)).join();
        }
    }

    private static void waitForNothing(Socket socket) {
        try {
            int read = socket.getInputStream().read();
            throw new AssertionError("nobody has sent the byte " + read);
        } catch (SocketTimeoutException e) {
            // as it should be
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static Method startVirtual() throws NoSuchMethodException {
        return Thread.class.getMethod("startVirtualThread", Runnable.class);
    }
}
