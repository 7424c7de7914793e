package io.broxy.core.internal.net;

import io.broxy.Connection;
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
import java.nio.ByteBuffer;
import java.util.Set;

/**
 * A connection of ours as a {@link Socket}, where it has none that knows all of it: bytes left over, or TLS. Bytes go
 * through the connection; options go to the socket below, but for the read time-out, which is kept here.
 *
 * <p>Threading: as a socket's.
 */
final class ConnectionSocket extends Socket {
    private final Viewed connection;

    /** What can be seen as a socket. Threading: as {@link Connection} says. */
    interface Viewed extends Connection {
        /**
         * Reads as {@link #read} does, for a limited time.
         *
         * @param timeoutMillis how long to wait; 0 means without limit
         * @throws java.net.SocketTimeoutException if nothing comes in time; reading may go on afterwards
         */
        int readWithin(ByteBuffer into, int timeoutMillis) throws IOException;

        /** How many bytes can be read without waiting, as far as is known. */
        int available() throws IOException;

        /** The socket that carries it and has the options. */
        Socket transport() throws IOException;
    }

    private ConnectionSocket(Viewed connection) throws SocketException {
        super(new Inside(connection));
        this.connection = connection;
    }

    /** A connected socket over a connection that is open. */
    static Socket over(Viewed connection) throws IOException {
        ConnectionSocket socket = new ConnectionSocket(connection);
        socket.connect(connection.remoteAddress()); // which its inside takes as done; java.net.Socket notes the state
        return socket;
    }

    @Override
    public boolean isClosed() {
        return super.isClosed() || !connection.isOpen();
    }

    /** Threading: as a socket's. */
    private static final class Inside extends SocketImpl {
        private final Viewed connection;
        private volatile int timeoutMillis;
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

        /** A newer JDK's socket does not ask {@link ConnectionSocket#isClosed} but its own state. */
        private void ensureOpen() throws SocketException {
            if (!connection.isOpen()) {
                throw new SocketException("Socket is closed");
            }
        }

        @Override
        protected int available() throws IOException {
            return inputShut ? 0 : connection.available();
        }

        @Override
        protected void shutdownInput() throws IOException {
            inputShut = true;
            connection.transport().shutdownInput(); // wakes a thread that reads
        }

        @Override
        protected void shutdownOutput() throws IOException {
            connection.shutdownOutput();
        }

        @Override
        protected void sendUrgentData(int data) throws IOException {
            throw new SocketException("this socket sends no urgent data");
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
                    return connection.readWithin(into, timeoutMillis);
                } catch (IOException e) {
                    if (inputShut) {
                        return -1;
                    }
                    throw e;
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
                while (from.hasRemaining()) {
                    connection.write(from);
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
            return ImplOptions.SUPPORTED;
        }

        @Override
        protected <T> void setOption(SocketOption<T> name, T value) throws IOException {
            connection.transport().setOption(name, value);
        }

        @Override
        protected <T> T getOption(SocketOption<T> name) throws IOException {
            return connection.transport().getOption(name);
        }

        @Override
        public void setOption(int option, Object value) throws SocketException {
            if (option == SocketOptions.SO_TIMEOUT) {
                timeoutMillis = (Integer) value;
            } else {
                ImplOptions.set(transport(), option, value);
            }
        }

        @Override
        public Object getOption(int option) throws SocketException {
            return option == SocketOptions.SO_TIMEOUT ? timeoutMillis : ImplOptions.get(transport(), option);
        }

        private Socket transport() throws SocketException {
            try {
                return connection.transport();
            } catch (IOException e) {
                SocketException failure = new SocketException(e.getMessage());
                failure.initCause(e);
                throw failure;
            }
        }
    }
}
