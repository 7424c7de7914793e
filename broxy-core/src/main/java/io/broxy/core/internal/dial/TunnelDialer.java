package io.broxy.core.internal.dial;

import io.broxy.AddressPolicy;
import io.broxy.ConnPool;
import io.broxy.DialRequest;
import io.broxy.Dialer;
import io.broxy.Explanation;
import io.broxy.HostPort;
import io.broxy.core.internal.http.KeepAlive;
import io.broxy.core.internal.net.Completion;
import io.broxy.core.internal.net.DialHandle;
import io.broxy.core.internal.net.LoopConnection;
import io.broxy.core.internal.pool.EnginePool;
import io.broxy.core.internal.pool.IdleUse;
import io.broxy.core.internal.pool.LoopLease;
import io.broxy.core.internal.upstream.LoopDialer;
import io.broxy.core.internal.upstream.ProxyAuthorization;
import io.broxy.core.internal.upstream.UserDialerAdapter;
import java.io.IOException;
import java.time.Duration;
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
    final ProxyAuthorization authorization;
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

    /** Why the proxy's protocol cannot name a target; null if it can. */
    @Nullable
    IOException unsupported(HostPort target) {
        return null;
    }

    /** Makes the handshake for one connection, with the value that {@link #authorization} gave for the target. */
    abstract Handshake handshake(HostPort target, @Nullable String authorization);

    /** The scheme of the proxy in URIs. */
    abstract String scheme();

    /** Whether the proxy is spoken to over TLS. */
    final boolean overTls() {
        return proxy.dialer() instanceof TlsDialer;
    }

    @Override
    public Explanation explain(DialRequest request) {
        IOException unsupported = unsupported(request.target());
        if (unsupported != null) {
            return Explanation.refused(Explanation.Part.ROUTE, String.valueOf(unsupported.getMessage()));
        }
        Dialer below = proxy.dialer() instanceof TlsDialer tls ? tls.toPeer() : proxy.dialer();
        return RouteExplanation.through(scheme(), proxy(), below, request);
    }

    HostPort proxy() {
        return proxy.address();
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
     * @param dial that it is for
     * @param leftNanos the timeout for this step
     * @param fresh whether it must not have been idle
     * @param completion gets the connection, possibly before this method returns
     */
    DialHandle connect(Dial dial, long leftNanos, boolean fresh, Completion<ProxyConnection> completion) {
        if (pool == null) {
            DialRequest request = dial.request().toBuilder()
                    .target(proxy())
                    .addressPolicy(AddressPolicy.any())
                    .timeout(Duration.ofNanos(leftNanos))
                    .build();
            return toProxy.dial(
                    dial.loop(), request, null, completion.from(opened -> new ProxyConnection(opened, null)));
        }
        return pool.lease(
                dial.loop(),
                proxy,
                fresh ? IdleUse.NEVER : IdleUse.ANY,
                dial.request().client(),
                null,
                leftNanos,
                completion.from(lease -> new ProxyConnection(lease.connection(), lease)));
    }

    /**
     * A connection to a proxy while a tunnel is being opened over it, which ends in {@link #detach}, {@link #reuse} or one of the
     * discards.
     *
     * @param lease null if the connection was opened for one dial, and so is closed when no tunnel comes of it
     * <p>Threading: owned by its event loop.
     */
    record ProxyConnection(
            LoopConnection connection, @Nullable LoopLease lease) {

        /** Whether it was idle before, so that the proxy may have closed it in the meantime. */
        boolean wasIdle() {
            return lease != null && lease.wasIdle();
        }

        /** The tunnel is open, and the connection belongs to the receiver of the dial's result. */
        void detach() {
            if (lease != null) {
                lease.detach();
            }
        }

        /** The proxy has refused, and takes another request for as long and as often as it has said. */
        void reuse(KeepAlive said) {
            if (lease == null) {
                connection.close();
            } else {
                lease.answered(said.timeoutNanos(), said.max());
                lease.giveBack();
            }
        }

        /** The proxy has ended or spoilt the connection before it answered. */
        void discardUnanswered() {
            if (lease == null) {
                connection.close();
            } else {
                lease.closeUnanswered();
            }
        }

        /** The connection is of no use any more. */
        void discard() {
            if (lease == null) {
                connection.close();
            } else {
                lease.close();
            }
        }
    }
}
