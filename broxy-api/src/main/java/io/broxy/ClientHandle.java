package io.broxy;

import java.util.concurrent.CompletableFuture;

/**
 * A handle on a client's whole connection, which {@link ProxyHandler#handle(java.nio.channels.SocketChannel)} returns.
 * It needs no attention: the connection ends by itself.
 *
 * <p>Threading: thread-safe.
 */
public interface ClientHandle extends AutoCloseable {

    /**
     * Completes with the result when the connection is closed; never exceptionally. Each call returns a separate
     * future: completing or canceling it affects nothing else. Dependents run off the event loops.
     */
    CompletableFuture<ConnectionResult> completion();

    /**
     * Waits for the end.
     *
     * @return the result
     * @throws InterruptedException if the waiting thread is interrupted; the connection continues
     */
    ConnectionResult join() throws InterruptedException;

    /**
     * Ends the connection now with {@link CloseReason#CLOSED}: the client is reset, and so is the origin of its request
     * or tunnel. A connection that has ended stays as it is.
     */
    @Override
    void close();
}
