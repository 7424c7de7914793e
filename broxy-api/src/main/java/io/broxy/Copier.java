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
     * Neither channel is closed or shut down. In steady state the copier itself allocates nothing.
     *
     * @param source a blocking channel
     * @param sink a blocking channel
     * @return the number of bytes copied
     * @throws CopyException if reading or writing fails; it carries the number of bytes copied before
     * @throws java.nio.channels.IllegalBlockingModeException if one of the channels is in non-blocking mode
     */
    long copy(ReadableByteChannel source, WritableByteChannel sink) throws CopyException;

    /**
     * Relays both directions between two connections and closes both in the end, like a tunnel whose client is {@code
     * a} and whose origin is {@code b}: back-pressure, half-close, resets and idle timeouts work the same. An event
     * loop relays connections over a {@link java.nio.channels.SocketChannel}; two threads relay others.
     *
     * @param a owned by the relay from now on
     * @param b owned by the relay from now on
     * @return the relay's handle, at once; its result has no target
     * @throws IllegalArgumentException if both are the same connection
     * @throws IllegalStateException if one of them has already passed to another owner; neither is touched then
     */
    Tunnel relay(Connection a, Connection b);
}
