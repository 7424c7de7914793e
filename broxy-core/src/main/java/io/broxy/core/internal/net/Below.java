package io.broxy.core.internal.net;

import io.broxy.Connection;
import io.broxy.core.internal.socket.ConnectionSocket;
import io.broxy.core.internal.socket.Interrupts;
import java.io.IOException;
import java.nio.ByteBuffer;

/**
 * The connection under another one, which may be of ours or somebody else's.
 *
 * <p>Threading: as {@link Connection} says.
 */
public final class Below {
    private Below() {}

    /**
     * Reads as {@link ConnectionSocket.Viewed#readWithin} does; of a connection that is not ours it goes through its socket
     * if there is a limit, and an interrupt does what it does there.
     */
    public static int read(Connection below, ByteBuffer into, long limitNanos, Interrupts interrupts)
            throws IOException {
        if (below instanceof ConnectionSocket.Viewed own) {
            return own.readWithin(into, limitNanos, interrupts);
        }
        return limitNanos == 0 ? below.read(into) : TimedReads.read(below.asSocket(), into, limitNanos);
    }

    /** Writes all of it. */
    public static void write(Connection below, ByteBuffer from, Interrupts interrupts) throws IOException {
        if (below instanceof ConnectionSocket.Viewed own) {
            own.write(from, interrupts);
        } else {
            FullWrites.write(below, from);
        }
    }
}
