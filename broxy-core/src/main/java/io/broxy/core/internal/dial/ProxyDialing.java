package io.broxy.core.internal.dial;

import io.broxy.ConnPool;
import io.broxy.Connection;
import io.broxy.DialException;
import io.broxy.DialRequest;
import io.broxy.Dialer;
import io.broxy.HostPort;
import io.broxy.Socks5Dialer;
import io.broxy.core.internal.loop.EventLoop;
import io.broxy.core.internal.loop.Workers;
import io.broxy.core.internal.net.DialHandle;
import io.broxy.core.internal.time.Durations;
import io.broxy.core.internal.time.Ticker;
import io.broxy.core.internal.upstream.LoopDialer;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import java.util.function.BiFunction;

/**
 * Dials through a proxy. What is said to it is the {@link HandshakeFactory}'s, where connections to it come from the
 * {@link HopSource}'s. A dial always runs on a loop, a blocking one too: it waits for the proxy's answer anyway.
 *
 * <p>Threading: thread-safe.
 */
final class ProxyDialing implements Socks5Dialer, LoopDialer {
    private final HostPort proxy;
    private final HandshakeFactory handshakes;
    private final HopSource hops;
    private final Dialer toProxy;
    private final long timeoutNanos;
    private final DialEngine engine;

    ProxyDialing(
            ConnPool.Key toProxy, HandshakeFactory handshakes, HopSource hops, long timeoutNanos, DialEngine engine) {
        this.proxy = toProxy.address();
        this.handshakes = handshakes;
        this.hops = hops;
        this.toProxy = toProxy.dialer();
        this.timeoutNanos = timeoutNanos;
        this.engine = engine;
    }

    HostPort proxy() {
        return proxy;
    }

    HandshakeFactory handshakes() {
        return handshakes;
    }

    HopSource hops() {
        return hops;
    }

    Workers workers() {
        return engine.workers();
    }

    Ticker ticker() {
        return engine.ticker();
    }

    /** The time for a request: its own or the default. */
    long timeoutNanos(DialRequest request) {
        Duration own = request.timeout();
        return own == null ? timeoutNanos : Durations.positiveNanos(own, "a dial's time-out");
    }

    @Override
    public DialHandle dial(EventLoop loop, DialRequest request, Outcome outcome) {
        assert loop.inLoop();
        return ProxyDial.start(loop, request, engine.ticker().nanos(), this, outcome);
    }

    @Override
    public Connection dial(DialRequest request) throws DialException {
        return FutureDial.await(request.target(), engine, startingNow(request));
    }

    @Override
    public CompletableFuture<Connection> dialAsync(DialRequest request, Executor executor) {
        return FutureDial.start(
                engine.loops().next(), request.target(), engine.workers()::complete, startingNow(request));
    }

    /** As the dialer does that reaches the proxy. */
    @Override
    public boolean sendsClientAddress() {
        return toProxy.sendsClientAddress();
    }

    /** The time runs from the call, not from the loop's turn. */
    private BiFunction<EventLoop, Outcome, DialHandle> startingNow(DialRequest request) {
        long start = engine.ticker().nanos();
        return (loop, outcome) -> ProxyDial.start(loop, request, start, this, outcome);
    }

    /** Names the proxy. */
    @Override
    public String toString() {
        return "Socks5Dialer[" + proxy + "]";
    }
}
