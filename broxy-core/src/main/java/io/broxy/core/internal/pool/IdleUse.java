package io.broxy.core.internal.pool;

/** Which idle connections a lease may get. Threading: immutable. */
public enum IdleUse {
    /** Any that turns out alive: it is read when it is leased. */
    ANY,

    /**
     * Any, and unread, which saves a system call: the request is sent once more if the connection turns out dead. Where a
     * connection of the key has been spoilt lately, it is read as for {@link #ANY}.
     */
    UNREAD,

    /**
     * One whose peer has promised to keep it for much longer, and keeps such promises: the request must not be sent twice (RFC
     * 9110 section 9.2.2), so the connection must not end meanwhile. A new one takes the place of an idle one.
     */
    PROMISED,

    /** None. */
    NEVER
}
