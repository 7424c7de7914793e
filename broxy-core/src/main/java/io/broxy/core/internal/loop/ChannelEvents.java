package io.broxy.core.internal.loop;

/** Whoever a channel's readiness is told to. Threading: owned by its event loop. */
public interface ChannelEvents {

    /**
     * The channel is ready.
     *
     * @param readyOps operations of {@link java.nio.channels.SelectionKey} for which it is, a hang-up counting as all
     */
    void ready(int readyOps);

    /**
     * The channel will not be told anything any more: {@link #ready} has thrown, or the loop ends. Everything held must
     * be released now.
     *
     * @param cause what was thrown, or why the loop ends
     */
    void abandoned(Throwable cause);
}
