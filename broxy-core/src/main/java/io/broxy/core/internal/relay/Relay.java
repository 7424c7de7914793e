package io.broxy.core.internal.relay;

import io.broxy.CloseReason;
import io.broxy.core.internal.loop.EventLoop;
import io.broxy.core.internal.loop.Throttles;
import io.broxy.core.internal.net.BreakWatch;
import io.broxy.core.internal.net.LingeringClose;
import io.broxy.core.internal.net.LoopConnection;
import io.broxy.core.internal.time.TimerQueue;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/**
 * A tunnel's bytes, both ways, on one loop: two {@link Pipe}s, one timer, one end. The clocks are lazy: a byte only
 * notes the time, and the timer looks at it when it fires.
 *
 * <p>How one side's break meets the other (a cut stream must never look complete, a complete one never be cut): a reset
 * before a side's stream has ended resets the other. After it, the other side still gets all that was sent and an orderly
 * end; what that one goes on sending is dropped, and does not count as activity. If that is much it is reset, once it has had
 * {@linkplain LingeringClose#TIMEOUT_NANOS some time} to take what was sent. What is dropped waits for no rate and is charged to
 * none, so a relay whose client is gone ends as soon as one without a limit.
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
    private final TimerQueue.Timer timer;
    private final @Nullable Throttles throttles;
    private final @Nullable BreakWatch watch;
    private long checkNanos;
    private long lastActivityNanos;
    private boolean endingSoon;
    private boolean over;

    private Relay(
            LoopConnection client,
            LoopConnection origin,
            Idleness idleness,
            TunnelHandle tunnel,
            @Nullable Throttles throttles) {
        this.loop = client.loop();
        this.client = client;
        this.origin = origin;
        this.idleness = idleness;
        this.tunnel = tunnel;
        this.throttles = throttles;
        this.toOrigin = new Pipe(this, client, origin, throttles == null ? null : throttles.toOrigin());
        this.toClient = new Pipe(this, origin, client, throttles == null ? null : throttles.toClient());
        this.watch = throttles == null ? null : new BreakWatch(client, throttles::isWaiting, this::clientBroke);
        Pipe.pair(toOrigin, toClient);
        this.lastActivityNanos = loop.nowNanos();
        this.checkNanos = lastActivityNanos + idleness.idleNanos();
        this.timer = loop.timers().schedule(checkNanos, this::checkTime);
    }

    /**
     * Relays until both sides have ended, then closes both and records the tunnel's end.
     *
     * @param client on the same loop as {@code origin}
     * @param throttles limits of the rate, or null
     * @param toOrigin held bytes that go to the origin first, or null; released by the relay
     * @param toClient held bytes that go to the client first, or null; released by the relay
     * @param answerBytes how many bytes of {@code toClient} are the proxy's own
     */
    public static void start(
            LoopConnection client,
            LoopConnection origin,
            Idleness idleness,
            TunnelHandle tunnel,
            @Nullable Throttles throttles,
            @Nullable ByteBuffer toOrigin,
            @Nullable ByteBuffer toClient,
            int answerBytes) {
        Relay relay = new Relay(client, origin, idleness, tunnel, throttles);
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

    /** A byte, or an end, was passed. */
    void touch() {
        lastActivityNanos = loop.nowNanos();
    }

    // ------------------------------------------------------------------ events of the pipes

    /** Since this time bytes wait for a sink that takes none. */
    void waiting(long sinceNanos) {
        checkBy(sinceNanos + idleness.stallNanos());
    }

    /** A pipe waits for its turn, and nothing may be waited for at the client meanwhile. */
    void throttled() {
        if (watch != null) {
            watch.begin();
        }
    }

    private void clientBroke(IOException cause) {
        if (!over && toClient.isOpen()) {
            toClient.sinkFailed(cause);
        }
    }

    /** A pipe's source has ended, and so has the output of the sink. */
    void ended(Pipe pipe) {
        Pipe other = pipe == toOrigin ? toClient : toOrigin;
        if (other.isEnded()) {
            finish();
        } else {
            checkBy(lastActivityNanos + limitNanos());
        }
    }

    /** The limit on the time without a byte; a stream that still goes over is not cut for the sake of one that does not. */
    private long limitNanos() {
        boolean halfClosed = toOrigin.isEnded() || toClient.isEnded();
        return endingSoon && halfClosed ? LingeringClose.TIMEOUT_NANOS : idleness.limitNanos(halfClosed);
    }

    /** A side's connection broke before its stream had ended. */
    void reset(LoopConnection side, IOException cause) {
        cut(side == client ? CloseReason.CLIENT_RESET : CloseReason.ORIGIN_RESET, cause);
    }

    /** A pipe's source goes on sending, and its sink is gone. */
    void endSoon() {
        if (!over && !endingSoon) {
            endingSoon = true;
            checkBy(loop.nowNanos() + LingeringClose.TIMEOUT_NANOS);
        }
    }

    /** A side's connection cannot be waited for: it was closed from outside. */
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

    /** Has the clocks looked at when this time has come, if not before. */
    private void checkBy(long deadlineNanos) {
        if (!over && deadlineNanos - checkNanos < 0) {
            checkNanos = deadlineNanos;
            loop.timers().reschedule(timer, deadlineNanos);
        }
    }

    private void checkTime() {
        if (loop.isStopping()) { // which fires all timers, until none is left
            cut(CloseReason.CLOSED, null);
            return;
        }
        long now = loop.nowNanos();
        long idle = lastActivityNanos + limitNanos();
        long stalled = stall(toClient, stall(toOrigin, idle));
        if (stalled - now > 0) {
            checkNanos = stalled;
            loop.timers().reschedule(timer, stalled);
        } else if (endingSoon && (toOrigin.isEnded() || toClient.isEnded())) {
            stop();
            client.abort();
            origin.abort();
            recordFinish();
        } else {
            cut(idle - now > 0 ? CloseReason.STALLED : CloseReason.IDLE, null);
        }
    }

    /** When a pipe's sink has had its time to take what waits for it, if that is before the other deadline. */
    private long stall(Pipe pipe, long deadlineNanos) {
        long stall = pipe.waitingSinceNanos() + idleness.stallNanos();
        return pipe.isWaiting() && stall - deadlineNanos < 0 ? stall : deadlineNanos;
    }

    @Override
    public void end(CloseReason reason) {
        if (loop.inLoop()) {
            cut(reason, null);
        } else {
            loop.tryExecute(() -> cut(reason, null)); // the end of a loop has abandoned its tunnels
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
        toOrigin.refundUnsent();
        toClient.refundUnsent();
        stop();
        client.abort();
        origin.abort();
        whenClosed(() -> ended(reason, cause));
    }

    private void stop() {
        over = true;
        loop.timers().cancel(timer);
        toOrigin.releaseHeld();
        toClient.releaseHeld();
        if (throttles != null) {
            throttles.stop();
        }
        if (watch != null) {
            watch.stop();
        }
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
