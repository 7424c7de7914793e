package io.broxy.core.internal.loop;

/** Handles the readiness of a channel. Threading: owned by its event loop. */
public interface ChannelEvents {

    /**
     * The channel is ready.
     *
     * @param readyOps the ready operations of {@link java.nio.channels.SelectionKey}; a hang-up sets all of them
     */
    void ready(int readyOps);

    /**
     * The last call: {@link #ready} has thrown, or the loop is stopping. The handler must release all of its resources.
     *
     * @param cause the exception, or the reason why the loop is stopping
     */
    void abandoned(Throwable cause);
}
