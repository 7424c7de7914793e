package io.broxy.core.internal.proxy;

import io.broxy.AddressPolicy;
import io.broxy.DialRequest;
import io.broxy.Dialer;
import io.broxy.HostPort;
import io.broxy.core.internal.relay.Idleness;
import java.time.Duration;

/**
 * What a handler was built with; see {@link io.broxy.ProxyHandler.Builder}.
 *
 * <p>Threading: immutable.
 */
record HandlerSettings(
        Dialer dialer,
        AddressPolicy addressPolicy,
        long headTimeoutNanos,
        Duration dialTimeout,
        Idleness idleness,
        int maxTunnels,
        int maxStreamClients) {

    /** The request for a client's target. */
    DialRequest dialRequest(HostPort target) {
        return DialRequest.builder(target)
                .timeout(dialTimeout)
                .addressPolicy(addressPolicy)
                .build();
    }
}
