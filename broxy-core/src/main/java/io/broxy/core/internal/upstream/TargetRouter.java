package io.broxy.core.internal.upstream;

import io.broxy.AddressPolicy;
import io.broxy.ConnPool;
import io.broxy.Connection;
import io.broxy.DialException;
import io.broxy.DialRequest;
import io.broxy.Dialer;
import io.broxy.core.internal.loop.EventLoop;
import io.broxy.core.internal.loop.Workers;
import io.broxy.core.internal.net.Completion;
import io.broxy.core.internal.net.DialHandle;
import io.broxy.core.internal.net.LoopConnection;
import io.broxy.core.internal.time.Durations;
import java.net.InetAddress;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * Sends every request to its target, over a connection of one dialer.
 *
 * <p>Threading: thread-safe.
 */
final class TargetRouter implements HttpRouter {
    /** The default of every built-in dialer. */
    private static final long DEFAULT_TIMEOUT_NANOS = TimeUnit.SECONDS.toNanos(10);

    private final Dialer dialer;
    private final Workers workers;

    /** The latest request often comes again. */
    private volatile @Nullable SingleHop latestHop;

    /** Most requests have the same policy. */
    private volatile @Nullable PolicyDialer latestDialer;

    TargetRouter(Dialer dialer, Workers workers) {
        this.dialer = dialer;
        this.workers = workers;
    }

    @Override
    public HttpRoute route(DialRequest request) {
        SingleHop last = latestHop;
        if (last == null || last.request() != request) {
            last = new SingleHop(request, hop(request));
            latestHop = last;
        }
        return last;
    }

    private HttpHop hop(DialRequest request) {
        Duration own = request.timeout();
        long timeoutNanos = own == null ? DEFAULT_TIMEOUT_NANOS : Durations.positiveNanos(own, "a dial's timeout");
        ConnPool.Key key = ConnPool.Key.of(request.target(), keeping(request.addressPolicy()));
        return HttpHop.toTarget(key, timeoutNanos);
    }

    private Dialer keeping(AddressPolicy policy) {
        if (policy == AddressPolicy.any()) {
            return dialer; // so that these connections are shared with leases by the dialer itself
        }
        PolicyDialer last = latestDialer;
        if (last == null || last.policy() != policy) {
            last = new PolicyDialer(dialer, policy, UserDialerAdapter.of(dialer, workers));
            latestDialer = last;
        }
        return last;
    }

    /** Threading: immutable. */
    private record SingleHop(DialRequest request, @Override HttpHop hop) implements HttpRoute {
        @Override
        public DialException failed(DialException failure) {
            return failure;
        }
    }

    /**
     * Dials as another dialer, but admits only what a policy admits. Two are equal if both are: a pool's connections that were
     * opened under one policy are never leased under another.
     *
     * <p>Threading: thread-safe.
     */
    private static final class PolicyDialer implements Dialer, LoopDialer {
        private final Dialer dialer;
        private final AddressPolicy policy;
        private final LoopDialer onLoop;
        private final int hash;

        /**
         * Creates one.
         *
         * @param onLoop the dialer for event loops
         */
        PolicyDialer(Dialer dialer, AddressPolicy policy, LoopDialer onLoop) {
            this.dialer = dialer;
            this.policy = policy;
            this.onLoop = onLoop;
            this.hash = 31 * dialer.hashCode() + policy.hashCode();
        }

        AddressPolicy policy() {
            return policy;
        }

        @Override
        public Connection dial(DialRequest request) throws DialException {
            return dialer.dial(restricted(request));
        }

        @Override
        public CompletableFuture<Connection> dialAsync(DialRequest request, Executor executor) {
            return dialer.dialAsync(restricted(request), executor);
        }

        @Override
        public DialHandle dial(
                EventLoop loop,
                DialRequest request,
                @Nullable InetAddress client,
                Completion<LoopConnection> completion) {
            return onLoop.dial(loop, restricted(request), client, completion);
        }

        @Override
        public boolean sendsClientAddress() {
            return dialer.sendsClientAddress();
        }

        private DialRequest restricted(DialRequest request) {
            AddressPolicy other = request.addressPolicy();
            AddressPolicy both = other == AddressPolicy.any() ? policy : other.and(policy);
            return request.toBuilder().addressPolicy(both).build();
        }

        @Override
        public boolean equals(@Nullable Object other) {
            return this == other
                    || (other instanceof PolicyDialer that
                            && hash == that.hash
                            && dialer.equals(that.dialer)
                            && policy.equals(that.policy));
        }

        @Override
        public int hashCode() {
            return hash;
        }

        /** Names the dialer and the policy. */
        @Override
        public String toString() {
            return dialer + " for " + policy;
        }
    }
}
