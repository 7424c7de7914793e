package io.broxy.core.internal.socket;

import io.broxy.Connection;
import io.broxy.DialException;
import io.broxy.DialRequest;
import io.broxy.Dialer;
import io.broxy.HostPort;
import io.broxy.core.internal.loop.VirtualThreads;
import io.broxy.core.internal.time.Ticker;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.ConnectException;
import java.net.Inet6Address;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.NoRouteToHostException;
import java.net.Socket;
import java.net.SocketAddress;
import java.net.SocketException;
import java.net.SocketImpl;
import java.net.SocketOption;
import java.net.SocketOptions;
import java.net.SocketTimeoutException;
import java.net.UnknownHostException;
import java.time.Duration;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * The inside of a {@link Socket} whose connection comes from a {@link Dialer}. {@code java.net.Socket} keeps the state of a
 * socket; this only remembers options until there is a connection and passes everything on to it from then on.
 *
 * <p>As with the JDK's own sockets, an interrupt does not end what a platform thread does here, and ends what a virtual
 * thread does. A dial knows interrupts as a way to cancel it, so one that was interrupted is begun again, with the time that
 * is left.
 *
 * <p>Threading: as a socket's; this guards the options and how a dial under way is ended.
 */
final class DialedSocketImpl extends SocketImpl {
    private final Dialer dialer;
    /** Set before there is a connection. */
    private final EarlyOptions earlyOptions = new EarlyOptions();

    private int earlyTimeoutMillis;

    private volatile @Nullable Connection connection;
    private volatile @Nullable Socket socket;
    private volatile boolean closed;
    /** What was asked for, once there is a connection. */
    private volatile @Nullable InetSocketAddress target;
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

    /** Answers what {@link Socket} would answer by its own state alone. Threading: as a socket's. */
    private static final class DialedSocket extends Socket {
        private final DialedSocketImpl inside;

        DialedSocket(DialedSocketImpl inside) throws SocketException {
            super(inside);
            this.inside = inside;
        }

        @Override
        public boolean isClosed() {
            Connection own = inside.connection;
            return super.isClosed() || (own != null && !own.isOpen());
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

        /** The target by its name where its address is not known. */
        @Override
        public @Nullable SocketAddress getRemoteSocketAddress() {
            InetSocketAddress asked = inside.target;
            return asked != null && inside.address == null ? asked : super.getRemoteSocketAddress();
        }

        /** Asked each time, for {@link Socket} would keep the first answer. */
        @Override
        public Set<SocketOption<?>> supportedOptions() {
            return isClosed() ? Set.of() : inside.supportedOptions();
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
        if (!(address instanceof InetSocketAddress given)) {
            throw new IllegalArgumentException("only an InetSocketAddress can be dialled, not " + address);
        }
        InetSocketAddress target = withScope(given);
        DialRequest request = request(target);
        Connection dialled = dial(request, TimeUnit.MILLISECONDS.toNanos(timeoutMillis));
        try {
            adopt(dialled, target, request.target());
        } catch (IOException | RuntimeException e) {
            dialled.abort();
            throw e;
        }
    }

    private Connection dial(DialRequest request, long timeoutNanos) throws IOException {
        boolean mayBeInterrupted = VirtualThreads.isVirtual(Thread.currentThread());
        boolean wasInterrupted = !mayBeInterrupted && Thread.interrupted();
        long endNanos = Ticker.SYSTEM.nanos() + timeoutNanos;
        try {
            long leftNanos = timeoutNanos;
            while (true) {
                try {
                    return dialOnce(timeoutNanos == 0 ? request : limited(request, leftNanos));
                } catch (DialException e) {
                    if (closed) {
                        throw closedWhileDialing(e);
                    }
                    if (e.reason() != DialException.Reason.CANCELLED
                            || !Thread.currentThread().isInterrupted()) {
                        throw asSocketsFail(e);
                    }
                    if (mayBeInterrupted) {
                        close();
                        throw closedByInterrupt(e);
                    }
                    wasInterrupted |= Thread.interrupted();
                    leftNanos = endNanos - Ticker.SYSTEM.nanos();
                    if (timeoutNanos != 0 && leftNanos <= 0) {
                        throw timedOut(e);
                    }
                }
            }
        } finally {
            if (wasInterrupted) {
                Thread.currentThread().interrupt();
            }
        }
    }

    private static DialRequest limited(DialRequest request, long nanos) {
        return request.toBuilder().timeout(Duration.ofNanos(nanos)).build();
    }

    private Connection dialOnce(DialRequest request) throws IOException {
        synchronized (this) {
            if (closed) {
                throw new SocketException("Socket closed");
            }
            dialing = Thread.currentThread();
        }
        try {
            return dialer.dial(request);
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

    private static SocketException closedByInterrupt(DialException e) {
        SocketException failure = new SocketException("Closed by interrupt");
        failure.initCause(e);
        return failure;
    }

    private static SocketTimeoutException timedOut(DialException e) {
        SocketTimeoutException failure = new SocketTimeoutException("Connect timed out");
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

    /** An address that was given as text may have a scope (RFC 4007 section 11), which a {@link HostPort} has not. */
    private static InetSocketAddress withScope(InetSocketAddress given) throws UnknownHostException {
        String host = given.getHostString();
        return given.isUnresolved() && host.indexOf('%') > 0 && host.indexOf(':') >= 0
                ? new InetSocketAddress(InetAddress.getByName(host), given.getPort())
                : given;
    }

    /** A name that is not resolved goes to the dialer as it is; an address is what is asked for, whatever name led to it. */
    private static DialRequest request(InetSocketAddress target) throws UnknownHostException {
        InetAddress resolved = target.getAddress();
        try {
            if (resolved == null) {
                return DialRequest.to(HostPort.of(target.getHostString(), target.getPort()));
            }
            String literal = resolved.getHostAddress();
            int scope = literal.indexOf('%');
            HostPort hostPort = HostPort.of(scope < 0 ? literal : literal.substring(0, scope), target.getPort());
            int scopeId = resolved instanceof Inet6Address ipv6 ? ipv6.getScopeId() : 0;
            return DialRequest.builder(hostPort).scopeId(scopeId).build();
        } catch (IllegalArgumentException e) {
            UnknownHostException failure = new UnknownHostException(e.getMessage());
            failure.initCause(e);
            throw failure;
        }
    }

    private void adopt(Connection dialled, InetSocketAddress target, HostPort asked) throws IOException {
        Socket own = dialled.asSocket();
        synchronized (this) {
            earlyOptions.applyTo(own);
            if (earlyTimeoutMillis > 0) {
                own.setSoTimeout(earlyTimeoutMillis);
            }
            if (closed) {
                throw new SocketException("Socket closed");
            }
            connection = dialled;
            socket = own;
        }
        this.target = target;
        address = target.getAddress() != null ? target.getAddress() : reached(dialled, asked);
        port = target.getPort();
        localport = own.getLocalPort();
    }

    /** The address of a target that was dialled by its name; null if a proxy, or a dialer that is not ours, knows it alone. */
    private static @Nullable InetAddress reached(Connection dialled, HostPort asked) {
        return dialled instanceof ConnectionSocket.Viewed own
                        && asked.equals(own.dialed())
                        && own.remoteAddress() instanceof InetSocketAddress peer
                ? peer.getAddress()
                : null;
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
        Socket own = socket;
        try {
            return own != null ? ImplOptions.supported(own) : earlyOptions.supported();
        } catch (IOException e) { // the system has no more sockets
            return Set.of();
        }
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
                setTimeout((Integer) value);
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
                case SocketOptions.SO_TIMEOUT -> timeout();
                case SocketOptions.SO_BINDADDR -> localAddress();
                default -> get(ImplOptions.named(option));
            };
        } catch (IOException e) {
            throw ImplOptions.asSocketException(e);
        }
    }

    private void setTimeout(int millis) throws SocketException {
        synchronized (this) {
            if (isEarly()) {
                earlyTimeoutMillis = millis;
                return;
            }
        }
        connected().setSoTimeout(millis);
    }

    private int timeout() throws SocketException {
        synchronized (this) {
            if (isEarly()) {
                return earlyTimeoutMillis;
            }
        }
        return connected().getSoTimeout();
    }

    private InetAddress localAddress() throws SocketException {
        synchronized (this) {
            if (isEarly()) {
                return new InetSocketAddress(0).getAddress();
            }
        }
        return connected().getLocalAddress();
    }

    private void set(SocketOption<?> option, Object value) throws IOException {
        synchronized (this) {
            if (isEarly()) {
                earlyOptions.set(option, value);
                return;
            }
        }
        ImplOptions.set(connected(), option, value);
    }

    private Object get(SocketOption<?> option) throws IOException {
        synchronized (this) {
            if (isEarly()) {
                return earlyOptions.get(option);
            }
        }
        return ImplOptions.get(connected(), option);
    }

    /** Under the lock. */
    private boolean isEarly() throws SocketException {
        if (closed) {
            throw new SocketException("Socket closed");
        }
        return socket == null;
    }
}
