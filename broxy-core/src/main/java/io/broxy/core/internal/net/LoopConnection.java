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
 * A connected byte stream on its event loop: no call blocks, and one handler is notified of readiness.
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

    /** Reads available bytes. Returns their number, 0 if none are available now, or -1 at the end of the stream. */
    int read(ByteBuffer into) throws IOException;

    /**
     * Pushes back bytes that were read ahead, such as those after a proxy's reply. They are copied, and the next reads return
     * them first. A handler that wants {@link java.nio.channels.SelectionKey#OP_READ} is notified of them in a later turn of
     * the loop. Has no effect on a closed connection.
     */
    void unread(ByteBuffer bytes);

    /** Writes as much as possible without blocking, and returns the number of bytes written. */
    int write(ByteBuffer from) throws IOException;

    /** Ends the output; the connection remains readable. */
    void shutdownOutput() throws IOException;

    /** Closes the connection; the peer sees the end of the stream. Repeated calls have no effect. */
    void close();

    /** Closes the connection; the peer sees a reset. Repeated calls have no effect. */
    void abort();

    /** Whether neither {@link #close} nor {@link #abort} was called. */
    boolean isOpen();

    /** The peer's address. */
    SocketAddress remoteAddress();

    /** As {@link #remoteAddress}; null if it is unknown because another thread closed the connection. */
    default @Nullable SocketAddress peer() {
        try {
            return remoteAddress();
        } catch (UncheckedIOException e) {
            return null;
        }
    }

    /**
     * This side's address; null if the connection is closed, or a third-party implementation, whose code the loop does not
     * call.
     */
    default @Nullable SocketAddress localAddress() {
        return null;
    }

    /**
     * Runs a task once the connection is really closed after {@link #close} or {@link #abort}: on the loop, or on another
     * thread if the loop has already stopped.
     */
    default void whenClosed(Runnable task) {
        loop().afterClosing(task);
    }

    /** The number of bytes that {@link #write} accepted but that have not left this process yet. Thread-safe. */
    default long unsent() {
        return 0;
    }

    /** The failure that lost bytes accepted by {@link #write}, if it is known yet; else null. Thread-safe. */
    default @Nullable IOException lost() {
        return null;
    }

    /** Whether the connection has no readiness and so needs threads that block. */
    default boolean takesThreads() {
        return false;
    }

    /**
     * Probes once whether the connection has broken, which goes unnoticed while the handler wants no readiness. Has no effect
     * after this side has ended its output, since an orderly end would look the same.
     *
     * @param broken receives the failure that a write would have, in a later turn of the loop, if the connection has broken
     */
    default void lookForBreak(Consumer<IOException> broken) {}

    /**
     * Releases the connection to a user: it leaves the loop and blocks from then on. One of the two consumers is called, on the
     * loop.
     *
     * @param ready receives the user's connection
     * @param failed receives the failure, after which the connection is closed
     */
    void release(Consumer<Connection> ready, Consumer<IOException> failed);

    /**
     * Begins to move bytes to another connection within the kernel, for a stream whose reads are large; the caller must {@linkplain
     * KernelBytes#release release} what it gets.
     *
     * @return null if that is not possible now, or never, with these connections
     */
    default @Nullable KernelBytes toKernel(LoopConnection sink) {
        return null;
    }

    /**
     * Moves the connection to another loop of the engine.
     *
     * @param arrived receives the connection there
     * @param failed receives the failure on this loop, after which the connection is closed
     */
    default void moveTo(EventLoop other, Consumer<LoopConnection> arrived, Consumer<IOException> failed) {
        release(
                connection -> {
                    Transferable transferable = (Transferable) connection; // as all connections of loops are
                    try {
                        transferable.detach();
                        transferable.unblock();
                    } catch (IOException e) {
                        transferable.detached().abort();
                        failed.accept(e);
                        return;
                    }
                    if (!other.tryExecute(() -> arrived.accept(transferable.onLoop(other)))) {
                        transferable.detached().abort();
                        failed.accept(new IOException("the event loop has stopped"));
                    }
                },
                failed);
    }
}
