package io.broxy.core.internal.socket;

import io.broxy.Connection;
import io.broxy.DialRequest;
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
import java.util.Set;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * The inside of a {@link Socket} whose connection comes from a {@link io.broxy.Dialer}. {@code java.net.Socket} keeps the state of a
 * socket; this only remembers options until there is a connection and passes everything on to it from then on.
 *
 * <p>Threading: as a socket's; the lock guards the options and the change from none to a connection.
 */
final class DialedSocketImpl extends ClientSocket.Impl {
    private final SocketDial dial;
    private final boolean preferHost;
    /** Set before there is a connection. */
    private final EarlyOptions earlyOptions;

    private volatile int earlyTimeoutMillis;

    private volatile @Nullable Connection connection;
    private volatile @Nullable Socket socket;
    /** The address that was asked for, once there is a connection. */
    private volatile @Nullable InetSocketAddress target;

    private DialedSocketImpl(SocketSettings settings) {
        dial = new SocketDial(settings.dialer);
        preferHost = settings.preferHost;
        earlyOptions = settings.options();
        earlyTimeoutMillis = settings.readTimeoutMillis;
    }

    /** A socket that is not connected yet. */
    static Socket socket(SocketSettings settings) throws SocketException {
        return new DialedSocket(new DialedSocketImpl(settings));
    }

    /** Threading: as a socket's. */
    private static final class DialedSocket extends ClientSocket {
        private final DialedSocketImpl inside;

        DialedSocket(DialedSocketImpl inside) throws SocketException {
            super(inside);
            this.inside = inside;
        }

        /** The target by its name where its address is not known. */
        @Override
        public @Nullable SocketAddress getRemoteSocketAddress() {
            InetSocketAddress asked = inside.target;
            return asked != null && inside.address == null ? asked : super.getRemoteSocketAddress();
        }
    }

    @Override
    boolean isConnectionClosed() {
        Connection own = connection;
        return own != null && !own.isOpen();
    }

    private Socket connected() throws SocketException {
        Socket own = socket;
        if (own == null) {
            throw new SocketException(dial.isClosed() ? "Socket closed" : "Socket is not connected");
        }
        return own;
    }

    // ------------------------------------------------------------------ connecting

    /** A timeout of 0 means the dialer's own. */
    @Override
    protected void connect(SocketAddress address, int timeoutMillis) throws IOException {
        if (!(address instanceof InetSocketAddress asked)) {
            throw new IllegalArgumentException("only an InetSocketAddress can be dialed, not " + address);
        }
        InetSocketAddress scoped = SocketDial.withScope(asked);
        DialRequest request = SocketDial.request(scoped, preferHost);
        Connection dialed = dial.dial(request, TimeUnit.MILLISECONDS.toNanos(timeoutMillis));
        try {
            adopt(dialed, scoped, request.target());
        } catch (IOException | RuntimeException e) {
            dialed.abort();
            throw e;
        }
    }

    private void adopt(Connection dialed, InetSocketAddress target, HostPort asked) throws IOException {
        Socket own = dialed.asSocket();
        synchronized (this) {
            earlyOptions.applyTo(own);
            if (earlyTimeoutMillis > 0) {
                own.setSoTimeout(earlyTimeoutMillis);
            }
            if (dial.isClosed()) {
                throw new SocketException("Socket closed");
            }
            connection = dialed;
            socket = own;
        }
        this.target = target;
        address = address(target.getAddress(), asked.isLiteral() ? null : reached(dialed, asked));
        port = target.getPort();
        localport = own.getLocalPort();
    }

    /**
     * The address that was reached, as far as that is known, and otherwise the one that was asked for; if both are the same, the
     * one that was asked for, which has its name and its scope.
     */
    private static @Nullable InetAddress address(@Nullable InetAddress asked, @Nullable InetAddress reached) {
        return reached == null || reached.equals(asked) ? asked : reached;
    }

    /** The address of a target that was dialed by its name; null if only a proxy or another author's dialer knows it. */
    private static @Nullable InetAddress reached(Connection dialed, HostPort asked) {
        return dialed instanceof ConnectionSocket.Viewed own
                        && asked.equals(own.dialed())
                        && own.remoteAddress() instanceof InetSocketAddress peer
                ? peer.getAddress()
                : null;
    }

    /** The dialer chooses the local address; only its own choice can be asked for. */
    @Override
    protected void bind(InetAddress host, int port) throws IOException {
        if (!host.isAnyLocalAddress() || port != 0) {
            throw new SocketException("the local address of a dialed socket is set on its dialer");
        }
    }

    // ------------------------------------------------------------------ the connection

    @Override
    protected InputStream getInputStream() throws IOException {
        return connected().getInputStream();
    }

    @Override
    protected OutputStream getOutputStream() throws IOException {
        return connected().getOutputStream();
    }

    @Override
    protected int available() throws IOException {
        return connected().getInputStream().available();
    }

    @Override
    protected void shutdownInput() throws IOException {
        connected().shutdownInput();
    }

    @Override
    protected void shutdownOutput() throws IOException {
        connected().shutdownOutput();
    }

    @Override
    protected boolean supportsUrgentData() {
        return true;
    }

    @Override
    protected void sendUrgentData(int data) throws IOException {
        connected().sendUrgentData(data);
    }

    @Override
    protected void close() throws IOException {
        dial.close(); // first: from then on no connection is adopted
        Connection own;
        synchronized (this) {
            own = connection;
        }
        if (own != null) {
            own.close();
        }
    }

    // ------------------------------------------------------------------ options

    @Override
    Set<SocketOption<?>> supported() throws IOException {
        Socket own = socket;
        return own != null ? ImplOptions.supported(own) : earlyOptions.supported();
    }

    @Override
    void setTimeout(int millis) throws SocketException {
        synchronized (this) {
            if (isEarly()) {
                earlyTimeoutMillis = millis;
                return;
            }
        }
        connected().setSoTimeout(millis);
    }

    @Override
    int timeout() throws SocketException {
        return isEarly() ? earlyTimeoutMillis : connected().getSoTimeout();
    }

    @Override
    InetAddress localAddress() throws SocketException {
        return isEarly() ? new InetSocketAddress(0).getAddress() : connected().getLocalAddress();
    }

    @Override
    void set(SocketOption<?> option, Object value) throws IOException {
        synchronized (this) {
            if (isEarly()) {
                earlyOptions.set(option, value);
                return;
            }
        }
        ImplOptions.set(connected(), option, value);
    }

    @Override
    Object get(SocketOption<?> option) throws IOException {
        synchronized (this) {
            if (isEarly()) {
                return earlyOptions.get(option);
            }
        }
        return ImplOptions.get(connected(), option);
    }

    /** Whether options are only noted. Under the lock, if the answer must still hold when it is used. */
    private boolean isEarly() throws SocketException {
        if (dial.isClosed()) {
            throw new SocketException("Socket closed");
        }
        return socket == null;
    }
}
