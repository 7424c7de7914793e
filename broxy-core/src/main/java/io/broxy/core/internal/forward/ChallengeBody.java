package io.broxy.core.internal.forward;

import io.broxy.core.internal.http.BadHeadException;
import io.broxy.core.internal.http.BodyDecoder;
import io.broxy.core.internal.http.ForwardedResponse;
import io.broxy.core.internal.loop.ChannelEvents;
import io.broxy.core.internal.loop.LoopBuffers;
import io.broxy.core.internal.net.LoopConnection;
import io.broxy.core.internal.time.TimerQueue;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.SelectionKey;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * Reads past the body of a proxy's challenge, behind which the connection can take the answer. One that is long, or does not
 * come to its end soon, is not worth that.
 *
 * <p>Threading: owned by its event loop.
 */
final class ChallengeBody implements ChannelEvents {
    private static final long MAX_BYTES = 64 << 10;
    private static final long MAX_NANOS = TimeUnit.SECONDS.toNanos(2);

    private final LoopConnection connection;
    private final boolean persistent;
    private final BodyDecoder decoder;
    private final TimerQueue.Timer timer;
    private long skipped;
    private boolean ended;
    private boolean whole;
    private @Nullable Runnable whenEnded;

    ChallengeBody(LoopConnection connection, ForwardedResponse challenge) {
        this.connection = connection;
        this.persistent = challenge.originPersists();
        this.decoder = BodyDecoder.response(challenge.body());
        this.timer = connection.loop().timers().schedule(connection.loop().nowNanos() + MAX_NANOS, () -> end(false));
    }

    /** Begins with what has come behind the head. */
    void begin(ByteBuffer in) {
        connection.handler(this);
        skip(in);
        if (!ended) {
            interest(SelectionKey.OP_READ);
        }
    }

    /** Whether the body has come whole, and the connection takes another request. */
    boolean isWhole() {
        return whole;
    }

    /** Runs a task when the end has come, or is given up; at once if that is so already. */
    void whenEnded(Runnable task) {
        if (ended) {
            task.run();
        } else {
            whenEnded = task;
        }
    }

    /** Waits for nothing any more. */
    void cancel() {
        whenEnded = null;
        end(false);
    }

    @Override
    public void ready(int readyOps) {
        if (ended) {
            return;
        }
        ByteBuffer in = connection.loop().buffers().shared().limit(LoopBuffers.MIN_READ);
        try {
            if (connection.read(in) < 0) {
                end(false);
            } else {
                skip(in.flip());
            }
        } catch (IOException e) {
            end(false);
        }
    }

    private void skip(ByteBuffer in) {
        try {
            int count;
            while ((count = decoder.next(in)) > 0 && skipped <= MAX_BYTES) {
                in.position(in.position() + count);
                skipped += count;
            }
            if (count == BodyDecoder.END) {
                end(persistent && !in.hasRemaining());
            } else if (skipped > MAX_BYTES || !persistent) {
                end(false);
            }
        } catch (BadHeadException e) {
            end(false);
        }
    }

    private void end(boolean found) {
        if (ended) {
            return;
        }
        ended = true;
        whole = found;
        connection.loop().timers().cancel(timer);
        interest(0);
        Runnable task = whenEnded;
        if (task != null) {
            task.run();
        }
    }

    private void interest(int ops) {
        try {
            connection.interest(ops);
        } catch (IOException e) {
            whole = false;
            end(false);
        }
    }

    @Override
    public void abandoned(Throwable cause) {
        end(false);
    }
}
