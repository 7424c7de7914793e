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
import java.net.SocketImpl;
import java.net.SocketOption;
import java.net.SocketOptions;
import java.net.SocketTimeoutException;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedByInterruptException;
import java.nio.channels.ClosedChannelException;
import java.time.Duration;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * A connection of ours as a {@link Socket}. Bytes go through the connection, and options to the socket below, but for the
 * read time-out, which is the connection's. It behaves as the JDK's own sockets do: an interrupt does not close it on a
 * platform thread, a read or a write that a close ends fails with a {@link SocketException}.
 *
 * <p>Threading: as a socket's.
 */
public final class ConnectionSocket extends Socket {
    private final Viewed connection;

    /** What can be seen as a socket. Threading: as {@link Connection} says. */
    public interface Viewed extends Connection {
        /** Reads as {@link #read(ByteBuffer)} does, with the connection's read time-out. */
        int read(ByteBuffer into, Interrupts interrupts) throws IOException;

        /**
         * Reads for a limited time, whatever the connection's read time-out.
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

        /** Told before its user sets an option. */
        default void changing(SocketOption<?> option) throws IOException {}

        /** What it was connected for, which makes {@link #remoteAddress} that target's address; null if that is unknown. */
        default @Nullable HostPort dialed() {
            return null;
        }
    }

    private ConnectionSocket(Viewed connection) throws SocketException {
        super(new Inside(connection));
        this.connection = connection;
    }

    /** A connected socket over a connection that is open. */
    public static Socket over(Viewed connection) throws IOException {
        connection.transport(); // which there has to be
        ConnectionSocket socket = new ConnectionSocket(connection);
        socket.connect(connection.remoteAddress()); // which its inside takes as done; java.net.Socket notes the state
        return socket;
    }

    @Override
    public boolean isClosed() {
        return super.isClosed() || !connection.isOpen();
    }

    /** A newer JDK's socket asks its own state, and not {@link #isClosed}. */
    @Override
    public InputStream getInputStream() throws IOException {
        ensureOpen();
        return super.getInputStream();
    }

    @Override
    public OutputStream getOutputStream() throws IOException {
        ensureOpen();
        return super.getOutputStream();
    }

    private void ensureOpen() throws SocketException {
        if (isClosed()) {
            throw new SocketException("Socket is closed");
        }
    }

    /** Asked each time, for {@link Socket} would keep the first answer. */
    @Override
    public Set<SocketOption<?>> supportedOptions() {
        try {
            return isClosed() ? Set.of() : ImplOptions.supported(connection.transport());
        } catch (IOException e) { // it was closed meanwhile
            return Set.of();
        }
    }

    /** Threading: as a socket's. */
    private static final class Inside extends SocketImpl {
        private final Viewed connection;
        private volatile boolean inputShut;

        Inside(Viewed connection) {
            this.connection = connection;
        }

        // ------------------------------------------------------------------ connecting

        @Override
        protected void create(boolean stream) {}

        @Override
        protected void connect(SocketAddress remote, int timeoutMillis) throws IOException {
            InetSocketAddress peer = (InetSocketAddress) remote;
            address = peer.getAddress();
            port = peer.getPort();
            localport = connection.transport().getLocalPort();
        }

        @Override
        protected void connect(String host, int port) throws IOException {
            throw connected();
        }

        @Override
        protected void connect(InetAddress address, int port) throws IOException {
            throw connected();
        }

        @Override
        protected void bind(InetAddress host, int port) throws IOException {
            throw connected();
        }

        @Override
        protected void listen(int backlog) throws IOException {
            throw connected();
        }

        @Override
        protected void accept(SocketImpl into) throws IOException {
            throw connected();
        }

        private static SocketException connected() {
            return new SocketException("the socket is connected");
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

        /** Code that uses sockets knows their exceptions, and not those of channels. */
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
            SocketException failure = new SocketException(message);
            failure.initCause(e);
            return failure;
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
                        ensureOpen(); // or else the end is that of a close
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
        protected Set<SocketOption<?>> supportedOptions() {
            throw new IllegalStateException("the socket itself answers this");
        }

        @Override
        protected <T> void setOption(SocketOption<T> name, T value) throws IOException {
            set(name, value);
        }

        @Override
        protected <T> T getOption(SocketOption<T> name) throws IOException {
            return name.type().cast(get(name));
        }

        @Override
        public void setOption(int option, Object value) throws SocketException {
            try {
                if (option == SocketOptions.SO_TIMEOUT) {
                    connection.readTimeout(Duration.ofMillis((Integer) value));
                } else {
                    SocketOption<?> name = ImplOptions.named(option);
                    set(name, ImplOptions.valueByName(name, value));
                }
            } catch (IOException e) {
                throw ImplOptions.asSocketException(e);
            }
        }

        @Override
        public Object getOption(int option) throws SocketException {
            try {
                return switch (option) {
                    case SocketOptions.SO_TIMEOUT ->
                        (int) connection.readTimeout().toMillis();
                    case SocketOptions.SO_BINDADDR -> connection.transport().getLocalAddress();
                    default -> get(ImplOptions.named(option));
                };
            } catch (IOException e) {
                throw ImplOptions.asSocketException(e);
            }
        }

        private void set(SocketOption<?> option, Object value) throws IOException {
            ensureOpen();
            connection.changing(option);
            ImplOptions.set(connection.transport(), option, value);
        }

        private Object get(SocketOption<?> option) throws IOException {
            ensureOpen();
            return ImplOptions.get(connection.transport(), option);
        }
    }
}
