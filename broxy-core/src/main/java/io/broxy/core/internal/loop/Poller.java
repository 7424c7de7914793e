package io.broxy.core.internal.loop;

import java.io.IOException;

/**
 * What an event loop waits on: the system's readiness of its channels.
 *
 * <p>Threading: {@link #wakeup} is for any thread; everything else belongs to the loop's thread.
 */
public interface Poller {

    /**
     * Waits until a channel is ready, a time is over or {@link #wakeup} is called, and then delivers the readiness of all
     * channels to the loop.
     *
     * @param loop receives the readiness
     * @param millis 0 not to wait, -1 to wait without limit
     */
    void poll(EventLoop loop, long millis) throws IOException;

    /**
     * The selector of NIO channels on the loop, which is opened if need be.
     *
     * @throws IOException if it cannot be opened
     */
    SelectorPoller selector(EventLoop loop) throws IOException;

    /** The selector that channels are registered with already. */
    SelectorPoller registered();

    /** Ends the current wait, or the next one. */
    void wakeup();

    /** Whether a close is pending that takes another {@link #poll}, which then must not wait. */
    boolean hasPendingCloses();

    /** Runs a task once all channels closed so far are really closed: immediately, or after the next poll. */
    void afterClosing(Runnable task);

    /** The number of channels; thread-safe. */
    int channels();

    /** Whether no channel is left. */
    boolean isEmpty();

    /** Abandons every channel, because the loop is stopping. */
    void abandonAll(EventLoop loop, Throwable cause);

    /** Closes every channel that is left, and the poller. */
    void close() throws IOException;
}
