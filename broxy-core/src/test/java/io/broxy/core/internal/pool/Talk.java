package io.broxy.core.internal.pool;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import io.broxy.ConnPool.Lease;
import io.broxy.Connection;
import io.broxy.PoolStats;
import java.io.EOFException;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.time.Duration;

/** Words for tests that talk over leased connections. */
final class Talk {
    static final Duration PATIENCE = Duration.ofSeconds(20);

    private Talk() {}

    /** Sends a text and reads as many bytes back. */
    static String ask(Connection connection, String text) throws IOException {
        ByteBuffer out = ByteBuffer.wrap(text.getBytes(ISO_8859_1));
        while (out.hasRemaining()) {
            connection.write(out);
        }
        return read(connection, text.length());
    }

    static String ask(Lease lease, String text) throws IOException {
        return ask(lease.connection(), text);
    }

    static String read(Connection connection, int count) throws IOException {
        ByteBuffer in = ByteBuffer.allocate(count);
        while (in.hasRemaining()) {
            if (connection.read(in) < 0) {
                throw new EOFException("the stream ended after " + in.position() + " of " + count + " bytes");
            }
        }
        return new String(in.array(), ISO_8859_1);
    }

    static int port(Connection connection) {
        return ((InetSocketAddress) connection.localAddress()).getPort();
    }

    /** Where every connection that was created has gone. */
    static long accountedFor(PoolStats stats) {
        return stats.idle() + stats.leased() + stats.evicted() + stats.discarded() + stats.detached() + stats.leaked();
    }
}
