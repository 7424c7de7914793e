package io.broxy.core.internal.socket;

import static io.broxy.core.internal.socket.ClientSocket.because;

import io.broxy.Connection;
import io.broxy.DialException;
import io.broxy.DialRequest;
import io.broxy.Dialer;
import io.broxy.HostPort;
import io.broxy.core.internal.loop.VirtualThreads;
import io.broxy.core.internal.time.Ticker;
import java.io.IOException;
import java.net.ConnectException;
import java.net.Inet6Address;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.NoRouteToHostException;
import java.net.SocketException;
import java.net.SocketTimeoutException;
import java.net.UnknownHostException;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * The dial of a socket that is being connected, and whether the socket was closed, which ends it.
 *
 * <p>As with the JDK's own sockets, an interrupt does not end the connect of a platform thread, and ends that of a virtual
 * thread. A dial treats an interrupt as its cancellation, so an interrupted one is begun again, with the time that is left.
 *
 * <p>Threading: {@link #dial} is for one thread at a time, {@link #close} for any.
 */
final class SocketDial {
    private final Dialer dialer;
    private volatile boolean closed;
    /** The thread that a dial blocks, for {@link #close} to interrupt; under the lock. */
    private @Nullable Thread dialing;
    /** The dial was interrupted by {@link #close}; under the lock. */
    private boolean interrupted;

    SocketDial(Dialer dialer) {
        this.dialer = dialer;
    }

    /** Ends the dial that is under way; none begins any more. */
    synchronized void close() {
        closed = true;
        if (dialing != null) {
            interrupted = true;
            dialing.interrupt();
        }
    }

    boolean isClosed() {
        return closed;
    }

    /**
     * Dials, and fails as a socket's connect does.
     *
     * @param timeoutNanos how long it may take; 0 means the dialer's own timeout
     */
    Connection dial(DialRequest request, long timeoutNanos) throws IOException {
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
                        throw because(new SocketException("Socket closed"), e);
                    }
                    if (e.reason() != DialException.Reason.CANCELLED
                            || !Thread.currentThread().isInterrupted()) {
                        throw asSocketsFail(e);
                    }
                    if (mayBeInterrupted) {
                        close();
                        throw because(new SocketException("Closed by interrupt"), e);
                    }
                    wasInterrupted |= Thread.interrupted();
                    leftNanos = endNanos - Ticker.SYSTEM.nanos();
                    if (timeoutNanos != 0 && leftNanos <= 0) {
                        throw because(new SocketTimeoutException("Connect timed out"), e);
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
                    Thread.interrupted(); // close() has interrupted this dial, and not its thread's further work
                }
            }
        }
    }

    /** Users of sockets decide by these exceptions whether to try again, and where. */
    private static IOException asSocketsFail(DialException e) {
        return switch (e.reason()) {
            case REFUSED -> because(new ConnectException(e.getMessage()), e);
            case UNREACHABLE -> because(new NoRouteToHostException(e.getMessage()), e);
            case TIMEOUT -> because(new SocketTimeoutException(e.getMessage()), e);
            case RESOLVE -> because(new UnknownHostException(e.getMessage()), e);
            default -> e;
        };
    }

    // ------------------------------------------------------------------ targets

    /** An address that was given as text may have a scope (RFC 4007 section 11), which a {@link HostPort} has not. */
    static InetSocketAddress withScope(InetSocketAddress target) throws UnknownHostException {
        String host = target.getHostString();
        return target.isUnresolved() && host.indexOf('%') > 0 && host.indexOf(':') >= 0
                ? new InetSocketAddress(InetAddress.getByName(host), target.getPort())
                : target;
    }

    /**
     * The request for a target. A name that is not resolved goes to the dialer as it is, an address by the host name that it
     * carries, or as the address.
     */
    static DialRequest request(InetSocketAddress target, boolean preferHost) throws UnknownHostException {
        InetAddress address = target.getAddress();
        HostPort name = preferHost && address != null ? name(target) : null;
        try {
            if (name != null || address == null) {
                return DialRequest.to(name != null ? name : HostPort.of(target.getHostString(), target.getPort()));
            }
            String literal = address.getHostAddress();
            int scope = literal.indexOf('%');
            HostPort hostPort = HostPort.of(scope < 0 ? literal : literal.substring(0, scope), target.getPort());
            int scopeId = address instanceof Inet6Address ipv6 ? ipv6.getScopeId() : 0;
            return DialRequest.builder(hostPort).scopeId(scopeId).build();
        } catch (IllegalArgumentException e) {
            throw because(new UnknownHostException(e.getMessage()), e);
        }
    }

    /** The host name that an address carries, without looking one up; null if it carries none that can be dialed. */
    private static @Nullable HostPort name(InetSocketAddress target) {
        try {
            HostPort named = HostPort.of(target.getHostString(), target.getPort());
            return named.isLiteral() ? null : named;
        } catch (IllegalArgumentException e) {
            return null; // the address has another text, or a name such as the files of hosts allow
        }
    }
}
