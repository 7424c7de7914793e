package io.broxy.core.internal.proxy;

import io.broxy.AccessPolicy;
import io.broxy.AddressPolicy;
import io.broxy.Authenticator;
import io.broxy.Cidr;
import io.broxy.ConnPool;
import io.broxy.Dialer;
import io.broxy.LocalRequestHandler;
import io.broxy.ProxyHandler;
import io.broxy.ProxyListener;
import io.broxy.core.internal.forward.Forwarding;
import io.broxy.core.internal.http.HeadLimits;
import io.broxy.core.internal.http.HeadWriter;
import io.broxy.core.internal.pool.EnginePool;
import io.broxy.core.internal.relay.Idleness;
import io.broxy.core.internal.time.Durations;
import java.time.Duration;
import java.util.HexFormat;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** The settings of a {@link ProxyHandler}. Threading: for one thread. */
public final class ProxyHandlerBuilder implements ProxyHandler.Builder {
    private final ProxyEngine engine;
    private final Supplier<Dialer> defaultDialer;
    private final Supplier<EnginePool> defaultPool;
    private final Set<? super DefaultProxyHandler> open;
    private @Nullable Dialer dialer;
    private AddressPolicy addressPolicy = AddressPolicy.publicOnly();
    private AccessPolicy accessPolicy = AccessPolicy.any();
    private @Nullable Authenticator authenticator;
    private long authenticationTimeoutNanos = TimeUnit.SECONDS.toNanos(10);
    private long headTimeoutNanos = TimeUnit.SECONDS.toNanos(10);
    private Duration dialTimeout = Duration.ofSeconds(10);
    private long idleTimeoutNanos = TimeUnit.MINUTES.toNanos(5);
    private long halfCloseTimeoutNanos = TimeUnit.SECONDS.toNanos(60);
    private long keepAliveTimeoutNanos = TimeUnit.SECONDS.toNanos(60);
    private long responseTimeoutNanos = TimeUnit.SECONDS.toNanos(60);
    private long bodyTimeoutNanos = TimeUnit.SECONDS.toNanos(60);
    private @Nullable EnginePool pool;
    /** No secret: it distinguishes this proxy from others, and a client that guesses it only gets its own requests refused. */
    private @Nullable String pseudonym =
            "broxy-" + HexFormat.of().toHexDigits(ThreadLocalRandom.current().nextInt());

    private @Nullable LocalRequestHandler localRequests;
    private long localRequestTimeoutNanos = TimeUnit.SECONDS.toNanos(10);
    private int maxConnections = 20_000;
    private int maxStreamClients = 500;
    private @Nullable ProxyListener listener;
    private boolean socks;
    private boolean reportOnly;
    private int maxConnectionsPerClient;
    private int maxRequestsPerConnection;
    private int maxTlsHandshakes = 1_000;
    private long maxLifetimeNanos;
    private long writeStallTimeoutNanos = TimeUnit.MINUTES.toNanos(5);
    private long rateLimit;
    private long rateLimitPerClient;
    private long rateLimitPerIdentity;
    private @Nullable AddressPolicy trustedSenders;
    private int maxHeadBytes = HeadLimits.REQUEST.headBytes();
    private int maxFields = HeadLimits.REQUEST.fields();
    private int maxResponseHeadBytes = HeadLimits.RESPONSE.headBytes();
    private int maxResponseFields = HeadLimits.RESPONSE.fields();

    /**
     * Starts with the defaults.
     *
     * @param defaultDialer makes the dialer unless one is set
     * @param defaultPool makes the pool unless one is set; the handler closes it
     * @param open has each handler until it is closed; thread-safe
     */
    public ProxyHandlerBuilder(
            ProxyEngine engine,
            Supplier<Dialer> defaultDialer,
            Supplier<EnginePool> defaultPool,
            Set<? super DefaultProxyHandler> open) {
        this.engine = engine;
        this.defaultDialer = defaultDialer;
        this.defaultPool = defaultPool;
        this.open = open;
    }

    @Override
    public ProxyHandler.Builder dialer(Dialer dialer) {
        this.dialer = Objects.requireNonNull(dialer, "dialer");
        return this;
    }

    @Override
    public ProxyHandler.Builder addressPolicy(AddressPolicy policy) {
        this.addressPolicy = Objects.requireNonNull(policy, "policy");
        return this;
    }

    @Override
    public ProxyHandler.Builder accessPolicy(AccessPolicy policy) {
        this.accessPolicy = Objects.requireNonNull(policy, "policy");
        return this;
    }

    @Override
    public ProxyHandler.Builder authenticator(Authenticator authenticator) {
        this.authenticator = Objects.requireNonNull(authenticator, "authenticator");
        return this;
    }

    @Override
    public ProxyHandler.Builder authenticationTimeout(Duration timeout) {
        authenticationTimeoutNanos = Durations.positiveNanos(timeout, "the authentication timeout");
        return this;
    }

    @Override
    public ProxyHandler.Builder headTimeout(Duration timeout) {
        headTimeoutNanos = Durations.positiveNanos(timeout, "the head timeout");
        return this;
    }

    @Override
    public ProxyHandler.Builder dialTimeout(Duration timeout) {
        dialTimeout = Duration.ofNanos(Durations.positiveNanos(timeout, "the dial timeout"));
        return this;
    }

    @Override
    public ProxyHandler.Builder idleTimeout(Duration timeout) {
        idleTimeoutNanos = Durations.positiveNanos(timeout, "the idle timeout");
        return this;
    }

    @Override
    public ProxyHandler.Builder halfCloseTimeout(Duration timeout) {
        halfCloseTimeoutNanos = Durations.positiveNanos(timeout, "the half-close timeout");
        return this;
    }

    @Override
    public ProxyHandler.Builder keepAliveTimeout(Duration timeout) {
        keepAliveTimeoutNanos = Durations.positiveNanos(timeout, "the keep-alive timeout");
        return this;
    }

    @Override
    public ProxyHandler.Builder responseTimeout(Duration timeout) {
        responseTimeoutNanos = Durations.positiveNanos(timeout, "the response timeout");
        return this;
    }

    @Override
    public ProxyHandler.Builder bodyTimeout(Duration timeout) {
        bodyTimeoutNanos = Durations.positiveNanos(timeout, "the body timeout");
        return this;
    }

    @Override
    public ProxyHandler.Builder connPool(ConnPool pool) {
        if (!(Objects.requireNonNull(pool, "pool") instanceof EnginePool own)) {
            throw new IllegalArgumentException("the pool was not made by Broxy");
        }
        this.pool = own;
        return this;
    }

    @Override
    public ProxyHandler.Builder viaPseudonym(@Nullable String pseudonym) {
        if (pseudonym != null) {
            HeadWriter.request("GET", "/").field(pseudonym, ""); // refuses what is no token
        }
        this.pseudonym = pseudonym;
        return this;
    }

    @Override
    public ProxyHandler.Builder localRequests(LocalRequestHandler handler) {
        this.localRequests = Objects.requireNonNull(handler, "handler");
        return this;
    }

    @Override
    public ProxyHandler.Builder localRequestTimeout(Duration timeout) {
        localRequestTimeoutNanos = Durations.positiveNanos(timeout, "the timeout of the proxy's own requests");
        return this;
    }

    @Override
    public ProxyHandler.Builder maxConnections(int max) {
        maxConnections = positive(max, "the cap on connections");
        return this;
    }

    @Override
    public ProxyHandler.Builder maxStreamClients(int max) {
        maxStreamClients = positive(max, "the cap on clients without a channel");
        return this;
    }

    @Override
    public ProxyHandler.Builder listener(ProxyListener listener) {
        this.listener = Objects.requireNonNull(listener, "listener");
        return this;
    }

    @Override
    public ProxyHandler.Builder socks(boolean socks) {
        this.socks = socks;
        return this;
    }

    @Override
    public ProxyHandler.Builder reportOnly(boolean reportOnly) {
        this.reportOnly = reportOnly;
        return this;
    }

    @Override
    public ProxyHandler.Builder maxConnectionsPerClient(int max) {
        maxConnectionsPerClient = positive(max, "the cap on connections of a client");
        return this;
    }

    @Override
    public ProxyHandler.Builder maxTlsHandshakes(int max) {
        maxTlsHandshakes = positive(max, "the cap on TLS handshakes");
        return this;
    }

    @Override
    public ProxyHandler.Builder maxRequestsPerConnection(int max) {
        maxRequestsPerConnection = positive(max, "the cap on requests over a connection");
        return this;
    }

    @Override
    public ProxyHandler.Builder writeStallTimeout(Duration timeout) {
        writeStallTimeoutNanos = Durations.positiveNanos(timeout, "the write-stall timeout");
        return this;
    }

    @Override
    public ProxyHandler.Builder maxLifetime(Duration lifetime) {
        maxLifetimeNanos = Durations.positiveNanos(lifetime, "the longest lifetime");
        return this;
    }

    @Override
    public ProxyHandler.Builder rateLimit(long bytesPerSecond) {
        rateLimit = positive(bytesPerSecond, "the rate of a connection");
        return this;
    }

    @Override
    public ProxyHandler.Builder rateLimitPerClient(long bytesPerSecond) {
        rateLimitPerClient = positive(bytesPerSecond, "the rate of a client");
        return this;
    }

    @Override
    public ProxyHandler.Builder rateLimitPerIdentity(long bytesPerSecond) {
        rateLimitPerIdentity = positive(bytesPerSecond, "the rate of an identity");
        return this;
    }

    @Override
    public ProxyHandler.Builder proxyProtocol(Cidr... trustedSenders) {
        this.trustedSenders = trustedSenders.length == 0 ? null : AddressPolicy.allowing(trustedSenders);
        return this;
    }

    @Override
    public ProxyHandler.Builder maxHeadBytes(int max) {
        maxHeadBytes = headBytes(max, "the size of a request's head");
        return this;
    }

    @Override
    public ProxyHandler.Builder maxFields(int max) {
        maxFields = fields(max, "the number of a request's fields");
        return this;
    }

    @Override
    public ProxyHandler.Builder maxResponseHeadBytes(int max) {
        maxResponseHeadBytes = headBytes(max, "the size of a response's head");
        return this;
    }

    @Override
    public ProxyHandler.Builder maxResponseFields(int max) {
        maxResponseFields = fields(max, "the number of a response's fields");
        return this;
    }

    private static int headBytes(int max, String what) {
        return within(max, HeadLimits.MIN_HEAD_BYTES, HeadLimits.MAX_HEAD_BYTES, what);
    }

    private static int fields(int max, String what) {
        return within(max, 1, HeadLimits.MAX_FIELDS, what);
    }

    private static int within(int max, int least, int most, String what) {
        if (max < least || max > most) {
            throw new IllegalArgumentException(
                    "the cap on " + what + " must be from " + least + " to " + most + ", not " + max);
        }
        return max;
    }

    private static int positive(int max, String what) {
        return (int) positive((long) max, what);
    }

    private static long positive(long max, String what) {
        if (max < 1) {
            throw new IllegalArgumentException(what + " must be at least 1, not " + max);
        }
        return max;
    }

    @Override
    public ProxyHandler build() {
        Dialer dials = dialer != null ? dialer : defaultDialer.get();
        EnginePool ownPool = pool == null ? defaultPool.get() : null;
        TargetDialer targets = new TargetDialer(
                dials,
                reportOnly ? new ReportingPolicy(addressPolicy, engine.ticker()) : addressPolicy,
                dialTimeout,
                engine);
        Forwarding forwarding = new Forwarding(
                targets,
                pool == null ? Objects.requireNonNull(ownPool) : pool,
                responseTimeoutNanos,
                bodyTimeoutNanos,
                HeadLimits.of(maxResponseHeadBytes, maxResponseFields),
                pseudonym);
        HandlerSettings settings = new HandlerSettings(
                new HandlerSettings.Access(accessPolicy, authenticator, trustedSenders, socks),
                new HandlerSettings.Timeouts(
                        headTimeoutNanos,
                        authenticationTimeoutNanos,
                        bodyTimeoutNanos,
                        localRequestTimeoutNanos,
                        keepAliveTimeoutNanos,
                        maxLifetimeNanos,
                        new Idleness(idleTimeoutNanos, halfCloseTimeoutNanos, writeStallTimeoutNanos)),
                new HandlerSettings.Limits(
                        maxConnections,
                        maxStreamClients,
                        maxConnectionsPerClient,
                        maxRequestsPerConnection,
                        maxTlsHandshakes,
                        HeadLimits.of(maxHeadBytes, maxFields),
                        rateLimit,
                        rateLimitPerClient,
                        rateLimitPerIdentity),
                forwarding,
                localRequests,
                listener);
        DefaultProxyHandler handler = new DefaultProxyHandler(settings, targets, engine, closed -> {
            open.remove(closed);
            if (ownPool != null) {
                ownPool.close();
            }
        });
        open.add(handler);
        return handler;
    }
}
