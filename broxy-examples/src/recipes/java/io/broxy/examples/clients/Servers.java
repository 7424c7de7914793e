package io.broxy.examples.clients;

import org.jspecify.annotations.Nullable;

/** The servers of a test class. Threading: stateless. */
final class Servers {
    private Servers() {}

    /** Stops those that were started. */
    static void stop(@Nullable AutoCloseable... servers) throws Exception {
        for (AutoCloseable server : servers) {
            if (server != null) {
                server.close();
            }
        }
    }
}
