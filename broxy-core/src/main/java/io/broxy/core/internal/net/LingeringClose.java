package io.broxy.core.internal.net;

import io.broxy.core.internal.loop.ChannelEvents;
import io.broxy.core.internal.loop.EventLoop;
import io.broxy.core.internal.loop.LoopBuffers;
import io.broxy.core.internal.time.TimerQueue;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.SelectionKey;
import java.util.concurrent.TimeUnit;

/**
 * Closes a connection such that the peer can read the last bytes: closing with unread input makes TCP send a reset, which
 * discards bytes that the peer has not read yet (RFC 9112 section 9.6). This class writes, ends the output, and discards input
 * until the peer ends its stream or a timeout expires.
 *
 * <pre>
 *   WRITING ──> DISCARDING ──> closed
 * </pre>
 *
 * <p>Threading: owned by its event loop.
 */
public final class LingeringClose implements ChannelEvents {
    /** The time limit for each progress in reading the last bytes, and then for the peer's end of stream. */
    public static final long TIMEOUT_NANOS = TimeUnit.SECONDS.toNanos(2);

    /** The maximum input that is discarded: more than the buffers of a connection hold. */
    private static final int MAX_DISCARDED = 16 << 20;

    private final LoopConnection connection;
    private final EventLoop loop;
    private final ByteBuffer last;
    private final Runnable closed;
    private final TimerQueue.Timer timer;
    private int discarded;
    private boolean over;

    private LingeringClose(LoopConnection connection, ByteBuffer last, Runnable closed) {
        this.connection = connection;
        this.loop = connection.loop();
        this.last = last;
        this.closed = closed;
        this.timer = loop.timers().schedule(loop.nowNanos() + TIMEOUT_NANOS, this::timedOut);
    }

    /**
     * Starts closing.
     *
     * @param last the last bytes for the peer, kept until they are written
     * @param closed runs when the connection is closed
     */
    public static LingeringClose start(LoopConnection connection, ByteBuffer last, Runnable closed) {
        LingeringClose close = new LingeringClose(connection, last, closed);
        connection.handler(close);
        close.write();
        return close;
    }

    /** Resets the connection without waiting any longer. */
    public void abort() {
        if (!over) {
            connection.abort();
            end();
        }
    }

    private void timedOut() {
        if (connection.unsent() > 0) {
            connection.abort(); // otherwise threads would keep waiting for a peer that reads nothing
        }
        end();
    }

    @Override
    public void ready(int readyOps) {
        if (last.hasRemaining()) {
            write();
        } else {
            discard();
        }
    }

    private void write() {
        try {
            if (last.hasRemaining() && connection.write(last) > 0) {
                loop.timers().reschedule(timer, loop.nowNanos() + TIMEOUT_NANOS); // the peer reads, though slowly
            }
            if (last.hasRemaining()) {
                connection.interest(SelectionKey.OP_WRITE);
            } else {
                connection.shutdownOutput();
                connection.interest(SelectionKey.OP_READ);
            }
        } catch (IOException e) {
            end(); // the peer is gone
        }
    }

    private void discard() {
        try {
            int count = connection.read(loop.buffers().shared().limit(LoopBuffers.MIN_READ));
            discarded += Math.max(count, 0);
            if (count < 0) {
                end();
            } else if (discarded > MAX_DISCARDED) {
                connection.interest(0); // a peer that keeps sending would keep the loop busy until the timeout
            }
        } catch (IOException e) {
            end();
        }
    }

    private void end() {
        if (!over) {
            over = true;
            loop.timers().cancel(timer);
            connection.close();
            closed.run();
        }
    }

    @Override
    public void abandoned(Throwable cause) {
        end();
    }
}
