package io.broxy.core.internal.proxy;

import io.broxy.ProxyHandler;
import io.broxy.core.internal.http.HeadLimits;
import io.broxy.core.internal.relay.Idleness;
import io.broxy.core.internal.time.Durations;
import java.time.Duration;
import java.util.concurrent.TimeUnit;

/** The limits of a {@link ProxyHandler}, which its {@link ProxyHandlerBuilder} has beside its other settings. Threading: for one thread. */
abstract class HandlerLimits implements ProxyHandler.Builder {
    private long headTimeoutNanos = TimeUnit.SECONDS.toNanos(10);
    private long authenticationTimeoutNanos = TimeUnit.SECONDS.toNanos(10);
    private long filterTimeoutNanos = TimeUnit.SECONDS.toNanos(10);
    private Duration dialTimeout = Duration.ofSeconds(10);
    private long idleTimeoutNanos = TimeUnit.MINUTES.toNanos(5);
    private long halfCloseTimeoutNanos = TimeUnit.SECONDS.toNanos(60);
    private long writeStallTimeoutNanos = TimeUnit.MINUTES.toNanos(5);
    private long maxLifetimeNanos;
    private long keepAliveTimeoutNanos = TimeUnit.SECONDS.toNanos(60);
    private long responseTimeoutNanos = TimeUnit.SECONDS.toNanos(60);
    private long bodyTimeoutNanos = TimeUnit.SECONDS.toNanos(60);
    private long localRequestTimeoutNanos = TimeUnit.SECONDS.toNanos(10);
    private int maxHeadBytes = HeadLimits.REQUEST.headBytes();
    private int maxFields = HeadLimits.REQUEST.fields();
    private int maxResponseHeadBytes = HeadLimits.RESPONSE.headBytes();
    private int maxResponseFields = HeadLimits.RESPONSE.fields();
    private int maxConnections = 20_000;
    private int maxConnectionsPerClient;
    private int maxTlsHandshakes = 1_000;
    private int maxRequestsPerConnection;
    private int maxStreamClients = 500;
    private long rateLimit;
    private long rateLimitPerClient;
    private long rateLimitPerIdentity;

    // ------------------------------------------------------------------ how long

    @Override
    public ProxyHandler.Builder headTimeout(Duration timeout) {
        headTimeoutNanos = Durations.positiveNanos(timeout, "the head timeout");
        return this;
    }

    @Override
    public ProxyHandler.Builder authenticationTimeout(Duration timeout) {
        authenticationTimeoutNanos = Durations.positiveNanos(timeout, "the authentication timeout");
        return this;
    }

    @Override
    public ProxyHandler.Builder filterTimeout(Duration timeout) {
        filterTimeoutNanos = Durations.positiveNanos(timeout, "the filter timeout");
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
    public ProxyHandler.Builder localRequestTimeout(Duration timeout) {
        localRequestTimeoutNanos = Durations.positiveNanos(timeout, "the timeout of the proxy's own requests");
        return this;
    }

    // ------------------------------------------------------------------ how large

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

    // ------------------------------------------------------------------ how many

    @Override
    public ProxyHandler.Builder maxConnections(int max) {
        maxConnections = positive(max, "the cap on connections");
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
    public ProxyHandler.Builder maxStreamClients(int max) {
        maxStreamClients = positive(max, "the cap on clients without a channel");
        return this;
    }

    // ------------------------------------------------------------------ how fast

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

    // ------------------------------------------------------------------ what was set

    HandlerSettings.Timeouts timeouts() {
        return new HandlerSettings.Timeouts(
                headTimeoutNanos,
                authenticationTimeoutNanos,
                bodyTimeoutNanos,
                localRequestTimeoutNanos,
                keepAliveTimeoutNanos,
                maxLifetimeNanos,
                new Idleness(idleTimeoutNanos, halfCloseTimeoutNanos, writeStallTimeoutNanos));
    }

    HandlerSettings.Limits limits() {
        return new HandlerSettings.Limits(
                maxConnections,
                maxStreamClients,
                maxConnectionsPerClient,
                maxRequestsPerConnection,
                maxTlsHandshakes,
                HeadLimits.of(maxHeadBytes, maxFields),
                rateLimit,
                rateLimitPerClient,
                rateLimitPerIdentity);
    }

    HeadLimits responseHead() {
        return HeadLimits.of(maxResponseHeadBytes, maxResponseFields);
    }

    Duration dialTimeout() {
        return dialTimeout;
    }

    long responseTimeoutNanos() {
        return responseTimeoutNanos;
    }

    long filterTimeoutNanos() {
        return filterTimeoutNanos;
    }
}
