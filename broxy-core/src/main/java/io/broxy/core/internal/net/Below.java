package io.broxy.core.internal.net;

import io.broxy.Connection;
import io.broxy.core.internal.socket.ConnectionSocket;
import io.broxy.core.internal.socket.Interrupts;
import java.io.IOException;
import java.nio.ByteBuffer;

/**
 * Reads and writes of the connection under another one, which may be ours or another author's.
 *
 * <p>Threading: as {@link Connection} says.
 */
public final class Below {
    /** A blocking connection moves bytes on each call; one that moves none on so many calls in a row never will. */
    public static final int MAX_IDLE_CALLS = 1_000;

    private Below() {}

    /**
     * Reads as {@link ConnectionSocket.Viewed#readWithin} does. Another author's connection is read through its socket if
     * there is a limit, and an interrupt does what it does there.
     */
    public static int read(Connection below, ByteBuffer into, long limitNanos, Interrupts interrupts)
            throws IOException {
        if (below instanceof ConnectionSocket.Viewed own) {
            return own.readWithin(into, limitNanos, interrupts);
        }
        return limitNanos == 0 ? below.read(into) : TimedReads.read(below.asSocket(), into, limitNanos);
    }

    /**
     * Writes all bytes, also to another author's connection that breaks its contract and takes only a part on each call.
     *
     * @throws IOException if the write fails, or if the connection goes on taking nothing
     */
    public static int write(Connection below, ByteBuffer from, Interrupts interrupts) throws IOException {
        if (below instanceof ConnectionSocket.Viewed own) {
            return own.write(from, interrupts);
        }
        int all = from.remaining();
        int idleCalls = 0;
        do {
            if (below.write(from) > 0) {
                idleCalls = 0;
            } else if (from.hasRemaining() && ++idleCalls == MAX_IDLE_CALLS) {
                throw new IOException("the connection writes nothing though it blocks");
            }
        } while (from.hasRemaining());
        return all;
    }
}
