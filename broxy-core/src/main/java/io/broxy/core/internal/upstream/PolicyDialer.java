package io.broxy.core.internal.upstream;

import io.broxy.AddressPolicy;
import io.broxy.Connection;
import io.broxy.DialException;
import io.broxy.DialRequest;
import io.broxy.Dialer;
import io.broxy.core.internal.loop.EventLoop;
import io.broxy.core.internal.net.Completion;
import io.broxy.core.internal.net.DialHandle;
import io.broxy.core.internal.net.LoopConnection;
import java.net.InetAddress;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import org.jspecify.annotations.Nullable;

/**
 * Dials as another dialer, but admits only what a policy admits. Two are equal if both are: a pool's connections that were
 * opened under one policy are never leased under another.
 *
 * <p>Threading: thread-safe.
 */
final class PolicyDialer implements Dialer, LoopDialer {
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
            EventLoop loop, DialRequest request, @Nullable InetAddress client, Completion<LoopConnection> completion) {
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
