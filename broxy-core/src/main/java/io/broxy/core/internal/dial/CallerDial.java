package io.broxy.core.internal.dial;

import io.broxy.Connection;
import io.broxy.DialException;
import io.broxy.DialException.Reason;
import io.broxy.DialRequest;
import io.broxy.core.internal.net.SocketConnection;
import io.broxy.core.internal.observe.DialTrace;
import io.broxy.core.internal.observe.FlightRecorderEvents;
import java.io.Closeable;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.SocketTimeoutException;
import java.nio.channels.SocketChannel;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.jspecify.annotations.Nullable;

/**
 * A direct dial that blocks its caller. It looks up the name and then connects to a single address on this thread, or waits for
 * a race of several addresses on a loop, all under one deadline.
 *
 * <p>Threading: for the calling thread.
 */
final class CallerDial {
    private final DirectDialerImpl dialer;
    private final CallerDials all;
    private final DialRequest request;
    private final long startNanos;
    private final long endNanos;
    private DialTrace trace;

    CallerDial(DirectDialerImpl dialer, CallerDials all, DialRequest request) {
        this.dialer = dialer;
        this.all = all;
        this.request = request;
        this.startNanos = dialer.ticker().nanos();
        this.endNanos = startNanos + dialer.timeoutNanos(request);
        this.trace = DialTrace.OFF;
    }

    Connection dial() throws DialException {
        if (all.isClosed()) {
            throw engineClosed(List.of());
        }
        trace = FlightRecorderEvents.dial(request.target(), null);
        try {
            return resolveAndConnect();
        } catch (DialException e) {
            trace.failed(e);
            throw e;
        }
    }

    private Connection resolveAndConnect() throws DialException {
        InetAddress literal = request.address();
        if (literal != null) {
            return connect(List.of(literal));
        }
        NameQuery query = dialer.resolver.resolve(request.target().host(), Dial.network(request));
        List<InetAddress> addresses = await(query);
        try {
            return connect(addresses);
        } catch (DialException e) {
            if (!query.isFromCache() || !DialFailures.isOfTheAddresses(e.reason()) || leftNanos() == 0) {
                throw e;
            }
            return connectToOthers(addresses, e);
        }
    }

    /** Looks up the name again after all cached addresses have failed. */
    private Connection connectToOthers(List<InetAddress> tried, DialException first) throws DialException {
        if (trace == DialTrace.OFF) { // the first round was a race, which has traced itself
            trace = FlightRecorderEvents.dial(request.target(), null);
        }
        List<InetAddress> untried;
        try {
            NameQuery query = dialer.resolver.resolveAnew(request.target().host(), Dial.network(request));
            untried = DialFailures.untried(await(query), tried);
        } catch (DialException e) {
            if (e.reason() == Reason.RESOLVE) {
                throw first;
            }
            throw failed(e.reason(), first.attempts(), e.getCause());
        }
        if (untried.isEmpty()) {
            throw first;
        }
        try {
            return connect(untried);
        } catch (DialException e) {
            throw failed(e.reason(), DialFailures.attempts(first, e.attempts()), e.getCause());
        }
    }

    private Connection connect(List<InetAddress> addresses) throws DialException {
        if (addresses.size() > 1) {
            // The race runs on a loop, ends with it, and enforces the deadline itself.
            trace = DialTrace.OFF; // the race traces itself
            return await(dialer.race(request, addresses, startNanos));
        }
        Connection connection = connect(addresses.get(0));
        trace.connected(new InetSocketAddress(addresses.get(0), request.target().port()));
        return connection;
    }

    // ------------------------------------------------------------------ the name

    private List<InetAddress> await(NameQuery query) throws DialException {
        Closeable wait = () -> query.cancel(false);
        all.enter(wait);
        try {
            return query.get(leftNanos(), TimeUnit.NANOSECONDS);
        } catch (ExecutionException e) {
            throw all.isClosed() ? engineClosed(List.of()) : failed(Reason.RESOLVE, List.of(), e.getCause());
        } catch (CancellationException e) {
            throw engineClosed(List.of());
        } catch (TimeoutException e) {
            SocketTimeoutException why = query.timedOut();
            query.cancel(false);
            throw failed(Reason.TIMEOUT, List.of(), why);
        } catch (InterruptedException e) {
            query.cancel(false);
            throw interrupted(e);
        } finally {
            all.leave(wait);
        }
    }

    // ------------------------------------------------------------------ one address

    private Connection connect(InetAddress address) throws DialException {
        InetSocketAddress target =
                new InetSocketAddress(address, request.target().port());
        admit(target);
        long start = dialer.ticker().nanos();
        SocketChannel channel;
        try {
            channel = dialer.sockets.open(target.getAddress());
        } catch (IOException | RuntimeException e) {
            throw failed(Reason.LOCAL, List.of(attempt(target, e, start)), e);
        }
        all.enter(channel);
        try {
            channel.socket().connect(target, leftMillis());
            return SocketConnection.of(channel, request.target());
        } catch (IOException | RuntimeException e) {
            close(channel, e);
            List<DialException.Attempt> attempts = List.of(attempt(target, e, start));
            if (Thread.currentThread().isInterrupted()) {
                throw failed(Reason.CANCELLED, attempts, e);
            }
            throw all.isClosed()
                    ? engineClosed(attempts)
                    : failed(DialFailures.ofConnecting(e, dialer.ticker().nanos() - start), attempts, e);
        } finally {
            all.leave(channel);
        }
    }

    private void admit(InetSocketAddress target) throws DialException {
        if (!dialer.sockets.fits(target.getAddress())) {
            throw failed(Reason.UNREACHABLE, List.of(), dialer.sockets.misfit());
        }
        IOException denial = DialFailures.denial(request.addressPolicy(), target.getAddress(), target.getPort());
        if (denial != null) {
            throw failed(Reason.DENIED, List.of(new DialException.Attempt(target, denial, Duration.ZERO)), denial);
        }
    }

    private DialException.Attempt attempt(InetSocketAddress target, Throwable failure, long startNanos) {
        return new DialException.Attempt(
                target, failure, Duration.ofNanos(dialer.ticker().nanos() - startNanos));
    }

    private static void close(SocketChannel channel, Exception failure) {
        try {
            channel.close();
        } catch (IOException e) {
            failure.addSuppressed(e);
        }
    }

    Connection await(CompletableFuture<Connection> future) throws DialException {
        return FutureDial.await(future, (reason, cause) -> failed(reason, List.of(), cause));
    }

    // ------------------------------------------------------------------ the deadline and the failures

    private long leftNanos() {
        return Math.max(0, endNanos - dialer.ticker().nanos());
    }

    /** The remaining time in milliseconds, rounded up; never 0, which a socket interprets as "no limit". */
    private int leftMillis() {
        long millis = (leftNanos() + 999_999) / 1_000_000;
        return (int) Math.max(1, Math.min(millis, Integer.MAX_VALUE));
    }

    private DialException failed(Reason reason, List<DialException.Attempt> attempts, @Nullable Throwable cause) {
        Duration duration = Duration.ofNanos(dialer.ticker().nanos() - startNanos);
        return new DialException(reason, request.target(), duration, attempts, cause);
    }

    private DialException interrupted(InterruptedException e) {
        Thread.currentThread().interrupt();
        return failed(Reason.CANCELLED, List.of(), e);
    }

    private DialException engineClosed(List<DialException.Attempt> attempts) {
        return failed(Reason.CANCELLED, attempts, new IOException("this Broxy is closed"));
    }
}
