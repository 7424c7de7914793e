package io.broxy;

/** Why a tunnel, a connection or the attempt to establish a tunnel ended. */
public enum CloseReason {
    /**
     * Both sides ended their streams and every byte was delivered. For a connection that was no tunnel: the client or
     * the last response ended it, or the origin ended the connection that the client's login was bound to.
     */
    FINISHED,
    /**
     * No byte moved in either direction for the idle timeout or, after one side had ended, for the half-close timeout.
     */
    IDLE,
    /**
     * A side accepted no bytes for the {@linkplain ProxyHandler.Builder#writeStallTimeout write-stall timeout} while
     * bytes waited for it.
     */
    STALLED,
    /** The connection reached {@link ProxyHandler.Builder#maxLifetime}. */
    EXPIRED,
    /**
     * The client's connection broke. If its stream had not ended, the origin was reset. If it had ended and the origin
     * was still sending, the origin got the whole stream and an orderly end, and what the origin sent was lost.
     */
    CLIENT_RESET,
    /**
     * The origin's connection broke. If its stream had not ended, the client was reset. If it had ended and the client
     * was still sending, the client got the whole stream and an orderly end, and what the client sent was lost.
     */
    ORIGIN_RESET,
    /** The tunnel was still running at the end of the grace time of {@link ProxyHandler#drain}. */
    DRAINED,
    /**
     * {@link Tunnel#close()} or {@link ClientHandle#close()} was called, or the handler or its {@code Broxy} was
     * closed.
     */
    CLOSED,
    /** No connection to the target could be made; {@link TunnelResult#cause()} is the {@link DialException}. */
    DIAL_FAILED,
    /** The request was refused; {@link TunnelResult#cause()} is the {@link RefusedException}. */
    REFUSED,
    /** The client went away before the tunnel was open. */
    CLIENT_GONE,
    /** A local failure; see {@link TunnelResult#cause()}. */
    FAILED
}
