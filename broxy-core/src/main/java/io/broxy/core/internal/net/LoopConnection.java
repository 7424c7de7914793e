package io.broxy.core.internal.net;

import io.broxy.Connection;
import io.broxy.core.internal.loop.ChannelEvents;
import io.broxy.core.internal.loop.EventLoop;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.SocketAddress;
import java.nio.ByteBuffer;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * A connected byte stream as its event loop drives it: no call blocks, and one handler is notified of readiness.
 *
 * <p>Threading: owned by its event loop.
 */
public interface LoopConnection {

    /** The loop that owns it. */
    EventLoop loop();

    /** Replaces the handler that is notified of readiness. */
    void handler(ChannelEvents handler);

    /**
     * Replaces the operations whose readiness the handler wants.
     *
     * @param ops {@link java.nio.channels.SelectionKey#OP_READ} and {@link java.nio.channels.SelectionKey#OP_WRITE}, or 0
     * @throws IOException if the connection is closed
     */
    void interest(int ops) throws IOException;

    /** The operations whose readiness the handler wants. */
    int interest();

    /** Reads what is there: how many bytes, 0 for none now, -1 at the end of the stream. */
    int read(ByteBuffer into) throws IOException;

    /**
     * Puts bytes back that were read too far, such as those behind a proxy's reply: they are copied, and are what the next
     * reads give first. A handler that wants {@link java.nio.channels.SelectionKey#OP_READ} is notified of them, in a later turn
     * of the loop. On a closed connection it does nothing.
     */
    void unread(ByteBuffer bytes);

    /** Writes what goes out now, and gives how many bytes that were. */
    int write(ByteBuffer from) throws IOException;

    /** Ends the output; reading goes on. */
    void shutdownOutput() throws IOException;

    /** Closes; the peer sees the end of the stream. Repeated calls change nothing. */
    void close();

    /** Closes, and the peer sees a reset. Repeated calls change nothing. */
    void abort();

    /** Whether neither {@link #close} nor {@link #abort} was called. */
    boolean isOpen();

    /** The peer's address. */
    SocketAddress remoteAddress();

    /** As {@link #remoteAddress}; null if another thread has closed the connection, so that it is not known. */
    default @Nullable SocketAddress peer() {
        try {
            return remoteAddress();
        } catch (UncheckedIOException e) {
            return null;
        }
    }

    /** This side's address; null if the connection is closed, or another author's, whose code the loop does not call. */
    default @Nullable SocketAddress localAddress() {
        return null;
    }

    /**
     * Runs a task once the connection, of which {@link #close} or {@link #abort} was called, is closed: on the loop, or on
     * another thread when the loop has ended before.
     */
    default void whenClosed(Runnable task) {
        loop().afterClosing(task);
    }

    /** Bytes that {@link #write} has taken and that have not left this process. Thread-safe. */
    default long unsent() {
        return 0;
    }

    /** Why bytes that {@link #write} has taken were lost, as far as is known until now; null if none were. Thread-safe. */
    default @Nullable IOException lost() {
        return null;
    }

    /** Whether threads block for it, for it has no readiness of its own. */
    default boolean takesThreads() {
        return false;
    }

    /**
     * Looks once whether the connection has broken, which does not show while it waits for no readiness. It does nothing once
     * this side has ended its output, for then an orderly end looks the same.
     *
     * @param broken receives the failure of a write, in a later turn of the loop, if the connection has broken
     */
    default void lookForBreak(Consumer<IOException> broken) {}

    /**
     * Passes it on to a user: it leaves the loop and blocks from then on. One of the two is called, on the loop.
     *
     * @param ready receives the user's connection
     * @param failed receives the failure; the connection is closed then
     */
    void release(Consumer<Connection> ready, Consumer<IOException> failed);
}
