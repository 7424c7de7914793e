package io.broxy.core.internal.socket;

import io.broxy.Connection;
import io.broxy.HostPort;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.SocketAddress;
import java.net.SocketException;
import java.net.SocketOption;
import java.net.SocketTimeoutException;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedByInterruptException;
import java.nio.channels.ClosedChannelException;
import java.time.Duration;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * A connection of ours as a {@link Socket}. Bytes go through the connection, and options to the socket below, except the
 * read timeout, which is the connection's. It behaves as the JDK's own sockets do: an interrupt does not close it on a
 * platform thread, a read or a write that a close ends fails with a {@link SocketException}.
 *
 * <p>Threading: as a socket's.
 */
public final class ConnectionSocket extends ClientSocket {

    /** A connection that can be seen as a socket. Threading: as {@link Connection} says. */
    public interface Viewed extends Connection {
        /** Reads as {@link #read(ByteBuffer)} does, with the connection's read timeout. */
        int read(ByteBuffer into, Interrupts interrupts) throws IOException;

        /**
         * Reads for a limited time, whatever the connection's read timeout.
         *
         * @param limitNanos how long to wait; 0 means without limit
         * @throws java.net.SocketTimeoutException if nothing comes in time; reading may go on afterwards
         */
        int readWithin(ByteBuffer into, long limitNanos, Interrupts interrupts) throws IOException;

        /** Writes as {@link #write(ByteBuffer)} does. */
        int write(ByteBuffer from, Interrupts interrupts) throws IOException;

        /** How many bytes can be read without waiting, as far as is known. */
        int available() throws IOException;

        /** The socket that carries it and has the options. */
        Socket transport() throws IOException;

        /** Whether the transport's urgent data is this connection's. */
        default boolean sendsUrgentData() {
            return false;
        }

        /** Notes that the user is about to set an option. */
        default void changing(SocketOption<?> option) throws IOException {}

        /** The target that it was dialed for, whose address {@link #remoteAddress} then is; null if that is unknown. */
        default @Nullable HostPort dialed() {
            return null;
        }
    }

    private ConnectionSocket(Viewed connection) throws SocketException {
        super(new Inside(connection));
    }

    /** A connected socket over a connection that is open. */
    public static Socket over(Viewed connection) throws IOException {
        connection.transport(); // fails if there is none
        ConnectionSocket socket = new ConnectionSocket(connection);
        socket.connect(connection.remoteAddress()); // only sets the state of java.net.Socket
        return socket;
    }

    /** Threading: as a socket's. */
    private static final class Inside extends Impl {
        private final Viewed connection;
        private volatile boolean inputShut;

        Inside(Viewed connection) {
            this.connection = connection;
        }

        @Override
        boolean isConnectionClosed() {
            return !connection.isOpen();
        }

        // ------------------------------------------------------------------ connecting

        @Override
        protected void connect(SocketAddress remote, int timeoutMillis) throws IOException {
            InetSocketAddress peer = (InetSocketAddress) remote;
            address = peer.getAddress();
            port = peer.getPort();
            localport = connection.transport().getLocalPort();
        }

        @Override
        protected void bind(InetAddress host, int port) throws IOException {
            throw new SocketException("the socket is connected");
        }

        // ------------------------------------------------------------------ the connection

        @Override
        protected InputStream getInputStream() throws SocketException {
            ensureOpen();
            return new Input();
        }

        @Override
        protected OutputStream getOutputStream() throws SocketException {
            ensureOpen();
            return new Output();
        }

        private void ensureOpen() throws SocketException {
            if (!connection.isOpen()) {
                throw new SocketException("Socket closed");
            }
        }

        @Override
        protected int available() throws IOException {
            ensureOpen();
            return inputShut ? 0 : connection.available();
        }

        @Override
        protected void shutdownInput() throws IOException {
            inputShut = true;
            connection.transport().shutdownInput(); // wakes a thread that reads
        }

        @Override
        protected void shutdownOutput() throws IOException {
            try {
                connection.shutdownOutput();
            } catch (IOException e) {
                throw asSocketsFail(e);
            }
        }

        @Override
        protected boolean supportsUrgentData() {
            return connection.sendsUrgentData();
        }

        @Override
        protected void sendUrgentData(int data) throws IOException {
            if (!connection.sendsUrgentData()) {
                throw new SocketException("this socket sends no urgent data");
            }
            connection.transport().sendUrgentData(data);
        }

        /** Users of sockets know the exceptions of sockets, and not those of channels. */
        private IOException asSocketsFail(IOException e) {
            if (e instanceof SocketException || e instanceof SocketTimeoutException) {
                return e;
            }
            String message;
            if (e instanceof ClosedByInterruptException) {
                message = "Closed by interrupt";
            } else if (!connection.isOpen()) {
                message = "Socket closed";
            } else if (e instanceof ClosedChannelException) {
                message = "Socket output is shutdown";
            } else if (e.getClass() == IOException.class) { // as "Broken pipe" is
                message = e.getMessage();
            } else {
                return e;
            }
            return because(new SocketException(message), e);
        }

        @Override
        protected void close() throws IOException {
            connection.close();
        }

        /** Threading: for one thread. */
        private final class Input extends InputStream {
            @Override
            public int read() throws IOException {
                byte[] one = new byte[1];
                return read(one, 0, 1) < 0 ? -1 : one[0] & 0xff;
            }

            @Override
            public int read(byte[] bytes, int offset, int length) throws IOException {
                ByteBuffer into = ByteBuffer.wrap(bytes, offset, length);
                if (inputShut) {
                    return -1;
                }
                try {
                    int count = connection.read(into, Interrupts.AS_SOCKETS);
                    if (count < 0 && !inputShut) {
                        ensureOpen(); // fails if a close of this side has made that end
                    }
                    return count;
                } catch (IOException e) {
                    if (inputShut && connection.isOpen()) {
                        return -1;
                    }
                    throw asSocketsFail(e);
                }
            }

            @Override
            public int available() throws IOException {
                return Inside.this.available();
            }

            @Override
            public void close() throws IOException {
                connection.close();
            }
        }

        /** Threading: for one thread. */
        private final class Output extends OutputStream {
            @Override
            public void write(int b) throws IOException {
                write(new byte[] {(byte) b}, 0, 1);
            }

            @Override
            public void write(byte[] bytes, int offset, int length) throws IOException {
                ByteBuffer from = ByteBuffer.wrap(bytes, offset, length);
                try {
                    connection.write(from, Interrupts.AS_SOCKETS);
                } catch (IOException e) {
                    throw asSocketsFail(e);
                }
            }

            @Override
            public void close() throws IOException {
                connection.close();
            }
        }

        // ------------------------------------------------------------------ options

        @Override
        Set<SocketOption<?>> supported() throws IOException {
            return ImplOptions.supported(connection.transport());
        }

        @Override
        void setTimeout(int millis) throws IOException {
            connection.readTimeout(Duration.ofMillis(millis));
        }

        @Override
        int timeout() {
            return (int) connection.readTimeout().toMillis();
        }

        @Override
        InetAddress localAddress() throws IOException {
            return connection.transport().getLocalAddress();
        }

        @Override
        void set(SocketOption<?> option, Object value) throws IOException {
            ensureOpen();
            connection.changing(option);
            ImplOptions.set(connection.transport(), option, value);
        }

        @Override
        Object get(SocketOption<?> option) throws IOException {
            ensureOpen();
            return ImplOptions.get(connection.transport(), option);
        }
    }
}
