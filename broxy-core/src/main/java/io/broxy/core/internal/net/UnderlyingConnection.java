package io.broxy.core.internal.net;

import io.broxy.Connection;
import io.broxy.core.internal.socket.ConnectionSocket;
import io.broxy.core.internal.socket.Interrupts;
import java.io.IOException;
import java.nio.ByteBuffer;

/**
 * Reads and writes of a connection that another connection wraps. It may be one of Broxy's own or a third-party implementation.
 *
 * <p>Threading: as {@link Connection} says.
 */
public final class UnderlyingConnection {
    /** A blocking connection transfers bytes on each call; one that transfers none in this many calls in a row is broken. */
    public static final int MAX_IDLE_CALLS = 1_000;

    private UnderlyingConnection() {}

    /**
     * Reads as {@link ConnectionSocket.Viewed#readWithin} does. A third-party connection is read through its socket if there is
     * a time limit, and handles interrupts in its own manner.
     */
    public static int read(Connection below, ByteBuffer into, long limitNanos, Interrupts interrupts)
            throws IOException {
        if (below instanceof ConnectionSocket.Viewed viewed) {
            return viewed.readWithin(into, limitNanos, interrupts);
        }
        return limitNanos == 0 ? below.read(into) : TimedReads.read(below.asSocket(), into, limitNanos);
    }

    /**
     * Writes all bytes, even to a third-party connection that violates its contract and accepts only part of them on each call.
     *
     * @throws IOException if the write fails, or the connection keeps accepting nothing
     */
    public static int write(Connection below, ByteBuffer from, Interrupts interrupts) throws IOException {
        if (below instanceof ConnectionSocket.Viewed viewed) {
            return viewed.write(from, interrupts);
        }
        int all = from.remaining();
        int idleCalls = 0;
        do {
            if (below.write(from) > 0) {
                idleCalls = 0;
            } else if (from.hasRemaining() && ++idleCalls == MAX_IDLE_CALLS) {
                throw new IOException("the blocking connection writes no bytes");
            }
        } while (from.hasRemaining());
        return all;
    }
}
