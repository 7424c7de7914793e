package io.broxy.core.internal.dial;

import io.broxy.ConnPool;
import io.broxy.DialRequest;
import io.broxy.HostPort;
import io.broxy.core.internal.loop.EventLoop;
import io.broxy.core.internal.net.Completion;
import io.broxy.core.internal.net.DialHandle;
import io.broxy.core.internal.pool.EnginePool;
import io.broxy.core.internal.pool.IdleUse;
import io.broxy.core.internal.upstream.LoopDialer;
import io.broxy.core.internal.upstream.UserDialerAdapter;
import java.time.Duration;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * What dialers through a proxy share: the connections to the proxy, each opened for one dial or leased from a pool, and the
 * handshake that opens a tunnel over one of them.
 *
 * <p>Threading: thread-safe.
 */
final class TunnelDialer {
    private final ConnPool.Key proxy;
    private final LoopDialer toProxy;
    private final HandshakeFactory handshakes;
    private final @Nullable EnginePool pool;
    private final long timeoutNanos;
    private final DialEngine engine;

    /**
     * Creates one.
     *
     * @param proxy the proxy and the dialer that reaches it
     * @param pool that connections to the proxy are leased from; null to open one for each dial
     * @param timeoutNanos of a dial whose request names none
     */
    TunnelDialer(
            ConnPool.Key proxy,
            HandshakeFactory handshakes,
            @Nullable EnginePool pool,
            long timeoutNanos,
            DialEngine engine) {
        this.proxy = proxy;
        this.toProxy = UserDialerAdapter.of(proxy.dialer(), engine.workers());
        this.handshakes = handshakes;
        this.pool = pool;
        this.timeoutNanos = timeoutNanos;
        this.engine = engine;
    }

    HostPort proxy() {
        return proxy.address();
    }

    HandshakeFactory handshakes() {
        return handshakes;
    }

    long timeoutNanos() {
        return timeoutNanos;
    }

    DialEngine engine() {
        return engine;
    }

    /** Whether the dialer that reaches the proxy does. */
    boolean sendsClientAddress() {
        return proxy.dialer().sendsClientAddress();
    }

    /** Begins to open a tunnel. */
    DialHandle start(Dial dial) {
        return ProxyDial.start(dial, this);
    }

    /**
     * Begins to get a connection to the proxy.
     *
     * @param request names the proxy, and the timeout for this step
     * @param fresh whether it must not have been idle
     * @param completion gets the connection, possibly before this method returns
     */
    DialHandle connect(EventLoop loop, DialRequest request, boolean fresh, Completion<ProxyConnection> completion) {
        if (pool == null) {
            return toProxy.dial(loop, request, null, completion.from(opened -> new ProxyConnection(opened, null)));
        }
        Duration timeout = Objects.requireNonNull(request.timeout(), "the timeout for this step");
        return pool.lease(
                loop,
                proxy,
                fresh ? IdleUse.NEVER : IdleUse.ANY,
                request.client(),
                null,
                timeout.toNanos(),
                completion.from(lease -> new ProxyConnection(lease.connection(), lease)));
    }
}
