package io.broxy.core.internal.net;

/** A dial, or another wait for a connection, that is in progress. Threading: owned by its event loop. */
public interface DialHandle {
    /** Cancels the operation: nothing more is reported, and connections that were already opened are closed. */
    void cancel();

    /**
     * Notes that the client has ended its stream and is probably gone: the dial continues, but its look-up yields to others.
     */
    default void clientEnded() {}
}
