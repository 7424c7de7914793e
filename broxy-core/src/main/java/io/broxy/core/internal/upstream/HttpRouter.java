package io.broxy.core.internal.upstream;

import io.broxy.DialException;
import io.broxy.DialRequest;
import io.broxy.Dialer;
import io.broxy.core.internal.loop.Workers;

/**
 * A dialer that can send a plain HTTP request over another hop than a connection to its target: an HTTP proxy takes such a
 * request in absolute form (RFC 9112 section 3.2.2), without a tunnel.
 *
 * <p>Threading: thread-safe.
 */
public interface HttpRouter {

    /**
     * Begins the route of one request, without any I/O. Its time runs from now.
     *
     * @param request names the target, the addresses that are admitted, and the time for getting a connection
     * @throws DialException if there is no hop, as a dial would fail: with {@link DialException.Reason#DENIED} if rules deny
     *     the target, or if it is a literal address that the policy refuses and that nothing behind this could check
     */
    HttpRoute route(DialRequest request) throws DialException;

    /**
     * The dialer itself if it is a router; otherwise one that has every request go to its target over a connection of the
     * dialer, which is asked to keep the request's policy.
     *
     * @param workers run a dialer that is none for event loops
     */
    static HttpRouter of(Dialer dialer, Workers workers) {
        return dialer instanceof HttpRouter own ? own : new TargetRouter(dialer, workers);
    }
}
