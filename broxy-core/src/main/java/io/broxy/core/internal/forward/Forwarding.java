package io.broxy.core.internal.forward;

import io.broxy.core.internal.http.HeadLimits;
import io.broxy.core.internal.pool.EnginePool;
import org.jspecify.annotations.Nullable;

/**
 * What all exchanges of a handler share.
 *
 * @param pool keeps the connections to origins and proxies
 * @param responseNanos how long an exchange waits for the response, once the request has been sent
 * @param bodyNanos how long it waits for the next bytes of a body, in either direction
 * @param responseLimits for the heads of origins and proxies
 * @param pseudonym how this proxy calls itself in Via; null to add no Via
 * @param passProxyAuthentication whether clients log in at the next proxy themselves
 * <p>Threading: immutable.
 */
public record Forwarding(
        EnginePool pool,
        long responseNanos,
        long bodyNanos,
        HeadLimits responseLimits,
        @Nullable String pseudonym,
        boolean passProxyAuthentication) {}
