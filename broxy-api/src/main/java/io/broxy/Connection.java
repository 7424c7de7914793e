package io.broxy;

import java.io.IOException;
import java.net.Socket;
import java.net.SocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.ByteChannel;
import java.time.Duration;

/**
 * A connected duplex byte stream, blocking for its user.
 *
 * <p>{@link #read} waits for at least one byte and returns -1 once the peer has ended its stream; {@link #readTimeout} limits
 * the wait. {@link #write} waits until the operating system has taken over all bytes of the buffer: it returns with none
 * {@linkplain ByteBuffer#remaining() remaining} or throws. A connection has one owner at a time: whoever passes it to {@link
 * Copier#relay} gives it away.
 *
 * <p>Threading: one thread may read while another writes; {@link #close} and {@link #abort} may be called by any
 * thread and end a blocked read or write with {@link java.nio.channels.AsynchronousCloseException} or another
 * {@link IOException}. As with every interruptible channel, interrupting a blocked thread closes the connection, and so does
 * a read or a write by a thread whose interrupt status is set: it fails with {@link
 * java.nio.channels.ClosedByInterruptException}, and the status stays. Two kinds go by their socket instead: a connection
 * over a {@link Socket} without a channel, and what {@link #asSocket} gives.
 */
public interface Connection extends ByteChannel {

    /**
     * Reads at least one byte, unless the buffer has no room. A buffer on the heap may be filled only in part though more
     * bytes have come.
     *
     * @return how many bytes were read, or -1 at the end of the peer's stream
     * @throws java.net.SocketTimeoutException if a {@linkplain #readTimeout(Duration) read time-out} is set and nothing came
     *     in that time; the connection can be used as before
     * @throws IOException if the connection is closed or broken
     */
    @Override
    int read(ByteBuffer into) throws IOException;

    /**
     * Writes all bytes of the buffer, whatever its size, and whatever other threads do with the connection. It waits for a
     * peer that reads slowly, without limit.
     *
     * @return how many bytes were remaining before; none are afterwards
     * @throws IOException if the connection is closed, also by another thread or an interrupt meanwhile, or broken. How much
     *     of the buffer has gone out is unknown then: its position says at best what the operating system has taken over,
     *     and nothing of what the peer has got. The stream cannot be continued.
     */
    @Override
    int write(ByteBuffer from) throws IOException;

    /**
     * Limits how long each blocking {@link #read} waits, from now on; zero, which is the beginning, means without limit. It
     * is the time-out of {@link #asSocket}, too: {@link Socket#setSoTimeout} sets this, and the other way round. A read that
     * is under way keeps its limit. A relay has idle time-outs of its own and ignores this.
     *
     * @param timeout rounded up to milliseconds
     * @throws IllegalArgumentException if it is negative
     * @throws UnsupportedOperationException if this connection has no time-outs; each of Broxy's own has
     * @throws IOException if the connection is closed or has been given away
     */
    default void readTimeout(Duration timeout) throws IOException {
        throw new UnsupportedOperationException("this connection has no read time-out");
    }

    /** How long a blocking {@link #read} waits at most; zero means without limit. */
    default Duration readTimeout() {
        return Duration.ZERO;
    }

    /** The address of this side. */
    SocketAddress localAddress();

    /**
     * The address of the peer that the connection was opened to, an IPv6 address with its scope. Behind a proxy it is the
     * proxy's, for the target's is not known.
     */
    SocketAddress remoteAddress();

    /**
     * Ends the output: the peer reads end of stream (TCP FIN) behind what was written. Reading goes on. Repeated calls
     * change nothing.
     *
     * @throws IOException if the connection is closed or broken
     */
    void shutdownOutput() throws IOException;

    /**
     * Closes at once and, where the transport can, tells the peer that the stream was cut (TCP RST) and did not end.
     * Unsent bytes are dropped. On a closed connection it does nothing.
     */
    void abort();

    /**
     * This connection as a {@link Socket}, for code that wants one: JDBC drivers, {@code SSLSocketFactory} layering,
     * HTTP clients. Streams, read time-outs, options and half-close work. Socket and connection share one stream of bytes,
     * one {@linkplain #readTimeout(Duration) read time-out} and one life: closing either closes both.
     *
     * <p>It behaves as the JDK's own sockets do: interrupting a platform thread changes nothing, not even while it is
     * blocked, and leaves its interrupt status set, while a virtual thread's blocked call closes the socket and fails; a
     * read or a write that a close ends fails with a {@link java.net.SocketException}.
     *
     * @throws IOException if the connection is closed or has been given away
     */
    Socket asSocket() throws IOException;

    /** Closes the connection; repeated calls change nothing. */
    @Override
    void close() throws IOException;
}
