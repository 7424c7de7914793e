package io.broxy.core.internal.dial;

import io.broxy.Connection;
import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteBuffer;

/**
 * A handshake over a connection that no loop can drive, on a thread that may block. It reads byte by byte, for what is read
 * too far could not be put back. It has no time limit of its own: whoever has one aborts the connection.
 *
 * <p>Threading: stateless.
 */
final class ForeignTalk {
    private ForeignTalk() {}

    /**
     * Talks until the way is open.
     *
     * @throws HandshakeException if the proxy refuses, or breaks its protocol
     * @throws IOException if the connection breaks
     */
    static void run(Connection connection, Handshake handshake) throws HandshakeException, IOException {
        ByteBuffer in = ByteBuffer.allocate(1);
        write(connection, handshake.output());
        while (true) {
            if (connection.read(in.clear()) < 0) {
                throw new EOFException("the proxy ended the connection before its answer");
            }
            switch (handshake.feed(in.flip())) {
                case READ -> {}
                case SEND -> write(connection, handshake.output());
                case DONE -> {
                    return;
                }
            }
        }
    }

    private static void write(Connection connection, ByteBuffer bytes) throws IOException {
        while (bytes.hasRemaining()) {
            connection.write(bytes);
        }
    }
}
