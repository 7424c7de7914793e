package io.broxy.core.internal.dial;

import io.broxy.Connection;
import io.broxy.DialException;
import io.broxy.DialRequest;
import io.broxy.Dialer;
import io.broxy.core.internal.loop.EventLoop;
import io.broxy.core.internal.net.Completion;
import io.broxy.core.internal.net.DialHandle;
import io.broxy.core.internal.net.LoopConnection;
import io.broxy.core.internal.time.Durations;
import io.broxy.core.internal.time.Ticker;
import io.broxy.core.internal.upstream.LoopDialer;
import java.net.InetAddress;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * A built-in dialer: however a connection is asked for, it comes down to {@link #start} on an event loop, unless the dialer
 * is cheaper on the thread of a blocking caller.
 *
 * <p>Threading: thread-safe; {@link #start} runs on the dial's loop.
 */
interface EngineDialer extends Dialer, LoopDialer {
    /** The timeout of every built-in dialer unless its builder sets another. */
    long DEFAULT_TIMEOUT_NANOS = TimeUnit.SECONDS.toNanos(10);

    /** The engine that the dialer belongs to. */
    DialEngine engine();

    /** The timeout of a dial whose request names none. */
    default long defaultTimeoutNanos() {
        return DEFAULT_TIMEOUT_NANOS;
    }

    /** Begins a dial on its loop. */
    DialHandle start(Dial dial);

    /** Dials on the caller's thread, which may block. By default it waits for a dial on a loop. */
    default Connection dialOnCaller(DialRequest request, long startNanos) throws DialException {
        return FutureDial.await(
                startOnLoop(request, startNanos, Runnable::run), // only the caller waits for it
                (reason, cause) -> DialException.builder(reason, request.target())
                        .duration(Duration.ofNanos(ticker().nanos() - startNanos))
                        .cause(cause)
                        .build());
    }

    // ------------------------------------------------------------------ asking for a connection

    @Override
    default Connection dial(DialRequest request) throws DialException {
        if (EventLoop.current() != null) {
            throw new IllegalStateException("a blocking dial on an event loop would stop everything that it serves");
        }
        return dialOnCaller(request, ticker().nanos());
    }

    @Override
    default CompletableFuture<Connection> dialAsync(DialRequest request, Executor executor) {
        return startOnLoop(request, ticker().nanos(), engine().workers()::complete);
    }

    private CompletableFuture<Connection> startOnLoop(DialRequest request, long startNanos, Executor completer) {
        return FutureDial.start(
                engine(),
                request.target(),
                completer,
                (loop, completion) -> start(dialOn(loop, request, null, startNanos, completion)));
    }

    @Override
    default DialHandle dial(
            EventLoop loop, DialRequest request, @Nullable InetAddress client, Completion<LoopConnection> completion) {
        assert loop.inLoop();
        return start(dialOn(loop, request, client, ticker().nanos(), completion));
    }

    // ------------------------------------------------------------------ the time

    /** The engine's clock. */
    default Ticker ticker() {
        return engine().ticker();
    }

    /** The timeout for a request: its own or the default. */
    default long timeoutNanos(DialRequest request) {
        Duration own = request.timeout();
        return own == null ? defaultTimeoutNanos() : Durations.positiveNanos(own, "a dial's timeout");
    }

    /** A dial whose time runs from {@code startNanos}. */
    default Dial dialOn(
            EventLoop loop,
            DialRequest request,
            @Nullable InetAddress client,
            long startNanos,
            Completion<LoopConnection> completion) {
        long endNanos = startNanos + timeoutNanos(request);
        return new Dial(loop, request, client, startNanos, endNanos, ticker(), completion);
    }
}
