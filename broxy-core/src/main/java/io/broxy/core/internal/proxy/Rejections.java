package io.broxy.core.internal.proxy;

import io.broxy.RefusedException;

/**
 * Why clients are refused, where no parser and no policy says it.
 *
 * <p>Threading: stateless.
 */
final class Rejections {
    private Rejections() {}

    static RefusedException full() {
        return new RefusedException(RefusedException.Reason.LIMIT, 503, "too many tunnels");
    }

    static RefusedException headTimeout() {
        return new RefusedException(RefusedException.Reason.HEAD_TIMEOUT, 408, "the request did not come in time");
    }

    static RefusedException severalCredentials() {
        return new RefusedException(RefusedException.Reason.BAD_REQUEST, 400, "more than one Proxy-Authorization");
    }

    static RefusedException draining() {
        return new RefusedException(RefusedException.Reason.DRAINING, 503, "the proxy takes no new tunnels");
    }

    static RefusedException tooManyOfClient() {
        return new RefusedException(RefusedException.Reason.LIMIT, 503, "too many connections of one client");
    }
}
