package io.broxy.core.internal.dial;

import io.broxy.Connection;
import io.broxy.DialException;
import io.broxy.DialRequest;
import io.broxy.Dialer;
import io.broxy.HostPort;
import io.broxy.RoutingDialer;
import io.broxy.Rules;
import io.broxy.core.internal.loop.EventLoop;
import io.broxy.core.internal.net.DialHandle;
import io.broxy.core.internal.time.Durations;
import io.broxy.core.internal.time.Ticker;
import io.broxy.core.internal.upstream.HttpRoute;
import io.broxy.core.internal.upstream.HttpRouter;
import io.broxy.core.internal.upstream.LoopDialer;
import io.broxy.core.internal.upstream.UserDialerAdapter;
import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import java.util.concurrent.TimeUnit;

/**
 * Dials by rules. A blocking dial has each hop dial on the caller's thread, any other one on a loop.
 *
 * <p>Threading: thread-safe; the lock keeps replacements apart, readers take no lock.
 */
final class RoutingDialerImpl implements RoutingDialer, LoopDialer, HttpRouter {
    private final DialEngine engine;
    private final Policy policy;
    private final Object lock = new Object();
    private volatile RoutingTable table;

    /**
     * What holds for every dial.
     *
     * @param timeoutNanos of a dial whose request names none
     * @param penaltyNanos how long a hop that failed is tried behind others
     * <p>Threading: immutable.
     */
    record Policy(long timeoutNanos, long penaltyNanos, Ticker ticker) {}

    RoutingDialerImpl(RoutingTable table, Policy policy, DialEngine engine) {
        this.table = table;
        this.policy = policy;
        this.engine = engine;
    }

    // ------------------------------------------------------------------ rules

    @Override
    public Rules rules() {
        return table.rules();
    }

    @Override
    public void rules(Rules rules) {
        Objects.requireNonNull(rules, "rules");
        synchronized (lock) {
            table = table.with(rules);
        }
    }

    @Override
    public void replace(Rules rules, Map<String, Dialer> hops) {
        Objects.requireNonNull(rules, "rules");
        Map<String, Dialer> copy = Map.copyOf(hops);
        synchronized (lock) {
            table = table.with(rules, copy, engine);
        }
    }

    @Override
    public String explain(HostPort target) {
        RoutingTable current = table;
        StringBuilder text = new StringBuilder(current.rules().explain(target));
        long now = policy.ticker.nanos();
        for (Hop hop : current.hopsTo(target)) {
            long left = hop.penaltyLeftNanos(now);
            if (left > 0) {
                text.append("; ").append(hop.name()).append(" failed and is tried last for another ");
                text.append(TimeUnit.NANOSECONDS.toMillis(left)).append(" ms");
            }
        }
        return text.toString();
    }

    // ------------------------------------------------------------------ dials

    @Override
    public Connection dial(DialRequest request) throws DialException {
        if (EventLoop.current() != null) {
            throw new IllegalStateException("a blocking dial on an event loop would stop everything that it serves");
        }
        FailOver failOver = begin(request, policy.ticker.nanos());
        while (true) {
            try {
                Connection connection = failOver.hop().dialer().dial(failOver.request());
                failOver.connected();
                return connection;
            } catch (DialException e) {
                DialException all = failOver.failed(e);
                if (all != null) {
                    throw all;
                }
            }
        }
    }

    @Override
    public CompletableFuture<Connection> dialAsync(DialRequest request, Executor executor) {
        long start = policy.ticker.nanos();
        return FutureDial.start(
                engine.loops().next(),
                request.target(),
                engine.workers()::complete,
                (loop, outcome) -> start(loop, request, start, outcome));
    }

    @Override
    public DialHandle dial(EventLoop loop, DialRequest request, Outcome outcome) {
        assert loop.inLoop();
        return start(loop, request, policy.ticker.nanos(), outcome);
    }

    private DialHandle start(EventLoop loop, DialRequest request, long startNanos, Outcome outcome) {
        FailOver failOver;
        try {
            failOver = begin(request, startNanos);
        } catch (DialException e) {
            outcome.failed(e);
            return () -> {};
        }
        return RoutedDial.start(loop, failOver, UserDialerAdapter.forUsers(outcome, request.target()));
    }

    /** Whether one of the ways does; by one that does not, connections are for everybody all the same. */
    @Override
    public boolean sendsClientAddress() {
        return table.sendsClientAddress();
    }

    @Override
    public HttpRoute route(DialRequest request) throws DialException {
        return new RoutedHttp(begin(request, policy.ticker.nanos()));
    }

    private FailOver begin(DialRequest request, long startNanos) throws DialException {
        RoutingTable current = table;
        List<Hop> hops = current.hopsTo(request.target());
        if (hops.isEmpty()) {
            throw new DialException(
                    DialException.Reason.DENIED,
                    request.target(),
                    Duration.ZERO,
                    List.of(),
                    new IOException(current.rules().explain(request.target())));
        }
        Duration own = request.timeout();
        long timeoutNanos = own == null ? policy.timeoutNanos : Durations.positiveNanos(own, "a dial's time-out");
        return new FailOver(request, hops, startNanos, timeoutNanos, policy);
    }

    /** Sums the rules up. */
    @Override
    public String toString() {
        return "RoutingDialer[" + table.rules() + "]";
    }
}
