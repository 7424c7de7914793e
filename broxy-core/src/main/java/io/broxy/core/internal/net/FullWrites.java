package io.broxy.core.internal.net;

import io.broxy.Connection;
import java.io.IOException;
import java.nio.ByteBuffer;

/** Writes all of a buffer, through connections that may take only a part of it at once. Threading: stateless. */
public final class FullWrites {
    /** A blocking connection moves something on each call; one that did not for so long never will. */
    public static final int MAX_IDLE_CALLS = 1_000;

    private FullWrites() {}

    /**
     * Writes all.
     *
     * @throws IOException as the connection says, or if it goes on taking nothing
     */
    static int write(Connection connection, ByteBuffer from) throws IOException {
        int all = from.remaining();
        int idleCalls = 0;
        do {
            if (connection.write(from) > 0) {
                idleCalls = 0;
            } else if (from.hasRemaining() && ++idleCalls == MAX_IDLE_CALLS) {
                throw new IOException("the connection writes nothing though it blocks");
            }
        } while (from.hasRemaining());
        return all;
    }
}
