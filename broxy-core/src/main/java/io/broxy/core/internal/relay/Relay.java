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
 * Relays a tunnel's bytes in both directions on one loop, with two {@link Pipe}s and one timer. The timeouts are lazy: a byte
 * only updates a timestamp, which the timer checks when it fires.
 *
 * <p>A truncated stream must never look complete, and a complete one must never be truncated. So when one side's connection
 * breaks before its stream has ended, the other side is reset. If it breaks after the end of its stream, the other side still
 * gets all bytes and an orderly end. Bytes that the other side keeps sending are discarded and do not count as activity; if
 * they are many, that side is reset after {@linkplain LingeringClose#TIMEOUT_NANOS some time} to read the remaining bytes.
 * Discarded bytes are exempt from rate limits, so a relay whose client is gone ends as quickly as without a limit.
 *
 * <p>Threading: owned by its event loop, except for the methods of {@link Stage}.
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
     * @param throttles the rate limits, or null
     * @param toOrigin bytes that are sent to the origin first, or null; released by the relay
     * @param toClient bytes that are sent to the client first, or null; released by the relay
     * @param answerBytes the number of bytes of {@code toClient} that the proxy itself has generated
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
        if (!relay.over) { // otherwise the end was requested before
            relay.start();
        }
    }

    private void start() {
        if (loop.isStopping()) { // and may have closed the sockets
            cut(CloseReason.CLOSED, null);
            return;
        }
        // Each connection needs its handler before the other pipe may wait for it.
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

    /** Records that bytes or an end of stream were relayed. */
    void touch() {
        lastActivityNanos = loop.nowNanos();
    }

    // ------------------------------------------------------------------ events of the pipes

    /** Records since when bytes wait for a sink that accepts none. */
    void waiting(long sinceNanos) {
        checkBy(sinceNanos + idleness.stallNanos());
    }

    /** Called when a pipe waits for its turn, during which the client may be without any interest. */
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

    /** Called when a pipe's source and the output of its sink have ended. */
    void ended(Pipe pipe) {
        Pipe other = pipe == toOrigin ? toClient : toOrigin;
        if (other.isEnded()) {
            finish();
        } else {
            checkBy(lastActivityNanos + limitNanos());
        }
    }

    /** The maximum time without a byte, such that an active stream is not cut because of an idle one. */
    private long limitNanos() {
        boolean halfClosed = toOrigin.isEnded() || toClient.isEnded();
        return endingSoon && halfClosed ? LingeringClose.TIMEOUT_NANOS : idleness.limitNanos(halfClosed);
    }

    /** Called when a side's connection broke before its stream had ended. */
    void reset(LoopConnection side, IOException cause) {
        cut(side == client ? CloseReason.CLIENT_RESET : CloseReason.ORIGIN_RESET, cause);
    }

    /** Called when a pipe's source keeps sending although its sink is gone. */
    void endSoon() {
        if (!over && !endingSoon) {
            endingSoon = true;
            checkBy(loop.nowNanos() + LingeringClose.TIMEOUT_NANOS);
        }
    }

    /** Called when waiting for a side fails because its connection was closed by other code. */
    void failed(IOException cause) {
        cut(CloseReason.FAILED, cause);
    }

    // ------------------------------------------------------------------ ends

    /** Called when both streams have ended. */
    private void finish() {
        if (over) {
            return;
        }
        stop();
        client.close();
        origin.close();
        recordFinish();
    }

    /** Records the result when both connections are closed: only then is it known whether all bytes were sent. */
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

    /** Schedules a check of the timeouts no later than a deadline. */
    private void checkBy(long deadlineNanos) {
        if (!over && deadlineNanos - checkNanos < 0) {
            checkNanos = deadlineNanos;
            loop.timers().reschedule(timer, deadlineNanos);
        }
    }

    private void checkTime() {
        if (loop.isStopping()) { // a stopping loop fires all timers
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

    /** The deadline of a pipe's sink to accept waiting bytes, or the given deadline if that is earlier. */
    private long stall(Pipe pipe, long deadlineNanos) {
        long stall = pipe.waitingSinceNanos() + idleness.stallNanos();
        return pipe.isWaiting() && stall - deadlineNanos < 0 ? stall : deadlineNanos;
    }

    @Override
    public void end(CloseReason reason) {
        if (loop.inLoop()) {
            cut(reason, null);
        } else {
            loop.tryExecute(() -> cut(reason, null)); // a stopped loop has abandoned its tunnels
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
