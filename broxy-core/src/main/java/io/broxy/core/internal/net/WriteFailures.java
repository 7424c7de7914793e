package io.broxy.core.internal.net;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.Pipe;
import org.jspecify.annotations.Nullable;
import org.slf4j.LoggerFactory;

/**
 * Distinguishes the causes of failed writes. The kernel reports EPIPE if the peer had ended its stream before the connection
 * broke, so that the peer's bytes are complete, and ECONNRESET otherwise. It reports either only once; a later read sees just
 * the end of the stream. The JDK throws the same exception for both, with the system's text, which depends on the locale, so
 * this class obtains the text of EPIPE from a pipe whose reading end is closed.
 *
 * <p>Threading: thread-safe.
 */
public final class WriteFailures {
    private static final @Nullable String BROKEN_PIPE = brokenPipe();

    private WriteFailures() {}

    /** Obtains the text early, while the process still has free descriptors. */
    public static void learn() {
        // this call initializes the class
    }

    /** Whether the peer had ended its own stream before the write failed. */
    public static boolean isAfterEnd(IOException failure) {
        return failure instanceof PeerEndedException
                || (BROKEN_PIPE != null && BROKEN_PIPE.equals(failure.getMessage()));
    }

    private static @Nullable String brokenPipe() {
        try {
            Pipe pipe = Pipe.open();
            try (Pipe.SinkChannel sink = pipe.sink()) {
                pipe.source().close();
                sink.write(ByteBuffer.allocate(1));
                return null;
            } catch (IOException e) {
                return e.getMessage();
            }
        } catch (IOException e) {
            LoggerFactory.getLogger(WriteFailures.class)
                    .warn("no pipe could be opened: every broken connection will count as reset", e);
            return null;
        }
    }
}
