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
import io.broxy.core.internal.upstream.ProxyAuthorization;
import io.broxy.core.internal.upstream.UserDialerAdapter;
import java.time.Duration;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * A dialer through a proxy: it opens a connection to the proxy for each dial, or leases one from a pool, and opens a tunnel
 * over it by a handshake, which is all that the kinds of proxies differ in.
 *
 * <p>Threading: thread-safe.
 */
abstract class TunnelDialer implements EngineDialer {
    private final ConnPool.Key proxy;
    private final LoopDialer toProxy;
    private final ProxyAuthorization authorization;
    private final @Nullable EnginePool pool;
    private final long timeoutNanos;
    private final DialEngine engine;

    /**
     * Creates one.
     *
     * @param proxy the proxy and the dialer that reaches it
     * @param authorization where the handshake's authorization comes from
     * @param pool that connections to the proxy are leased from; null to open one for each dial
     * @param timeoutNanos of a dial whose request names none
     */
    TunnelDialer(
            ConnPool.Key proxy,
            ProxyAuthorization authorization,
            @Nullable EnginePool pool,
            long timeoutNanos,
            DialEngine engine) {
        this.proxy = proxy;
        this.toProxy = UserDialerAdapter.of(proxy.dialer(), engine.workers());
        this.authorization = authorization;
        this.pool = pool;
        this.timeoutNanos = timeoutNanos;
        this.engine = engine;
    }

    /** Makes the handshake for one connection, with the value that {@link #authorization} gave for the target. */
    abstract Handshake handshake(HostPort target, @Nullable String authorization);

    HostPort proxy() {
        return proxy.address();
    }

    ProxyAuthorization authorization() {
        return authorization;
    }

    @Override
    public DialEngine engine() {
        return engine;
    }

    @Override
    public long defaultTimeoutNanos() {
        return timeoutNanos;
    }

    /** Whether the dialer that reaches the proxy does. */
    @Override
    public boolean sendsClientAddress() {
        return proxy.dialer().sendsClientAddress();
    }

    @Override
    public DialHandle start(Dial dial) {
        return new ProxyDial(dial, this).begin();
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
