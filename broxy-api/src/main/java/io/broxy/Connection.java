package io.broxy;

import java.io.IOException;
import java.net.Socket;
import java.net.SocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.ByteChannel;
import java.time.Duration;

/**
 * A connected, bidirectional byte stream with blocking reads and writes.
 *
 * <p>{@link #read} waits for at least one byte and returns -1 once the peer has ended its stream; {@link #readTimeout}
 * limits the wait. {@link #write} waits until the operating system has accepted all bytes of the buffer: it returns
 * with none {@linkplain ByteBuffer#remaining() remaining}, or throws. A connection has one owner at a time: passing it
 * to {@link Copier#relay} passes on its ownership.
 *
 * <p>Threading: one thread may read while another writes. Any thread may call {@link #close} and {@link #abort}, which
 * end a blocked read or write with {@link java.nio.channels.AsynchronousCloseException} or another {@link IOException}.
 * As with every interruptible channel, interrupting a blocked thread closes the connection. So does a read or a write
 * by a thread whose interrupt status is set: it fails with {@link java.nio.channels.ClosedByInterruptException}, and
 * the status stays set. Two kinds behave as their socket does instead: a connection over a {@link Socket} without a
 * channel, and the result of {@link #asSocket}.
 */
public interface Connection extends ByteChannel {

    /**
     * Reads at least one byte, unless the buffer has no room. A heap buffer may be filled only partly even if more
     * bytes have arrived.
     *
     * @return the number of bytes read, or -1 at the end of the peer's stream
     * @throws java.net.SocketTimeoutException if a {@linkplain #readTimeout(Duration) read timeout} is set and no byte
     *     came in that time; the connection remains usable
     * @throws IOException if the connection is closed or broken
     */
    @Override
    int read(ByteBuffer into) throws IOException;

    /**
     * Writes all bytes of the buffer, whatever its size, and whatever other threads do with the connection. It waits
     * without limit for a peer that reads slowly.
     *
     * @return the number of bytes that were remaining before; none are afterwards
     * @throws IOException if the connection is closed, including by another thread or an interrupt meanwhile, or
     *     broken. How much of the buffer was sent is then unknown: at best, the buffer's position says what the
     *     operating system has accepted, and never what the peer has received. The stream cannot be continued.
     */
    @Override
    int write(ByteBuffer from) throws IOException;

    /**
     * Limits how long each blocking {@link #read} waits, from now on; zero, the initial value, means no limit. {@link
     * #asSocket} shares this timeout: {@link Socket#setSoTimeout} sets it, and vice versa. A read in progress keeps its
     * limit. A relay has idle timeouts of its own and ignores this one.
     *
     * @param timeout rounded up to milliseconds
     * @throws IllegalArgumentException if it is negative
     * @throws UnsupportedOperationException if this connection has no timeouts; all of Broxy's own have
     * @throws IOException if the connection is closed or has passed to another owner
     */
    default void readTimeout(Duration timeout) throws IOException {
        throw new UnsupportedOperationException("this connection has no read timeout");
    }

    /** How long a blocking {@link #read} waits at most; zero means no limit. */
    default Duration readTimeout() {
        return Duration.ZERO;
    }

    /** The local address. */
    SocketAddress localAddress();

    /**
     * The address of the peer that the connection was opened to, an IPv6 address with its scope. Behind a proxy it is
     * the proxy's address, because the target's is unknown.
     */
    SocketAddress remoteAddress();

    /**
     * Ends the output: after what was written, the peer reads the end of the stream (TCP FIN). Reading continues.
     * Repeated calls have no effect.
     *
     * @throws IOException if the connection is closed or broken
     */
    void shutdownOutput() throws IOException;

    /**
     * Closes at once and, if the transport can, signals to the peer that the stream was truncated (TCP RST). Unsent
     * bytes are dropped. On a closed connection it has no effect.
     */
    void abort();

    /**
     * Returns this connection as a {@link Socket}, for code that needs one: JDBC drivers, {@code SSLSocketFactory}
     * layering, HTTP clients. Streams, read timeouts, options and half-close work. Socket and connection share one
     * stream of bytes and one {@linkplain #readTimeout(Duration) read timeout}, and closing either closes both.
     *
     * <p>The socket behaves as the JDK's own sockets do. Interrupting a platform thread has no effect, not even while
     * it is blocked, and leaves its interrupt status set, while a virtual thread's blocked call closes the socket and
     * fails. A read or write that a close ends fails with a {@link java.net.SocketException}.
     *
     * @throws IOException if the connection is closed or has passed to another owner
     */
    Socket asSocket() throws IOException;

    /** Closes the connection; repeated calls change nothing. */
    @Override
    void close() throws IOException;
}
