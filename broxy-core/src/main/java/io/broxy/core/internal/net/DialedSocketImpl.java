package io.broxy.core.internal.net;

import io.broxy.Connection;
import io.broxy.DialException;
import io.broxy.DialRequest;
import io.broxy.Dialer;
import io.broxy.HostPort;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.ConnectException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.NoRouteToHostException;
import java.net.Socket;
import java.net.SocketAddress;
import java.net.SocketException;
import java.net.SocketImpl;
import java.net.SocketOption;
import java.net.SocketTimeoutException;
import java.net.StandardSocketOptions;
import java.net.UnknownHostException;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * The inside of a {@link Socket} whose connection comes from a {@link Dialer}. {@code java.net.Socket} keeps the state of a
 * socket; this only remembers options until there is a connection and passes everything on to it from then on.
 *
 * <p>Threading: as a socket's; this guards the options and how a dial under way is ended.
 */
final class DialedSocketImpl extends SocketImpl {
    private final Dialer dialer;
    /** Set before there is a connection, in the order of the setting. */
    private final Map<Integer, Object> earlyOptions = new LinkedHashMap<>();

    private volatile @Nullable Connection connection;
    private volatile @Nullable Socket socket;
    private volatile boolean closed;
    /** Where a dial blocks, for {@link #close} to end it. */
    private @Nullable Thread dialing;

    private boolean interrupted;

    private DialedSocketImpl(Dialer dialer) {
        this.dialer = dialer;
    }

    /** A socket that is not connected yet. */
    static Socket socket(Dialer dialer) throws SocketException {
        return new DialedSocket(new DialedSocketImpl(dialer));
    }

    private static final class DialedSocket extends Socket {
        DialedSocket(SocketImpl inside) throws SocketException {
            super(inside);
        }
    }

    private Socket connected() throws SocketException {
        Socket own = socket;
        if (own == null) {
            throw new SocketException(closed ? "Socket closed" : "Socket is not connected");
        }
        return own;
    }

    // ------------------------------------------------------------------ connecting

    @Override
    protected void create(boolean stream) throws IOException {
        if (!stream) {
            throw new IOException("only TCP can be dialled");
        }
    }

    @Override
    protected void connect(String host, int port) throws IOException {
        connect(InetSocketAddress.createUnresolved(host, port), 0);
    }

    @Override
    protected void connect(InetAddress address, int port) throws IOException {
        connect(new InetSocketAddress(address, port), 0);
    }

    /** A time-out of 0 means the dialer's own. */
    @Override
    protected void connect(SocketAddress address, int timeoutMillis) throws IOException {
        if (!(address instanceof InetSocketAddress target)) {
            throw new IllegalArgumentException("only an InetSocketAddress can be dialled, not " + address);
        }
        DialRequest.Builder request = DialRequest.builder(hostPort(target));
        if (timeoutMillis > 0) {
            request.timeout(Duration.ofMillis(timeoutMillis));
        }
        Connection dialled = dial(request.build());
        try {
            adopt(dialled, target);
        } catch (IOException | RuntimeException e) {
            dialled.abort();
            throw e;
        }
    }

    private Connection dial(DialRequest request) throws IOException {
        synchronized (this) {
            if (closed) {
                throw new SocketException("Socket closed");
            }
            dialing = Thread.currentThread();
        }
        try {
            return dialer.dial(request);
        } catch (DialException e) {
            throw closed ? closedWhileDialing(e) : asSocketsFail(e);
        } finally {
            synchronized (this) {
                dialing = null;
                if (interrupted) {
                    Thread.interrupted(); // it was for this dial
                }
            }
        }
    }

    private static SocketException closedWhileDialing(DialException e) {
        SocketException failure = new SocketException("Socket closed");
        failure.initCause(e);
        return failure;
    }

    /** Clients of sockets tell by these exceptions whether to try again, and where. */
    private static IOException asSocketsFail(DialException e) {
        IOException failure;
        switch (e.reason()) {
            case REFUSED -> failure = new ConnectException(e.getMessage());
            case UNREACHABLE -> failure = new NoRouteToHostException(e.getMessage());
            case TIMEOUT -> failure = new SocketTimeoutException(e.getMessage());
            case RESOLVE -> failure = new UnknownHostException(e.getMessage());
            default -> {
                return e;
            }
        }
        failure.initCause(e);
        return failure;
    }

    /** A name that is not resolved goes to the dialer as it is; an address is what is asked for, whatever name led to it. */
    private static HostPort hostPort(InetSocketAddress target) throws UnknownHostException {
        InetAddress resolved = target.getAddress();
        try {
            return HostPort.of(resolved != null ? resolved.getHostAddress() : target.getHostString(), target.getPort());
        } catch (IllegalArgumentException e) {
            UnknownHostException failure = new UnknownHostException(e.getMessage());
            failure.initCause(e);
            throw failure;
        }
    }

    private void adopt(Connection dialled, InetSocketAddress target) throws IOException {
        Socket own = dialled.asSocket();
        synchronized (this) {
            for (Map.Entry<Integer, Object> option : earlyOptions.entrySet()) {
                ImplOptions.set(own, option.getKey(), option.getValue());
            }
            if (closed) {
                throw new SocketException("Socket closed");
            }
            connection = dialled;
            socket = own;
        }
        address = target.getAddress() != null ? target.getAddress() : own.getInetAddress();
        port = target.getPort();
        localport = own.getLocalPort();
    }

    /** Where a connection begins is the dialer's choice; only its own choice can be asked for. */
    @Override
    protected void bind(InetAddress host, int port) throws IOException {
        if (!host.isAnyLocalAddress() || port != 0) {
            throw new SocketException("the local address of a dialled socket is set on its dialer");
        }
    }

    @Override
    protected void listen(int backlog) throws IOException {
        throw new SocketException("a dialled socket does not listen");
    }

    @Override
    protected void accept(SocketImpl into) throws IOException {
        throw new SocketException("a dialled socket does not accept");
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
        Connection own;
        synchronized (this) {
            closed = true;
            own = connection;
            if (dialing != null) {
                interrupted = true;
                dialing.interrupt();
            }
        }
        if (own != null) {
            own.close();
        }
    }

    // ------------------------------------------------------------------ options

    @Override
    protected Set<SocketOption<?>> supportedOptions() {
        return ImplOptions.SUPPORTED;
    }

    @Override
    protected <T> void setOption(SocketOption<T> name, T value) throws IOException {
        boolean lingersNot = name.equals(StandardSocketOptions.SO_LINGER) && (Integer) value < 0;
        setOption(ImplOptions.number(name), lingersNot ? false : value);
    }

    @Override
    protected <T> T getOption(SocketOption<T> name) throws IOException {
        Object value = getOption(ImplOptions.number(name));
        boolean lingersNot = name.equals(StandardSocketOptions.SO_LINGER) && value instanceof Boolean;
        return name.type().cast(lingersNot ? -1 : value);
    }

    @Override
    public void setOption(int option, Object value) throws SocketException {
        synchronized (this) {
            if (closed) {
                throw new SocketException("Socket closed");
            }
            if (socket == null) {
                earlyOptions.put(option, value);
                return;
            }
        }
        ImplOptions.set(connected(), option, value);
    }

    @Override
    public Object getOption(int option) throws SocketException {
        synchronized (this) {
            if (closed) {
                throw new SocketException("Socket closed");
            }
            if (socket == null) {
                Object early = earlyOptions.get(option);
                return early != null ? early : ImplOptions.unset(option);
            }
        }
        return ImplOptions.get(connected(), option);
    }
}
