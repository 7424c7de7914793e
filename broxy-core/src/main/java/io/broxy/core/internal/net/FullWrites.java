package io.broxy.core.internal.net;

import io.broxy.Connection;
import java.io.IOException;
import java.nio.ByteBuffer;

/** Writes all of a buffer, through connections that may take only a part of it at once. Threading: stateless. */
final class FullWrites {
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
            } else if (from.hasRemaining() && ++idleCalls == BridgedConnection.MAX_IDLE_CALLS) {
                throw new IOException("the connection writes nothing though it blocks");
            }
        } while (from.hasRemaining());
        return all;
    }
}
