package io.broxy.core.internal.dial;

import io.broxy.Connection;
import io.broxy.DialException;
import io.broxy.DialRequest;
import io.broxy.DirectDialer;
import io.broxy.HostPort;
import io.broxy.core.internal.loop.EventLoop;
import io.broxy.core.internal.loop.EventLoops;
import io.broxy.core.internal.net.DialHandle;
import io.broxy.core.internal.time.Durations;
import io.broxy.core.internal.time.Ticker;
import io.broxy.core.internal.upstream.LoopDialer;
import java.net.InetAddress;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;

/**
 * Dials directly. A blocking dial of one address connects on the caller's thread, which costs no hand-over; one of
 * several addresses is a race on a loop that the caller waits for.
 *
 * <p>Threading: thread-safe.
 */
public final class DirectDialerImpl implements DirectDialer, LoopDialer {
    private final EventLoops loops;
    private final Executor completions;
    private final CallerDials callers;
    private final Ticker ticker;
    private final CachingResolver resolver;
    private final NewSockets sockets;
    private final long timeoutNanos;
    private final long attemptDelayNanos;

    DirectDialerImpl(DirectDialerBuilder settings, DialEngine engine) {
        loops = engine.loops();
        completions = engine.workers()::complete;
        callers = engine.callers();
        ticker = engine.ticker();
        resolver = settings.cachingResolver(engine);
        sockets = settings.sockets();
        timeoutNanos = settings.timeoutNanos();
        attemptDelayNanos = settings.attemptDelayNanos();
    }

    Ticker ticker() {
        return ticker;
    }

    CachingResolver resolver() {
        return resolver;
    }

    NewSockets sockets() {
        return sockets;
    }

    long attemptDelayNanos() {
        return attemptDelayNanos;
    }

    /** The time for a request: its own or the default. */
    long timeoutNanos(DialRequest request) {
        Duration own = request.timeout();
        return own == null ? timeoutNanos : Durations.positiveNanos(own, "a dial's time-out");
    }

    @Override
    public void forget(HostPort target) {
        resolver.forget(target.host());
    }

    // ------------------------------------------------------------------ on a loop

    @Override
    public DialHandle dial(EventLoop loop, DialRequest request, Outcome outcome) {
        assert loop.inLoop();
        return LoopDial.start(loop, request, ticker.nanos(), this, outcome);
    }

    @Override
    public CompletableFuture<Connection> dialAsync(DialRequest request, Executor executor) {
        long start = ticker.nanos();
        return FutureDial.start(
                loops.next(),
                request.target(),
                completions,
                (loop, outcome) -> LoopDial.start(loop, request, start, this, outcome));
    }

    // ------------------------------------------------------------------ on the caller's thread

    @Override
    public Connection dial(DialRequest request) throws DialException {
        if (EventLoop.current() != null) {
            throw new IllegalStateException("a blocking dial on an event loop would stop everything that it serves");
        }
        return new CallerDial(this, callers, request).dial();
    }

    /** A race on a loop, for a caller that blocks until its end. */
    CompletableFuture<Connection> race(DialRequest request, List<InetAddress> addresses, long startNanos) {
        return FutureDial.start(
                loops.next(),
                request.target(),
                Runnable::run, // only the caller waits for it
                (loop, outcome) -> LoopDial.start(loop, request, addresses, startNanos, this, outcome));
    }
}
