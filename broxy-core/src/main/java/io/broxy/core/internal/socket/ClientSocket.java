package io.broxy.core.internal.socket;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.SocketException;
import java.net.SocketImpl;
import java.net.SocketOption;
import java.net.SocketOptions;
import java.util.Set;

/**
 * A socket over a connection. {@link Socket} keeps a state of its own; this answers from the connection what that state
 * cannot know.
 *
 * <p>Threading: as a socket's.
 */
abstract class ClientSocket extends Socket {
    private final Impl impl;

    ClientSocket(Impl impl) throws SocketException {
        super(impl);
        this.impl = impl;
    }

    @Override
    public final boolean isClosed() {
        return super.isClosed() || impl.isConnectionClosed();
    }

    /** Checks first, for a newer JDK's socket looks at its own state and not at {@link #isClosed}. */
    @Override
    public final InputStream getInputStream() throws IOException {
        ensureOpen();
        return super.getInputStream();
    }

    @Override
    public final OutputStream getOutputStream() throws IOException {
        ensureOpen();
        return super.getOutputStream();
    }

    private void ensureOpen() throws SocketException {
        if (isClosed()) {
            throw new SocketException("Socket is closed");
        }
    }

    /** Asks each time, for {@link Socket} would keep the first answer. */
    @Override
    public final Set<SocketOption<?>> supportedOptions() {
        return isClosed() ? Set.of() : impl.supportedOptions();
    }

    /** The failure, with its cause. */
    static <E extends IOException> E because(E failure, Throwable cause) {
        failure.initCause(cause);
        return failure;
    }

    /** The options of a socket's inside, by number and by name. Threading: as a socket's. */
    abstract static class Impl extends SocketImpl {
        /** Whether there was a connection that is closed now. */
        abstract boolean isConnectionClosed();

        /** The options that can be both read and set by name. */
        abstract Set<SocketOption<?>> supported() throws IOException;

        abstract void set(SocketOption<?> option, Object value) throws IOException;

        abstract Object get(SocketOption<?> option) throws IOException;

        abstract void setTimeout(int millis) throws IOException;

        abstract int timeout() throws IOException;

        abstract InetAddress localAddress() throws IOException;

        @Override
        protected final Set<SocketOption<?>> supportedOptions() {
            try {
                return supported();
            } catch (IOException e) { // the connection was closed meanwhile, or the system has no more sockets
                return Set.of();
            }
        }

        @Override
        protected final <T> void setOption(SocketOption<T> name, T value) throws IOException {
            set(name, value);
        }

        @Override
        protected final <T> T getOption(SocketOption<T> name) throws IOException {
            return name.type().cast(get(name));
        }

        @Override
        public final void setOption(int option, Object value) throws SocketException {
            try {
                if (option == SocketOptions.SO_TIMEOUT) {
                    setTimeout((Integer) value);
                } else {
                    SocketOption<?> name = ImplOptions.named(option);
                    set(name, ImplOptions.valueByName(name, value));
                }
            } catch (IOException e) {
                throw asSocketException(e);
            }
        }

        @Override
        public final Object getOption(int option) throws SocketException {
            try {
                return switch (option) {
                    case SocketOptions.SO_TIMEOUT -> timeout();
                    case SocketOptions.SO_BINDADDR -> localAddress();
                    default -> get(ImplOptions.named(option));
                };
            } catch (IOException e) {
                throw asSocketException(e);
            }
        }

        private static SocketException asSocketException(IOException e) {
            return e instanceof SocketException own ? own : because(new SocketException(e.getMessage()), e);
        }

        @Override
        protected final void create(boolean stream) throws IOException {
            if (!stream) {
                throw new SocketException("a client's socket is of TCP");
            }
        }

        @Override
        protected final void connect(String host, int port) throws IOException {
            connect(InetSocketAddress.createUnresolved(host, port), 0);
        }

        @Override
        protected final void connect(InetAddress address, int port) throws IOException {
            connect(new InetSocketAddress(address, port), 0);
        }

        @Override
        protected final void listen(int backlog) throws IOException {
            throw new SocketException("a client's socket does not listen");
        }

        @Override
        protected final void accept(SocketImpl into) throws IOException {
            throw new SocketException("a client's socket does not accept");
        }
    }
}
