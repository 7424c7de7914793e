package io.broxy.core.internal.dial;

import io.broxy.Connection;
import io.broxy.DialException;
import io.broxy.DialRequest;
import io.broxy.DirectDialer;
import io.broxy.HostPort;
import io.broxy.core.internal.net.DialHandle;
import java.net.InetAddress;
import java.util.List;
import java.util.concurrent.CompletableFuture;

/**
 * Dials directly. A blocking dial of one address connects on the caller's thread, which costs no hand-over; one of
 * several addresses is a race on a loop that the caller waits for.
 *
 * <p>Threading: thread-safe.
 */
public final class DirectDialerImpl implements DirectDialer, EngineDialer {
    private final DialEngine engine;
    private final CachingResolver resolver;
    private final NewSockets sockets;
    private final long timeoutNanos;
    private final long attemptDelayNanos;

    DirectDialerImpl(DirectDialerBuilder settings, DialEngine engine) {
        this.engine = engine;
        resolver = settings.cachingResolver(engine);
        sockets = settings.sockets();
        timeoutNanos = settings.timeoutNanos();
        attemptDelayNanos = settings.attemptDelayNanos();
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

    @Override
    public DialEngine engine() {
        return engine;
    }

    @Override
    public long defaultTimeoutNanos() {
        return timeoutNanos;
    }

    @Override
    public void forget(HostPort target) {
        resolver.forget(target.host());
    }

    @Override
    public DialHandle start(Dial dial) {
        return LoopDial.start(dial, this);
    }

    @Override
    public Connection dialOnCaller(DialRequest request, long startNanos) throws DialException {
        return new CallerDial(this, engine.callers(), request).dial();
    }

    /** A race on a loop, for a caller that blocks until its end. */
    CompletableFuture<Connection> race(DialRequest request, List<InetAddress> addresses, long startNanos) {
        return FutureDial.start(
                engine,
                request.target(),
                Runnable::run, // only the caller waits for it
                (loop, completion) ->
                        LoopDial.start(dialOn(loop, request, null, startNanos, completion), this, addresses));
    }
}
