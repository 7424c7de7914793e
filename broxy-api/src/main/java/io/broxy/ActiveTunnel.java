package io.broxy;

import java.net.InetSocketAddress;
import java.time.Instant;
import org.jspecify.annotations.Nullable;

/**
 * A tunnel that relays, as it was when {@link ProxyHandler#activeTunnels()} was called. Implemented by Broxy only.
 *
 * <p>Threading: immutable, but for what {@link #tunnel()} leads to.
 */
public interface ActiveTunnel {

    /** Where it leads. */
    HostPort target();

    /** The client's identity, as the {@link Authenticator} or the {@link ConnectRequest} names it; null if there is none. */
    @Nullable
    String identity();

    /**
     * The client's address: the one that a trusted PROXY header names, else that of its connection. Null if it has none, as over a
     * Unix domain socket.
     */
    @Nullable
    InetSocketAddress client();

    /** When the client's connection was handed over, by the system's clock at that time. */
    Instant start();

    /** Bytes passed to the origin until the snapshot, as {@link TunnelResult#bytesToOrigin()} counts them in the end. */
    long bytesToOrigin();

    /** Bytes passed to the client until the snapshot, as {@link TunnelResult#bytesToClient()} counts them in the end. */
    long bytesToClient();

    /** The tunnel itself: its counts go on, and {@link Tunnel#close()} ends it. */
    Tunnel tunnel();
}
