package io.broxy.jmh.peer;

/** A proxy that runs in this JVM and listens on 127.0.0.1. Threading: thread-safe. */
public interface PeerProxy extends AutoCloseable {

    /** Where it listens. */
    int port();

    /** Ends it with its threads and connections. */
    @Override
    void close() throws Exception;
}
