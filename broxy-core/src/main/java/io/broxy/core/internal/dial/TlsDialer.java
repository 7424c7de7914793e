package io.broxy.core.internal.dial;

import io.broxy.Connection;
import io.broxy.DialException;
import io.broxy.DialRequest;
import io.broxy.Dialer;
import io.broxy.core.internal.loop.EventLoop;
import io.broxy.core.internal.loop.Workers;
import io.broxy.core.internal.net.DialHandle;
import io.broxy.core.internal.time.Durations;
import io.broxy.core.internal.time.Ticker;
import io.broxy.core.internal.tls.Tls;
import io.broxy.core.internal.upstream.LoopDialer;
import io.broxy.core.internal.upstream.UserDialerAdapter;
import java.time.Duration;
import java.util.concurrent.TimeUnit;

/**
 * Dials with another dialer and speaks TLS to what it reaches, all under one deadline: the way to an {@code https} proxy.
 *
 * <p>Threading: thread-safe.
 */
final class TlsDialer implements Dialer, LoopDialer {
    private static final long DEFAULT_TIMEOUT_NANOS = TimeUnit.SECONDS.toNanos(10);

    private final Dialer toPeer;
    private final LoopDialer below;
    private final Tls tls;
    private final DialEngine engine;

    TlsDialer(Dialer toPeer, Tls tls, DialEngine engine) {
        this.toPeer = toPeer;
        this.below = UserDialerAdapter.of(toPeer, engine.workers());
        this.tls = tls;
        this.engine = engine;
    }

    LoopDialer below() {
        return below;
    }

    Tls tls() {
        return tls;
    }

    Workers workers() {
        return engine.workers();
    }

    Ticker ticker() {
        return engine.ticker();
    }

    @Override
    public boolean sendsClientAddress() {
        return toPeer.sendsClientAddress();
    }

    @Override
    public DialHandle dial(EventLoop loop, DialRequest request, Outcome outcome) {
        assert loop.inLoop();
        Duration own = request.timeout();
        long timeoutNanos = own == null ? DEFAULT_TIMEOUT_NANOS : Durations.positiveNanos(own, "a dial's time-out");
        return TlsDial.start(loop, request, timeoutNanos, this, outcome);
    }

    @Override
    public Connection dial(DialRequest request) throws DialException {
        return FutureDial.await(request.target(), engine, (loop, outcome) -> dial(loop, request, outcome));
    }
}
