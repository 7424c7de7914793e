package io.broxy.core.internal.loop;

/**
 * The throttles of a client's connection.
 *
 * @param toOrigin limits what is read from the client
 * @param toClient limits what is read from origins
 * <p>Threading: owned by the event loop.
 */
public record Throttles(Throttle toOrigin, Throttle toClient) {

    /** Whether a direction waits for its turn. */
    public boolean isWaiting() {
        return toOrigin.isWaiting() || toClient.isWaiting();
    }

    /** Stops waiting in both directions. */
    public void stop() {
        toOrigin.stop();
        toClient.stop();
    }
}
