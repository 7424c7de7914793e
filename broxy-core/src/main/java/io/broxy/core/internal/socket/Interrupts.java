package io.broxy.core.internal.socket;

import io.broxy.core.internal.loop.VirtualThreads;

/** The effect of an interrupt on a connection that the interrupted thread waits for. Threading: immutable. */
public enum Interrupts {
    /** It closes the connection, as every {@link java.nio.channels.InterruptibleChannel} is closed. */
    CLOSE,
    /**
     * As in the JDK's own {@link java.net.Socket}: a platform thread goes on waiting and keeps its interrupt status, a
     * virtual thread closes the connection.
     */
    AS_SOCKETS;

    /** Whether an interrupt of the calling thread closes the connection. */
    public boolean close() {
        return this == CLOSE || VirtualThreads.isVirtual(Thread.currentThread());
    }
}
