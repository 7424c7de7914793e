package io.broxy.core.internal.net;

/** A dial, or another wait for a connection, that is under way. Threading: owned by its event loop. */
public interface DialHandle {
    /** Ends it: nothing is reported any more, and what has been opened is closed. */
    void cancel();

    /** Notes that the client has ended its stream, and is probably gone: the dial goes on, but its look-up yields to others. */
    default void clientEnded() {}
}
