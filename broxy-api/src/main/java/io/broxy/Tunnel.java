package io.broxy;

import java.util.concurrent.CompletableFuture;

/**
 * A handle on a tunnel, from reading the request over dialing to relaying. It needs no attention: a tunnel ends by
 * itself.
 *
 * <p>Threading: thread-safe.
 */
public interface Tunnel extends AutoCloseable {

    /**
     * Completes with the result when both connections are closed; never exceptionally. Each call returns a separate
     * future: completing or canceling it affects nothing else. Dependents run off the event loops.
     */
    CompletableFuture<TunnelResult> completion();

    /**
     * Waits for the end.
     *
     * @return the result
     * @throws InterruptedException if the waiting thread is interrupted; the tunnel continues
     */
    TunnelResult join() throws InterruptedException;

    /** Bytes passed to the origin so far. Reading the count costs the relay nothing; it may lag some writes behind. */
    long bytesToOrigin();

    /** Bytes passed to the client so far. Reading the count costs the relay nothing; it may lag some writes behind. */
    long bytesToClient();

    /**
     * Ends the tunnel now with {@link CloseReason#CLOSED}: both sides are reset. A tunnel that has ended stays as it
     * is.
     */
    @Override
    void close();
}
