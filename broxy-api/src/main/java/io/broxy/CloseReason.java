package io.broxy;

/** Why a tunnel, or the attempt to make one, came to its end. */
public enum CloseReason {
    /**
     * Both sides ended their streams and every byte was delivered; or, of a connection that was no tunnel, the client or the
     * last response ended it, or the origin ended the connection that the client's login was bound to.
     */
    FINISHED,
    /** No byte moved in either direction for the idle time, or, after one side had ended, for the half-close time. */
    IDLE,
    /** A side took nothing for the {@linkplain ProxyHandler.Builder#writeStallTimeout write-stall time} while bytes waited for it. */
    STALLED,
    /** It had lasted for {@link ProxyHandler.Builder#maxLifetime}. */
    EXPIRED,
    /**
     * The client's connection broke. Before its stream had ended: the origin was reset. After it, while the origin was
     * still sending: the origin got the whole stream and an orderly end, and what it sent was lost.
     */
    CLIENT_RESET,
    /**
     * The origin's connection broke. Before its stream had ended: the client was reset. After it, while the client was
     * still sending: the client got the whole stream and an orderly end, and what it sent was lost.
     */
    ORIGIN_RESET,
    /** It was still running when the grace time of {@link ProxyHandler#drain} was over. */
    DRAINED,
    /** {@link Tunnel#close()}, or the close of its handler or {@code Broxy}. */
    CLOSED,
    /** No connection to the target; {@link TunnelResult#cause()} is the {@link DialException}. */
    DIAL_FAILED,
    /** The request was refused; {@link TunnelResult#cause()} is the {@link RefusedException}. */
    REFUSED,
    /** The client went away before the tunnel stood. */
    CLIENT_GONE,
    /** A local failure; see {@link TunnelResult#cause()}. */
    FAILED
}
