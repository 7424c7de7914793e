package io.broxy.core.internal.dial;

import io.broxy.Connection;
import io.broxy.DialException;
import io.broxy.DialRequest;
import io.broxy.DirectDialer;
import io.broxy.Explanation;
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
    final CachingResolver resolver;
    final NewSockets sockets;
    final long attemptDelayNanos;
    private final long timeoutNanos;

    /**
     * Creates one.
     *
     * @param timeoutNanos of a dial whose request names none
     * @param attemptDelayNanos between the attempts of a race
     */
    DirectDialerImpl(
            DialEngine engine,
            CachingResolver resolver,
            NewSockets sockets,
            long timeoutNanos,
            long attemptDelayNanos) {
        this.engine = engine;
        this.resolver = resolver;
        this.sockets = sockets;
        this.timeoutNanos = timeoutNanos;
        this.attemptDelayNanos = attemptDelayNanos;
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
    public Explanation explain(DialRequest request) {
        return RouteExplanation.direct(request);
    }

    @Override
    public DialHandle start(Dial dial) {
        return new LoopDial(dial, this).begin();
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
                        new LoopDial(dialOn(loop, request, null, startNanos, completion), this).begin(addresses));
    }
}
