package io.broxy.core.testkit;

import io.broxy.HostPort;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.SocketAddress;

/**
 * A port that is bound and has no listener: no other process gets it, and a connection to it is refused. A port that was just
 * free will not do, for any process may take it.
 *
 * <p>Threading: thread-safe.
 */
public final class HeldPort implements AutoCloseable {
    private static final Socket REFUSING = bound(new InetSocketAddress(0), false);

    private final Socket holder;

    private HeldPort(Socket holder) {
        this.holder = holder;
    }

    /**
     * A port of the loopback for a server that comes and goes: it can listen there (servers of Java and most others let the
     * address be shared with what does not listen, {@code SO_REUSEADDR}), and is refused before and after that.
     */
    public static HeldPort open() {
        return new HeldPort(bound(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), true));
    }

    /** Where nothing listens for as long as the JVM runs, at any address of this machine: always the same. */
    public static HostPort refusing() {
        return HostPort.of("127.0.0.1", REFUSING.getLocalPort());
    }

    private static Socket bound(SocketAddress address, boolean shared) {
        Socket socket = new Socket();
        try {
            socket.setReuseAddress(shared);
            socket.bind(address);
            return socket;
        } catch (IOException e) {
            throw new UncheckedIOException("no port can be bound", e);
        }
    }

    /** The port. */
    public int port() {
        return holder.getLocalPort();
    }

    /** Where to listen. */
    public InetSocketAddress address() {
        return (InetSocketAddress) holder.getLocalSocketAddress();
    }

    /** Where to dial it. */
    public HostPort target() {
        return HostPort.of("127.0.0.1", port());
    }

    /** Frees the port for any process. */
    @Override
    public void close() {
        try {
            holder.close();
        } catch (IOException e) {
            throw new UncheckedIOException("a port cannot be let go", e);
        }
    }
}
