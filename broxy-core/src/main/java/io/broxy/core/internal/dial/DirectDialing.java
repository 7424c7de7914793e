package io.broxy.core.internal.dial;

import io.broxy.Connection;
import io.broxy.DialException;
import io.broxy.DialException.Reason;
import io.broxy.DialRequest;
import io.broxy.DirectDialer;
import io.broxy.core.internal.loop.EventLoop;
import io.broxy.core.internal.loop.EventLoops;
import io.broxy.core.internal.net.LoopDialer;
import io.broxy.core.internal.net.SocketConnection;
import io.broxy.core.internal.time.Durations;
import io.broxy.core.internal.time.Ticker;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.SocketTimeoutException;
import java.nio.channels.SocketChannel;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.jspecify.annotations.Nullable;

/**
 * Dials directly. A blocking dial of one address connects on the caller's thread, which costs no hand-over; one of
 * several addresses is a race on a loop that the caller waits for.
 *
 * <p>Threading: thread-safe.
 */
public final class DirectDialing implements DirectDialer, LoopDialer {
    private final EventLoops loops;
    private final Executor callbacks;
    private final Ticker ticker;
    private final CachingResolver resolver;
    private final NewSockets sockets;
    private final long timeoutNanos;
    private final long attemptDelayNanos;

    DirectDialing(DirectDialerBuilder settings, DialEngine engine) {
        loops = engine.loops();
        callbacks = engine.callbacks();
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

    // ------------------------------------------------------------------ on a loop

    @Override
    public Dialing dial(EventLoop loop, DialRequest request, Outcome outcome) {
        assert loop.inLoop();
        return LoopDial.start(loop, request, ticker.nanos(), this, outcome);
    }

    @Override
    public CompletableFuture<Connection> dialAsync(DialRequest request, Executor executor) {
        long start = ticker.nanos();
        return FutureDial.start(
                loops.next(),
                request.target(),
                callbacks,
                (loop, outcome) -> LoopDial.start(loop, request, start, this, outcome));
    }

    // ------------------------------------------------------------------ on the caller's thread

    @Override
    public Connection dial(DialRequest request) throws DialException {
        if (EventLoop.current() != null) {
            throw new IllegalStateException("a blocking dial on an event loop would stop everything that it serves");
        }
        Deadline deadline = new Deadline(request);
        InetAddress literal = request.target().address();
        List<InetAddress> addresses = literal != null ? List.of(literal) : resolve(deadline);
        if (addresses.size() == 1) {
            return connect(addresses.get(0), deadline);
        }
        return await(
                FutureDial.start(
                        loops.next(),
                        request.target(),
                        Runnable::run, // only this thread waits for it
                        (loop, outcome) ->
                                LoopDial.start(loop, request, addresses, deadline.startNanos, this, outcome)),
                deadline);
    }

    /** The one deadline of a blocking dial, and the failures that end it. */
    private final class Deadline {
        final DialRequest request;
        final long startNanos = ticker.nanos();
        final long endNanos;

        Deadline(DialRequest request) {
            this.request = request;
            this.endNanos = startNanos + timeoutNanos(request);
        }

        long leftNanos() {
            return Math.max(0, endNanos - ticker.nanos());
        }

        /** Rounded up, and never 0, which means "without limit" to a socket. */
        int leftMillis() {
            long millis = (leftNanos() + 999_999) / 1_000_000;
            return (int) Math.max(1, Math.min(millis, Integer.MAX_VALUE));
        }

        DialException failed(Reason reason, List<DialException.Attempt> attempts, @Nullable Throwable cause) {
            return new DialException(
                    reason, request.target(), Duration.ofNanos(ticker.nanos() - startNanos), attempts, cause);
        }

        DialException interrupted() {
            Thread.currentThread().interrupt();
            return failed(Reason.CANCELLED, List.of(), new InterruptedException("the dialing thread was interrupted"));
        }
    }

    private List<InetAddress> resolve(Deadline deadline) throws DialException {
        try {
            return resolver.resolve(deadline.request.target().host()).get(deadline.leftNanos(), TimeUnit.NANOSECONDS);
        } catch (ExecutionException e) {
            throw deadline.failed(Reason.RESOLVE, List.of(), e.getCause());
        } catch (TimeoutException e) {
            throw deadline.failed(
                    Reason.TIMEOUT, List.of(), new SocketTimeoutException("looking the name up took too long"));
        } catch (InterruptedException e) {
            throw deadline.interrupted();
        }
    }

    private Connection connect(InetAddress address, Deadline deadline) throws DialException {
        InetSocketAddress target =
                new InetSocketAddress(address, deadline.request.target().port());
        admit(target, deadline);
        long start = ticker.nanos();
        SocketChannel channel;
        try {
            channel = sockets.open();
        } catch (IOException | RuntimeException e) {
            throw deadline.failed(Reason.LOCAL, List.of(attempt(target, e, start)), e);
        }
        try {
            channel.socket().connect(target, deadline.leftMillis());
            return SocketConnection.of(channel);
        } catch (IOException | RuntimeException e) {
            close(channel, e);
            if (Thread.currentThread().isInterrupted()) {
                throw deadline.interrupted();
            }
            throw deadline.failed(DialFailures.ofConnecting(e), List.of(attempt(target, e, start)), e);
        }
    }

    private void admit(InetSocketAddress target, Deadline deadline) throws DialException {
        if (!sockets.fits(target.getAddress())) {
            throw deadline.failed(Reason.UNREACHABLE, List.of(), sockets.misfit());
        }
        IOException denial = DialFailures.denial(deadline.request.addressPolicy(), target.getAddress());
        if (denial != null) {
            throw deadline.failed(
                    Reason.DENIED, List.of(new DialException.Attempt(target, denial, Duration.ZERO)), denial);
        }
    }

    private DialException.Attempt attempt(InetSocketAddress target, Throwable failure, long startNanos) {
        return new DialException.Attempt(target, failure, Duration.ofNanos(ticker.nanos() - startNanos));
    }

    private static void close(SocketChannel channel, Exception failure) {
        try {
            channel.close();
        } catch (IOException e) {
            failure.addSuppressed(e);
        }
    }

    private Connection await(CompletableFuture<Connection> future, Deadline deadline) throws DialException {
        try {
            return future.get();
        } catch (ExecutionException e) {
            if (e.getCause() instanceof DialException failure) {
                throw failure;
            }
            throw deadline.failed(Reason.CANCELLED, List.of(), e.getCause());
        } catch (InterruptedException e) {
            future.cancel(false);
            throw deadline.interrupted();
        }
    }
}
