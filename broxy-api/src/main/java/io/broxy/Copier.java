package io.broxy;

import java.nio.channels.ReadableByteChannel;
import java.nio.channels.WritableByteChannel;

/**
 * Moves bytes with pooled buffers.
 *
 * <p>Threading: thread-safe.
 */
public interface Copier {

    /**
     * Copies from the source to the sink until the source ends, on the calling thread. Short writes are continued.
     * Neither channel is closed or shut down. The copier itself allocates nothing in its steady state.
     *
     * @param source a blocking channel
     * @param sink a blocking channel
     * @return how many bytes went over
     * @throws CopyException if reading or writing fails; it carries how many bytes went over before
     * @throws java.nio.channels.IllegalBlockingModeException if one of the channels is in non-blocking mode
     */
    long copy(ReadableByteChannel source, WritableByteChannel sink) throws CopyException;

    /**
     * Relays both directions between two connections and closes both in the end, like a tunnel whose client is
     * {@code a} and whose origin is {@code b}: back-pressure, half-close, resets and idle clocks work the same.
     * Connections over a {@link java.nio.channels.SocketChannel} are relayed on an event loop, others by two threads.
     *
     * @param a given away with this call
     * @param b given away with this call
     * @return at once, a handle on the running relay; its result has no target
     * @throws IllegalArgumentException if both are the same connection
     * @throws IllegalStateException if one of them has already been given away; neither is touched then
     */
    Tunnel relay(Connection a, Connection b);
}
