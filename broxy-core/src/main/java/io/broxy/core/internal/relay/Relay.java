package io.broxy.core.internal.relay;

import io.broxy.CloseReason;
import io.broxy.core.internal.loop.EventLoop;
import io.broxy.core.internal.net.LingeringClose;
import io.broxy.core.internal.net.LoopConnection;
import io.broxy.core.internal.time.TimerQueue;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/**
 * A tunnel's bytes, both ways, on one loop: two {@link Pipe}s, one idle clock, one end. The clock is lazy: a byte only
 * notes the time, and the timer looks at it when it fires.
 *
 * <p>How one side's break meets the other (a cut stream must never look complete, a complete one never be cut): a reset
 * before a side's stream has ended resets the other. After it, the other side still gets all that was sent and an orderly
 * end; what that one goes on sending is dropped, and does not count as activity. If that is much it is reset, once it has had
 * {@linkplain LingeringClose#TIMEOUT_NANOS some time} to take what was sent.
 *
 * <p>Threading: owned by its event loop, but for what {@link Stage} says.
 */
public final class Relay implements Stage {
    private final EventLoop loop;
    private final LoopConnection client;
    private final LoopConnection origin;
    private final Pipe toOrigin;
    private final Pipe toClient;
    private final Idleness idleness;
    private final TunnelHandle tunnel;
    private final TimerQueue.Timer idleTimer;
    private long lastActivityNanos;
    private boolean endingSoon;
    private boolean over;

    private Relay(LoopConnection client, LoopConnection origin, Idleness idleness, TunnelHandle tunnel) {
        this.loop = client.loop();
        this.client = client;
        this.origin = origin;
        this.idleness = idleness;
        this.tunnel = tunnel;
        this.toOrigin = new Pipe(this, client, origin);
        this.toClient = new Pipe(this, origin, client);
        Pipe.pair(toOrigin, toClient);
        this.lastActivityNanos = loop.nowNanos();
        this.idleTimer = loop.timers().schedule(lastActivityNanos + idleness.idleNanos(), this::checkIdle);
    }

    /**
     * Relays until both sides have ended, then closes both and records the tunnel's end.
     *
     * @param client on the same loop as {@code origin}
     * @param toOrigin held bytes that go to the origin first, or null; released by the relay
     * @param toClient held bytes that go to the client first, or null; released by the relay
     * @param answerBytes how many bytes of {@code toClient} are the proxy's own
     */
    public static void start(
            LoopConnection client,
            LoopConnection origin,
            Idleness idleness,
            TunnelHandle tunnel,
            @Nullable ByteBuffer toOrigin,
            @Nullable ByteBuffer toClient,
            int answerBytes) {
        Relay relay = new Relay(client, origin, idleness, tunnel);
        relay.toOrigin.first(toOrigin, 0);
        relay.toClient.first(toClient, answerBytes);
        tunnel.stage(relay);
        if (!relay.over) { // its end was asked for before
            relay.start();
        }
    }

    private void start() {
        // Each connection needs its handler before the other's pipe may wait for it.
        client.handler(toOrigin);
        origin.handler(toClient);
        try {
            client.interest(0);
            origin.interest(0);
            toOrigin.start();
            if (!over) {
                toClient.start();
            }
        } catch (IOException | RuntimeException e) {
            cut(CloseReason.FAILED, e);
        }
    }

    EventLoop loop() {
        return loop;
    }

    /** A byte, or an end, has gone over. */
    void touch() {
        lastActivityNanos = loop.nowNanos();
    }

    // ------------------------------------------------------------------ what the pipes tell

    /** A pipe's source has come to its end, and the sink has been told. */
    void ended(Pipe pipe) {
        Pipe other = pipe == toOrigin ? toClient : toOrigin;
        if (other.isEnded()) {
            finish();
        } else if (!endingSoon) {
            loop.timers().reschedule(idleTimer, lastActivityNanos + idleness.limitNanos(true));
        }
    }

    /** A side's connection broke before its stream had ended. */
    void reset(LoopConnection side, IOException cause) {
        cut(side == client ? CloseReason.CLIENT_RESET : CloseReason.ORIGIN_RESET, cause);
    }

    /** A pipe's source sends on and on, and nobody is left to take it. */
    void endSoon() {
        if (!over && !endingSoon) {
            endingSoon = true;
            loop.timers().reschedule(idleTimer, loop.nowNanos() + LingeringClose.TIMEOUT_NANOS);
        }
    }

    /** A side's connection cannot be waited for, for somebody else has closed it. */
    void failed(IOException cause) {
        cut(CloseReason.FAILED, cause);
    }

    // ------------------------------------------------------------------ ends

    /** Both streams have come to their end. */
    private void finish() {
        if (over) {
            return;
        }
        stop();
        client.close();
        origin.close();
        recordFinish();
    }

    /** Whether all that was sent has gone out is known only when both are closed. */
    private void recordFinish() {
        whenClosed(() -> {
            if (toClient.sinkFailure() != null) {
                ended(CloseReason.CLIENT_RESET, toClient.sinkFailure());
            } else if (toOrigin.sinkFailure() != null) {
                ended(CloseReason.ORIGIN_RESET, toOrigin.sinkFailure());
            } else {
                ended(CloseReason.FINISHED, null);
            }
        });
    }

    private void checkIdle() {
        if (loop.isStopping()) { // which fires all timers, until none is left
            cut(CloseReason.CLOSED, null);
            return;
        }
        boolean halfClosed = toOrigin.isEnded() || toClient.isEnded();
        long limit = endingSoon ? LingeringClose.TIMEOUT_NANOS : idleness.limitNanos(halfClosed);
        long deadline = lastActivityNanos + limit;
        if (deadline - loop.nowNanos() > 0) {
            loop.timers().reschedule(idleTimer, deadline);
        } else if (endingSoon) {
            stop();
            client.abort();
            origin.abort();
            recordFinish();
        } else {
            cut(CloseReason.IDLE, null);
        }
    }

    @Override
    public void end(CloseReason reason) {
        if (loop.inLoop()) {
            cut(reason, null);
            return;
        }
        try {
            loop.execute(() -> cut(reason, null));
        } catch (RejectedExecutionException e) {
            // The loop has stopped, and has abandoned the tunnel by that.
        }
    }

    void abandoned(Throwable cause) {
        if (loop.isStopping()) {
            cut(CloseReason.CLOSED, null);
        } else {
            cut(CloseReason.FAILED, cause);
        }
    }

    /** Cuts both streams. */
    private void cut(CloseReason reason, @Nullable Throwable cause) {
        if (over) {
            return;
        }
        stop();
        client.abort();
        origin.abort();
        whenClosed(() -> ended(reason, cause));
    }

    private void stop() {
        over = true;
        loop.timers().cancel(idleTimer);
        toOrigin.releaseHeld();
        toClient.releaseHeld();
    }

    private void whenClosed(Runnable task) {
        AtomicInteger open = new AtomicInteger(2);
        Runnable closed = () -> {
            if (open.decrementAndGet() == 0) {
                task.run();
            }
        };
        client.whenClosed(closed);
        origin.whenClosed(closed);
    }

    private void ended(CloseReason reason, @Nullable Throwable cause) {
        tunnel.ended(reason, cause, bytesToOrigin(), bytesToClient());
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
