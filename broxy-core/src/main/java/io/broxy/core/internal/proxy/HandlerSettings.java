package io.broxy.core.internal.proxy;

import io.broxy.AccessPolicy;
import io.broxy.AddressPolicy;
import io.broxy.Authenticator;
import io.broxy.DialRequest;
import io.broxy.Dialer;
import io.broxy.HostPort;
import io.broxy.ProxyListener;
import io.broxy.core.internal.forward.Forwarding;
import io.broxy.core.internal.http.HeadLimits;
import io.broxy.core.internal.relay.Idleness;
import java.time.Duration;
import java.util.concurrent.Executor;
import org.jspecify.annotations.Nullable;

/**
 * What a handler was built with; see {@link io.broxy.ProxyHandler.Builder}.
 *
 * <p>Threading: immutable.
 */
record HandlerSettings(
        Dialer dialer,
        AddressPolicy addressPolicy,
        Access access,
        long headTimeoutNanos,
        HeadLimits requestLimits,
        Duration dialTimeout,
        Idleness idleness,
        long keepAliveNanos,
        Forwarding forwarding,
        LocalStep.@Nullable Answering localRequests,
        ConnectionLimits limits,
        @Nullable ProxyListener listener) {

    /** Who may ask for what. Threading: immutable. */
    record Access(AccessPolicy policy, @Nullable Authenticator authenticator, long timeoutNanos) {
        AccessControl gate(Executor callbacks) {
            return new AccessControl(policy, authenticator, timeoutNanos, callbacks);
        }
    }

    /** The request for a client's target. */
    DialRequest dialRequest(HostPort target) {
        return DialRequest.builder(target)
                .timeout(dialTimeout)
                .addressPolicy(addressPolicy)
                .build();
    }
}
