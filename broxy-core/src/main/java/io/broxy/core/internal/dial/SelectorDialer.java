package io.broxy.core.internal.dial;

import io.broxy.DialException;
import io.broxy.DialException.Reason;
import io.broxy.DialRequest;
import io.broxy.Dialer;
import io.broxy.Explanation;
import io.broxy.HostPort;
import io.broxy.ProxyUri;
import io.broxy.Route;
import io.broxy.SystemProxies.Problem;
import io.broxy.core.internal.dial.RoutingTable.Hop;
import io.broxy.core.internal.net.DialHandle;
import io.broxy.core.internal.time.TimerQueue;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.Proxy;
import java.net.ProxySelector;
import java.net.SocketTimeoutException;
import java.net.URI;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Dials each target through the first of the proxies that works of those that a {@link ProxySelector} names for it. The
 * selector may block and may throw, so it runs on the callback executor.
 *
 * <p>Threading: thread-safe.
 */
public final class SelectorDialer implements EngineDialer {
    private static final Logger log = LoggerFactory.getLogger(SelectorDialer.class);

    private static final String SETTING = "ProxySelector";

    private static final int HTTP_PORT = 80;
    private static final int HTTPS_PORT = 443;

    /** As that of a {@link io.broxy.RoutingDialer} by default. */
    private static final long PENALTY_NANOS = TimeUnit.SECONDS.toNanos(10);

    /** What is remembered of proxies that failed; a selector that names ever new ones has a dialer made for each dial. */
    private static final int MOST_PROXIES = 1_000;

    private final ProxySelector selector;
    private final Function<ProxyUri, Dialer> proxyDialer;
    private final Hop direct;
    private final Consumer<Problem> problems;
    private final DialEngine engine;
    private final Map<ProxyUri, Hop> hops = new ConcurrentHashMap<>();

    /**
     * Creates a dialer.
     *
     * @param proxyDialer makes the dialer through a proxy
     * @param direct dials without a proxy
     * @param problems gets what is wrong with the selector or its answers; it may throw
     */
    public SelectorDialer(
            ProxySelector selector,
            Function<ProxyUri, Dialer> proxyDialer,
            Dialer direct,
            Consumer<Problem> problems,
            DialEngine engine) {
        this.selector = selector;
        this.proxyDialer = proxyDialer;
        this.direct = new Hop(Route.DIRECT, direct, engine);
        this.problems = problems;
        this.engine = engine;
    }

    @Override
    public DialEngine engine() {
        return engine;
    }

    @Override
    public DialHandle start(Dial dial) {
        return new SelectedDial(dial).begin();
    }

    @Override
    public boolean sendsClientAddress() {
        return direct.dialer.sendsClientAddress();
    }

    /** Does not ask the selector, which may block. */
    @Override
    public Explanation explain(DialRequest request) {
        String text = "as a " + selector.getClass().getName() + " says when it is dialed";
        return RouteExplanation.literal(Explanation.admitted(Explanation.Part.ROUTE, text), request);
    }

    // ------------------------------------------------------------------ the selector

    /** The target as the selector sees it. */
    private static URI uri(HostPort target) {
        String host = target.toString();
        return switch (target.port()) {
            case HTTP_PORT -> URI.create("http://" + host.substring(0, host.lastIndexOf(':')) + "/");
            case HTTPS_PORT -> URI.create("https://" + host.substring(0, host.lastIndexOf(':')) + "/");
            default -> URI.create("https://" + host + "/");
        };
    }

    /**
     * The hops to a target, at least one.
     *
     * @throws IOException if the selector fails, or names nothing that can be used
     */
    private List<Hop> select(URI uri, Map<Hop, Proxy> chosen) throws IOException {
        List<Proxy> proxies;
        try {
            proxies = selector.select(uri);
        } catch (RuntimeException e) {
            problem("it threw " + e.getClass().getName());
            throw new IOException("the proxy selector failed for " + uri, e);
        }
        List<Hop> usable = new ArrayList<>();
        for (Proxy proxy : proxies == null ? List.<Proxy>of() : proxies) {
            Hop hop = hop(proxy);
            if (hop != null && chosen.putIfAbsent(hop, proxy) == null) {
                usable.add(hop);
            }
        }
        if (usable.isEmpty()) {
            if (proxies == null || proxies.isEmpty()) {
                problem("it names neither a proxy nor a direct connection");
            }
            throw new IOException("the proxy selector names no proxy that can be used for " + uri);
        }
        return usable;
    }

    private @Nullable Hop hop(@Nullable Proxy proxy) {
        if (proxy == null) {
            problem("it names a proxy that is null");
            return null;
        }
        if (proxy.type() == Proxy.Type.DIRECT) {
            return direct;
        }
        if (!(proxy.address() instanceof InetSocketAddress address)) {
            problem("it names a proxy without an internet address");
            return null;
        }
        ProxyUri named;
        try {
            ProxyUri.Scheme scheme = proxy.type() == Proxy.Type.SOCKS ? ProxyUri.Scheme.SOCKS5 : ProxyUri.Scheme.HTTP;
            named = ProxyUri.of(scheme, HostPort.of(address.getHostString(), address.getPort()), null);
        } catch (IllegalArgumentException e) {
            problem("it names a proxy that cannot be used: " + e.getMessage());
            return null;
        }
        Hop known = hops.get(named);
        if (known != null) {
            return known;
        }
        Hop fresh = new Hop(named.toString(), proxyDialer.apply(named), engine);
        if (hops.size() >= MOST_PROXIES) {
            return fresh;
        }
        Hop other = hops.putIfAbsent(named, fresh);
        return other != null ? other : fresh;
    }

    private void problem(String reason) {
        try {
            problems.accept(new Problem(SETTING, Problem.WHOLE, reason));
        } catch (RuntimeException e) {
            log.error("the consumer of problems failed", e);
        }
    }

    private void connectFailed(URI uri, @Nullable Proxy proxy, DialException failure) {
        if (proxy == null || proxy.address() == null) {
            return; // a direct dial is not the selector's business
        }
        try {
            engine.workers().callbacks().execute(() -> {
                try {
                    selector.connectFailed(uri, proxy.address(), failure);
                } catch (RuntimeException e) {
                    log.warn("the proxy selector failed to take note of a proxy that failed", e);
                }
            });
        } catch (RejectedExecutionException e) {
            log.debug("the engine ends, so the proxy selector does not learn that {} failed", proxy, e);
        }
    }

    @Override
    public String toString() {
        return "SelectorDialer[" + selector.getClass().getName() + "]";
    }

    // ------------------------------------------------------------------ dials

    /**
     * One dial: this one keeps the deadline until the selector has decided, its hops from then on.
     *
     * <p>Threading: owned by its event loop, but for what the executor runs.
     */
    private final class SelectedDial implements DialHandle {
        private final Dial dial;
        private TimerQueue.@Nullable Timer deadline;
        private @Nullable DialHandle routed;
        private boolean over;

        SelectedDial(Dial dial) {
            this.dial = dial;
        }

        DialHandle begin() {
            deadline = dial.loop().timers().schedule(dial.endNanos(), this::timedOut);
            try {
                engine.workers().callbacks().execute(this::choose);
            } catch (RejectedExecutionException | OutOfMemoryError e) { // "unable to create native thread"
                fail(dial.loop().isStopping() ? Reason.CANCELLED : Reason.LOCAL, e);
            }
            return this;
        }

        /** On the callback executor; the end of a loop ends what waits for this. */
        private void choose() {
            URI uri = uri(dial.target());
            Map<Hop, Proxy> chosen = new ConcurrentHashMap<>();
            try {
                List<Hop> usable = select(uri, chosen);
                dial.loop().tryExecute(() -> chosen(uri, usable, chosen));
            } catch (IOException e) {
                dial.loop().tryExecute(() -> fail(Reason.DENIED, e));
            } catch (RuntimeException | Error e) {
                dial.loop().tryExecute(() -> fail(Reason.LOCAL, e));
            }
        }

        private void chosen(URI uri, List<Hop> usable, Map<Hop, Proxy> chosen) {
            if (over) {
                return;
            }
            end();
            DialRequest request = dial.request();
            FailOver failOver = new FailOver(
                    request,
                    usable,
                    dial.ticker().nanos(),
                    dial.endNanos(),
                    PENALTY_NANOS,
                    dial.ticker(),
                    (hop, failure) -> connectFailed(uri, chosen.get(hop), failure));
            routed = new RoutedDial(dial, failOver).begin();
        }

        private void timedOut() {
            fail(
                    dial.loop().isStopping() ? Reason.CANCELLED : Reason.TIMEOUT,
                    new SocketTimeoutException("the proxy selector did not decide in time"));
        }

        private void fail(Reason reason, Throwable cause) {
            if (!over) {
                end();
                dial.completion().failed(dial.failure(reason).cause(cause).build());
            }
        }

        private void end() {
            over = true;
            if (deadline != null) {
                dial.loop().timers().cancel(deadline);
            }
        }

        @Override
        public void clientEnded() {
            if (routed != null) {
                routed.clientEnded();
            }
        }

        @Override
        public void cancel() {
            if (routed != null) {
                routed.cancel();
            } else if (!over) {
                end();
            }
        }
    }
}
