package io.broxy;

import java.io.IOException;
import java.net.Socket;
import java.net.SocketAddress;
import java.nio.channels.ByteChannel;

/**
 * A connected duplex byte stream, blocking for its user.
 *
 * <p>{@link #read} waits for at least one byte and returns -1 once the peer has ended its stream; {@link #write} waits
 * until all bytes are taken over by the operating system. A connection has one owner at a time: whoever passes it to
 * {@link Copier#relay} gives it away.
 *
 * <p>Threading: one thread may read while another writes; {@link #close} and {@link #abort} may be called by any
 * thread and end a blocked read or write with {@link java.nio.channels.AsynchronousCloseException} or another
 * {@link IOException}. As with every interruptible channel, interrupting a blocked thread closes the connection.
 */
public interface Connection extends ByteChannel {

    /** The address of this side. */
    SocketAddress localAddress();

    /** The address of the peer that the connection was opened to; behind a proxy, the proxy's. */
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
     * HTTP clients. Streams, read time-outs and half-close work. Socket and connection share one stream of bytes and
     * one life: closing either closes both.
     *
     * @throws IOException if the connection is closed or has been given away
     */
    Socket asSocket() throws IOException;

    /** Closes the connection; repeated calls change nothing. */
    @Override
    void close() throws IOException;
}
