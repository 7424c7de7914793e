package io.broxy.jmh.peer;

/** A proxy that runs in this JVM and listens on 127.0.0.1. Threading: thread-safe. */
public interface PeerProxy extends AutoCloseable {

    /** The port that the proxy listens on. */
    int port();

    /** Stops the proxy with its threads and connections. */
    @Override
    void close() throws Exception;
}
