package io.broxy;

import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.time.Instant;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * An established tunnel, as it was when {@link ProxyHandler#activeTunnels()} was called.
 *
 * <p>Threading: immutable, except for {@link #tunnel()}.
 *
 * @param number the number of the client's connection, which is that of {@link ProxyListener.Client#number()} and {@link
 *     RequestId#connection()}
 * @param target the host and port that the tunnel leads to
 * @param identity the client's identity, as the {@link Authenticator} or the {@link ConnectRequest} gives it; null if
 *     there is none
 * @param client the client's address: from a trusted PROXY header, or else of its connection. Null if it has none, as
 *     over a Unix domain socket
 * @param peer the address that the tunnel's connection to the origin leads to, which is the target's or that of a proxy; null if it
 *     has none
 * @param start when the client's connection was handed over, by the system clock at that time
 * @param bytesToOrigin bytes passed to the origin until the snapshot, counted as in {@link
 *     TunnelResult#bytesToOrigin()}
 * @param bytesToClient bytes passed to the client until the snapshot, counted as in {@link
 *     TunnelResult#bytesToClient()}
 * @param tunnel the tunnel itself: its counts continue to grow, and {@link Tunnel#close()} ends it
 */
public record ActiveTunnel(
        long number,
        HostPort target,
        @Nullable String identity,
        @Nullable InetSocketAddress client,
        @Nullable SocketAddress peer,
        Instant start,
        long bytesToOrigin,
        long bytesToClient,
        Tunnel tunnel) {

    /** Checks for null. */
    public ActiveTunnel {
        Objects.requireNonNull(target, "target");
        Objects.requireNonNull(start, "start");
        Objects.requireNonNull(tunnel, "tunnel");
    }

    /** Omits the handle, which has no text of its own. */
    @Override
    public String toString() {
        return "ActiveTunnel[" + target + " for " + client + " since " + start + ", " + bytesToOrigin
                + " bytes to the origin, " + bytesToClient + " to the client]";
    }
}
