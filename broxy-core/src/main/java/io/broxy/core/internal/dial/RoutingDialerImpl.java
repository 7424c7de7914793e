package io.broxy.core.internal.dial;

import io.broxy.ConnPool;
import io.broxy.Connection;
import io.broxy.DialException;
import io.broxy.DialRequest;
import io.broxy.Dialer;
import io.broxy.Explanation;
import io.broxy.HopStats;
import io.broxy.HostPort;
import io.broxy.RoutingDialer;
import io.broxy.Rules;
import io.broxy.core.internal.dial.RoutingTable.Hop;
import io.broxy.core.internal.net.DialHandle;
import io.broxy.core.internal.upstream.HttpHop;
import io.broxy.core.internal.upstream.HttpRoute;
import io.broxy.core.internal.upstream.HttpRouter;
import java.io.IOException;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * Dials by rules. A blocking dial has each hop dial on the caller's thread, any other one on a loop.
 *
 * <p>Threading: thread-safe; the lock keeps replacements apart, readers take no lock.
 */
final class RoutingDialerImpl implements RoutingDialer, EngineDialer, HttpRouter {
    private final DialEngine engine;
    private final long timeoutNanos;
    private final long penaltyNanos;
    private final Object lock = new Object();
    private volatile RoutingTable table;

    /**
     * Creates one.
     *
     * @param timeoutNanos of a dial whose request names none
     * @param penaltyNanos how long a hop that failed is tried behind others
     */
    RoutingDialerImpl(RoutingTable table, long timeoutNanos, long penaltyNanos, DialEngine engine) {
        this.table = table;
        this.timeoutNanos = timeoutNanos;
        this.penaltyNanos = penaltyNanos;
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
        long now = ticker().nanos();
        for (Hop hop : current.hopsTo(target)) {
            long left = hop.penaltyLeftNanos(now);
            if (left > 0) {
                text.append("; ").append(hop.name).append(" failed and is tried last for another ");
                text.append(TimeUnit.NANOSECONDS.toMillis(left)).append(" ms");
            }
        }
        return text.toString();
    }

    @Override
    public Explanation explain(DialRequest request) {
        String text = explain(request.target());
        List<Hop> hops = table.hopsTo(request.target());
        if (hops.isEmpty()) {
            return Explanation.refused(Explanation.Part.ROUTE, text);
        }
        long now = ticker().nanos();
        FailOver first = new FailOver(request, hops, now, now + timeoutNanos(request), penaltyNanos, ticker());
        return Explanation.admitted(Explanation.Part.ROUTE, text)
                .then(first.hop().dialer.explain(request));
    }

    @Override
    public List<HopStats> hops() {
        return table.stats(ticker().nanos());
    }

    // ------------------------------------------------------------------ dials

    @Override
    public DialEngine engine() {
        return engine;
    }

    @Override
    public long defaultTimeoutNanos() {
        return timeoutNanos;
    }

    @Override
    public DialHandle start(Dial dial) {
        FailOver failOver;
        try {
            failOver = begin(dial.request(), dial.startNanos());
        } catch (DialException e) {
            dial.completion().failed(e);
            return () -> {};
        }
        return new RoutedDial(dial, failOver).begin();
    }

    @Override
    public Connection dialOnCaller(DialRequest request, long startNanos) throws DialException {
        FailOver failOver = begin(request, startNanos);
        while (true) {
            try {
                Connection connection = failOver.hop().dialer.dial(failOver.request());
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

    /** Whether the dialer of one of the hops does; connections through the other hops are for all clients. */
    @Override
    public boolean sendsClientAddress() {
        return table.sendsClientAddress();
    }

    @Override
    public HttpRoute route(DialRequest request) throws DialException {
        return new RoutedHttp(begin(request, ticker().nanos()));
    }

    private FailOver begin(DialRequest request, long startNanos) throws DialException {
        RoutingTable current = table;
        List<Hop> hops = current.hopsTo(request.target());
        if (hops.isEmpty()) {
            throw DialException.builder(DialException.Reason.DENIED, request.target())
                    .cause(new IOException(current.rules().explain(request.target())))
                    .build();
        }
        return new FailOver(request, hops, startNanos, startNanos + timeoutNanos(request), penaltyNanos, ticker());
    }

    /** Sums the rules up. */
    @Override
    public String toString() {
        return "RoutingDialer[" + table.rules() + "]";
    }

    /**
     * The hops of a request by rules, one named hop after the other, each in the time that a dial would have.
     *
     * <p>Threading: for one thread, or owned by its event loop.
     */
    private static final class RoutedHttp implements HttpRoute {
        private final FailOver failOver;
        private HttpRoute current;

        /**
         * Begins with the first named hop that can send the request.
         *
         * @throws DialException if none can
         */
        RoutedHttp(FailOver failOver) throws DialException {
            this.failOver = failOver;
            this.current = next(failOver);
        }

        private static HttpRoute next(FailOver failOver) throws DialException {
            while (true) {
                try {
                    return failOver.hop().router.route(failOver.request());
                } catch (DialException e) {
                    DialException all = failOver.failed(e);
                    if (all != null) {
                        throw all;
                    }
                }
            }
        }

        @Override
        public HttpHop hop() {
            return current.hop();
        }

        @Override
        public boolean prefer(ConnPool.Key wanted) {
            if (current.prefer(wanted)) {
                return true;
            }
            for (Hop hop : failOver.others()) {
                HttpRoute other = routeOver(hop);
                if (other != null && other.prefer(wanted)) {
                    failOver.prefer(hop);
                    current = other;
                    return true;
                }
            }
            return false;
        }

        private @Nullable HttpRoute routeOver(Hop hop) {
            try {
                return hop.router.route(failOver.request());
            } catch (DialException e) {
                return null; // which it says again when it is its turn
            }
        }

        @Override
        public void connected() {
            current.connected();
            failOver.connected();
        }

        @Override
        public @Nullable DialException failed(DialException failure) {
            DialException ofHop = current.failed(failure);
            if (ofHop == null) {
                return null; // the named hop goes on to another one itself
            }
            DialException all = failOver.failed(ofHop);
            if (all != null) {
                return all;
            }
            try {
                current = next(failOver);
                return null;
            } catch (DialException e) {
                return e;
            }
        }
    }
}
