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
 * A connected byte stream as its event loop drives it: nothing blocks, and readiness is told to one handler.
 *
 * <p>Threading: owned by its event loop.
 */
public interface LoopConnection {

    /** The loop that owns it. */
    EventLoop loop();

    /** Replaces who is told about readiness. */
    void handler(ChannelEvents handler);

    /**
     * Sets what readiness the handler wants to be told, replacing what was wanted.
     *
     * @param ops {@link java.nio.channels.SelectionKey#OP_READ} and {@link java.nio.channels.SelectionKey#OP_WRITE}, or 0
     * @throws IOException if the connection is closed
     */
    void interest(int ops) throws IOException;

    /** What readiness is wanted. */
    int interest();

    /** Reads what is there: how many bytes, 0 for none now, -1 at the end of the stream. */
    int read(ByteBuffer into) throws IOException;

    /**
     * Puts bytes back that were read too far, such as those behind a proxy's reply: they are copied, and are what the next
     * reads give first. Whoever wants {@link java.nio.channels.SelectionKey#OP_READ} is told of them, in a later turn of the
     * loop. Nothing happens once the connection is closed.
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

    /** As {@link #remoteAddress}; null if somebody else has closed it, so that it cannot be told. */
    default @Nullable SocketAddress peer() {
        try {
            return remoteAddress();
        } catch (UncheckedIOException e) {
            return null;
        }
    }

    /** This side's address; null if it is closed or, being somebody else's, is not asked. */
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

    /** Whether it has no readiness of its own, and so threads that block for it. */
    default boolean takesThreads() {
        return false;
    }

    /**
     * Looks once whether the connection has broken, which one that waits for no readiness does not show; nothing happens
     * where this side has ended its output, for then an orderly end looks the same.
     *
     * @param broken told how a write fails, in a later turn of the loop, unless it has not broken
     */
    default void lookForBreak(Consumer<IOException> broken) {}

    /**
     * Gives it away to a user: it leaves the loop and blocks from then on.
     *
     * @param ready gets it, on the loop, or is not called because {@code failed} was
     * @param failed told why it could not be; it is closed then
     */
    void release(Consumer<Connection> ready, Consumer<IOException> failed);
}
