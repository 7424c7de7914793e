package io.broxy.core.internal.proxy;

import io.broxy.RefusedException;

/**
 * Why clients are refused, where the reason is the proxy's own state.
 *
 * <p>Threading: stateless.
 */
final class Refusals {
    private Refusals() {}

    static RefusedException full() {
        return new RefusedException(RefusedException.Reason.LIMIT, 503, "too many tunnels");
    }

    static RefusedException headTimeout() {
        return new RefusedException(RefusedException.Reason.HEAD_TIMEOUT, 408, "the request did not come in time");
    }

    static RefusedException draining() {
        return new RefusedException(RefusedException.Reason.DRAINING, 503, "the proxy takes no new tunnels");
    }

    static RefusedException tooManyOfClient() {
        return new RefusedException(RefusedException.Reason.LIMIT, 503, "too many connections of one client");
    }
}
