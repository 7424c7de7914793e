package io.broxy.core.internal.proxy;

import io.broxy.ClientTls;
import io.broxy.DialRequest;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import org.jspecify.annotations.Nullable;

/**
 * What is known about a client: its addresses, which a trusted sender may have announced, and its TLS session.
 *
 * <p>Threading: owned by the client's event loop, but for {@link #settled}.
 */
final class ClientFacts {
    private final ClientConnection connection;
    private @Nullable InetSocketAddress source;
    private @Nullable InetSocketAddress destination;
    private @Nullable InetSocketAddress settled;
    private @Nullable ClientTls tls;
    private @Nullable String identity;
    private @Nullable String user;
    private boolean transparent;

    ClientFacts(ClientConnection connection) {
        this.connection = connection;
    }

    /** A trusted sender has passed the connection on, and named its addresses if it has any. */
    void announced(@Nullable InetSocketAddress from, @Nullable InetSocketAddress to) {
        source = from;
        destination = to;
    }

    /** Nothing announces an address from now on. */
    void settle() {
        settled = source() instanceof InetSocketAddress internet ? internet : null;
    }

    /** The address of a client that is being served, if it has one; with the {@linkplain ClientAccount#phase phase} for any thread. */
    @Nullable
    InetSocketAddress settled() {
        return settled;
    }

    /** The client's address and port, or null if it has none. */
    @Nullable
    SocketAddress source() {
        return source == null ? connection.client().peer() : source;
    }

    /** The client's address, or null if it has none. */
    @Nullable
    InetAddress address() {
        InetSocketAddress announced = source;
        if (announced != null) {
            return announced.getAddress();
        }
        try {
            return connection.client().remoteAddress() instanceof InetSocketAddress internet
                    ? internet.getAddress()
                    : null;
        } catch (UncheckedIOException e) {
            return null; // it is closed, which the current step finds out
        }
    }

    /** A request is admitted, for this user or for none (null). */
    void identified(@Nullable String newUser) {
        user = newUser;
    }

    /** The addresses that targets may be told, and the user of the current request; null if the addresses are not known. */
    DialRequest.@Nullable Client dialsFor() {
        SocketAddress from = source();
        SocketAddress to = destination == null ? connection.client().localAddress() : destination;
        return from == null || to == null ? null : new DialRequest.Client(from, to, user);
    }

    void secured(ClientTls session, @Nullable String certified) {
        tls = session;
        identity = certified;
    }

    /** The client knows of no proxy: whatever it reads is the target's. */
    void becomeTransparent() {
        transparent = true;
    }

    /** Whether the client would take an answer of the proxy for the target's. */
    boolean isTransparent() {
        return transparent;
    }

    /** The client's TLS session; null if there is none. */
    @Nullable
    ClientTls tls() {
        return tls;
    }

    /** The identity that the client's certificate proves, or null. */
    @Nullable
    String certifiedIdentity() {
        return identity;
    }
}
