package io.broxy.core.internal.loop;

/** Handles the readiness of a channel. Threading: owned by its event loop. */
public interface ChannelEvents {

    /**
     * The channel is ready.
     *
     * @param readyOps operations of {@link java.nio.channels.SelectionKey} for which it is, a hang-up counting as all
     */
    void ready(int readyOps);

    /**
     * There will be no other call: {@link #ready} has thrown, or the loop ends. The handler must release everything that
     * it holds.
     *
     * @param cause what was thrown, or why the loop ends
     */
    void abandoned(Throwable cause);
}
