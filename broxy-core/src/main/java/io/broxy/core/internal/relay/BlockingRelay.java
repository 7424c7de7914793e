package io.broxy.core.internal.relay;

import io.broxy.CloseReason;
import io.broxy.Connection;
import io.broxy.core.internal.loop.BufferPool;
import io.broxy.core.internal.loop.EventLoop;
import io.broxy.core.internal.loop.Workers;
import io.broxy.core.internal.net.StreamConnection;
import io.broxy.core.internal.time.Ticker;
import io.broxy.core.internal.time.TimerQueue;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A relay between connections of which one has no channel and so no readiness: two threads, each copying one direction.
 * A loop lends its timers as the idle clock; ending is done off the loop, for closing a socket with streams may block.
 * Breaks meet the other side as {@link Relay} says.
 *
 * <p>Threading: thread-safe.
 */
public final class BlockingRelay implements Stage {
    private static final Logger log = LoggerFactory.getLogger(BlockingRelay.class);

    private final Connection client;
    private final Connection origin;
    private final Idleness idleness;
    private final TunnelHandle tunnel;
    private final Workers workers;
    private final EventLoop clock;
    private final Ticker ticker;
    private final BlockingPipe toOrigin;
    private final BlockingPipe toClient;

    private volatile long lastActivityNanos;
    private final AtomicReference<@Nullable End> end = new AtomicReference<>();
    private final AtomicInteger running = new AtomicInteger(2);
    private TimerQueue.@Nullable Timer timer; // owned by the clock

    private record End(CloseReason reason, @Nullable Throwable cause) {}

    /** What every blocking relay of an engine shares. */
    public record Means(BufferPool buffers, Workers workers, Ticker ticker) {}

    private BlockingRelay(
            Connection client,
            Connection origin,
            Idleness idleness,
            TunnelHandle tunnel,
            EventLoop clock,
            Means means) {
        this.client = client;
        this.origin = origin;
        this.idleness = idleness;
        this.tunnel = tunnel;
        this.workers = means.workers();
        this.clock = clock;
        this.ticker = means.ticker();
        this.toOrigin = new BlockingPipe(this, client, origin, means.buffers());
        this.toClient = new BlockingPipe(this, origin, client, means.buffers());
        BlockingPipe.pair(toOrigin, toClient);
        this.lastActivityNanos = ticker.nanos();
    }

    /**
     * Relays on two threads of the stream executor and returns at once.
     *
     * @param toOrigin goes to the origin first
     * @param toClient goes to the client first, and is the proxy's own
     * @param clock whose timers watch for idleness
     */
    public static void start(
            Connection client,
            Connection origin,
            Idleness idleness,
            TunnelHandle tunnel,
            ByteBuffer toOrigin,
            ByteBuffer toClient,
            EventLoop clock,
            Means means) {
        BlockingRelay relay = new BlockingRelay(client, origin, idleness, tunnel, clock, means);
        relay.toOrigin.first(toOrigin, 0);
        relay.toClient.first(toClient, toClient.remaining());
        tunnel.stage(relay);
        withoutReadTimeout(client);
        withoutReadTimeout(origin);
        try {
            clock.execute(relay::startClock);
        } catch (RejectedExecutionException e) {
            relay.cut(CloseReason.CLOSED, null);
        }
        relay.run(relay.toOrigin);
        relay.run(relay.toClient);
    }

    /** A time-out that a socket's former owner has set must not cut a side that is only silent. */
    private static void withoutReadTimeout(Connection connection) {
        if (connection instanceof StreamConnection own) {
            try {
                own.asSocket().setSoTimeout(0);
            } catch (IOException e) {
                log.debug("a socket's read time-out stays, for the socket is closed", e);
            }
        }
    }

    private void run(BlockingPipe pipe) {
        try {
            workers.streams().execute(() -> {
                try {
                    pipe.run();
                } catch (Throwable e) {
                    log.error("a relay's thread failed; the tunnel is closed", e);
                    cut(CloseReason.FAILED, e);
                } finally {
                    left();
                }
            });
        } catch (RejectedExecutionException e) {
            cut(CloseReason.CLOSED, null);
            left();
        } catch (OutOfMemoryError e) { // "unable to create native thread"
            cut(CloseReason.FAILED, e);
            left();
        }
    }

    void touch() {
        lastActivityNanos = ticker.nanos();
    }

    // ------------------------------------------------------------------ what the pipes tell

    void ended(BlockingPipe pipe) {
        BlockingPipe other = pipe == toOrigin ? toClient : toOrigin;
        if (other.isEnded()) {
            finish();
        } else {
            onClock(this::checkIdle);
        }
    }

    /** Whether the connections are closed, or about to be. */
    boolean isOver() {
        return end.get() != null;
    }

    /** Whether a side's stream has come to its end. */
    boolean hasEnded(Connection side) {
        return (side == client ? toOrigin : toClient).isEnded();
    }

    void reset(Connection side, IOException cause) {
        cut(side == client ? CloseReason.CLIENT_RESET : CloseReason.ORIGIN_RESET, cause);
    }

    // ------------------------------------------------------------------ the clock

    private void onClock(Runnable task) {
        try {
            clock.execute(task);
        } catch (RejectedExecutionException e) {
            cut(CloseReason.CLOSED, null);
        }
    }

    private void offClock(Runnable task) {
        try {
            workers.closers().execute(task);
        } catch (RejectedExecutionException e) {
            task.run(); // the engine ends, and nothing waits for this loop any more
        }
    }

    private void startClock() {
        if (end.get() == null) {
            timer = clock.timers().schedule(lastActivityNanos + idleness.idleNanos(), this::checkIdle);
        }
    }

    private void checkIdle() {
        if (end.get() != null || timer == null) {
            return;
        }
        if (clock.isStopping()) {
            offClock(() -> cut(CloseReason.CLOSED, null));
            return;
        }
        boolean halfClosed = toOrigin.isEnded() || toClient.isEnded();
        long deadline = lastActivityNanos + idleness.limitNanos(halfClosed);
        if (deadline - ticker.nanos() > 0) {
            clock.timers().reschedule(timer, deadline);
        } else {
            offClock(() -> cut(CloseReason.IDLE, null));
        }
    }

    private void cancelTimer() {
        if (timer != null) {
            clock.timers().cancel(timer);
            timer = null;
        }
    }

    // ------------------------------------------------------------------ the end

    @Override
    public void end(CloseReason reason) {
        offClock(() -> cut(reason, null));
    }

    /** Both streams have come to their end. */
    private void finish() {
        End why;
        if (toClient.sinkFailure() != null) {
            why = new End(CloseReason.CLIENT_RESET, toClient.sinkFailure());
        } else if (toOrigin.sinkFailure() != null) {
            why = new End(CloseReason.ORIGIN_RESET, toOrigin.sinkFailure());
        } else {
            why = new End(CloseReason.FINISHED, null);
        }
        if (end.compareAndSet(null, why)) {
            close(client);
            close(origin);
            stopClock();
        }
    }

    /** Cuts both streams, which ends the threads; the last one that leaves records the end. */
    private void cut(CloseReason reason, @Nullable Throwable cause) {
        if (end.compareAndSet(null, new End(reason, cause))) {
            client.abort();
            origin.abort();
            stopClock();
        }
    }

    private void stopClock() {
        try {
            clock.execute(this::cancelTimer);
        } catch (RejectedExecutionException e) {
            // the timer went with its loop
        }
    }

    private static void close(Connection connection) {
        try {
            connection.close();
        } catch (IOException e) {
            log.debug("closing a connection failed", e);
        }
    }

    private void left() {
        if (running.decrementAndGet() == 0) {
            End why = end.get();
            if (why == null) {
                throw new IllegalStateException("both threads left a relay that has not ended");
            }
            tunnel.ended(why.reason(), why.cause(), toOrigin.moved(), toClient.moved());
        }
    }

    @Override
    public long bytesToOrigin() {
        return toOrigin.moved();
    }

    @Override
    public long bytesToClient() {
        return toClient.moved();
    }
}
