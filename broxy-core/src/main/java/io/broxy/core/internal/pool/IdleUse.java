package io.broxy.core.internal.pool;

/** Which idle connections a lease may get. Threading: immutable. */
public enum IdleUse {
    /** Any connection that is still alive, which the lease checks with a read. */
    ANY,

    /**
     * Any connection, without the read, which saves a system call: the request is retried if the connection turns out dead. If
     * the peer recently sent unexpected bytes over an idle connection of the key, the lease reads as for {@link #ANY}.
     */
    UNREAD,

    /**
     * A connection whose peer has promised to keep it open for much longer, and has kept such promises: the request must not be
     * retried (RFC 9110 section 9.2.2), so the connection must not be closed meanwhile. If there is none, a new connection
     * replaces an idle one.
     */
    PROMISED,

    /** None. */
    NEVER
}
