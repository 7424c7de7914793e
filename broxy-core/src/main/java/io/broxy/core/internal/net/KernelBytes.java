package io.broxy.core.internal.net;

import java.io.IOException;

/**
 * Bytes on their way from one connection to another within the kernel, which this process never sees.
 *
 * <p>Threading: owned by the event loop of both connections.
 */
public interface KernelBytes {

    /** Takes available bytes in; only while there are none. As {@link LoopConnection#read}. */
    int read() throws IOException;

    /** Passes on as much as the other connection accepts. As {@link LoopConnection#write}. */
    int write() throws IOException;

    /** The number of bytes that wait to be passed on. */
    int remaining();

    /** The most bytes that it can hold. */
    int capacity();

    /** Discards what waits, and gives back what was used. */
    void release();
}
