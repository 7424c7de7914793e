package io.broxy.core.internal.relay;

import io.broxy.CloseReason;
import io.broxy.Connection;
import io.broxy.core.internal.loop.BufferPool;
import io.broxy.core.internal.loop.EventLoop;
import io.broxy.core.internal.loop.Workers;
import io.broxy.core.internal.net.LingeringClose;
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
        try {
            clock.execute(relay::startClock);
        } catch (RejectedExecutionException e) {
            relay.finish(CloseReason.CLOSED, null);
        }
        relay.run(relay.toOrigin);
        relay.run(relay.toClient);
    }

    private void run(BlockingPipe pipe) {
        try {
            workers.streams().execute(() -> {
                try {
                    pipe.run();
                } catch (Throwable e) {
                    log.error("a relay's thread failed; the tunnel is closed", e);
                    finish(CloseReason.FAILED, e);
                } finally {
                    left();
                }
            });
        } catch (RejectedExecutionException e) {
            finish(CloseReason.CLOSED, null);
            left();
        } catch (OutOfMemoryError e) { // "unable to create native thread"
            finish(CloseReason.FAILED, e);
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
            finish(CloseReason.FINISHED, null);
        } else if (other.isDiscarding()) {
            linger(other);
        } else {
            touch();
            onClock(this::checkIdle);
        }
    }

    void discarding(BlockingPipe pipe) {
        BlockingPipe other = pipe == toOrigin ? toClient : toOrigin;
        if (other.isEnded()) {
            linger(pipe);
        }
    }

    private void linger(BlockingPipe discarding) {
        CloseReason reason = discarding == toOrigin ? CloseReason.FINISHED : CloseReason.CLIENT_RESET;
        onClock(() -> {
            if (end.get() == null) {
                cancelTimer();
                timer = clock.timers()
                        .schedule(
                                clock.nowNanos() + LingeringClose.TIMEOUT_NANOS,
                                () -> offClock(() -> finish(reason, null)));
            }
        });
    }

    void reset(Connection side, IOException cause) {
        finish(side == client ? CloseReason.CLIENT_RESET : CloseReason.ORIGIN_RESET, cause);
    }

    // ------------------------------------------------------------------ the clock

    private void onClock(Runnable task) {
        try {
            clock.execute(task);
        } catch (RejectedExecutionException e) {
            finish(CloseReason.CLOSED, null);
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
            offClock(() -> finish(CloseReason.CLOSED, null));
            return;
        }
        boolean halfClosed = toOrigin.isEnded() || toClient.isEnded();
        long deadline = lastActivityNanos + idleness.limitNanos(halfClosed);
        if (deadline - ticker.nanos() > 0) {
            clock.timers().reschedule(timer, deadline);
        } else {
            offClock(() -> finish(CloseReason.IDLE, null));
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
        offClock(() -> finish(reason, null));
    }

    /** Closes both connections, which ends the threads; the last one that leaves records the end. */
    private void finish(CloseReason reason, @Nullable Throwable cause) {
        if (!end.compareAndSet(null, new End(reason, cause))) {
            return;
        }
        if (reason == CloseReason.FINISHED) {
            close(client);
            close(origin);
        } else {
            client.abort();
            origin.abort();
        }
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
