package io.broxy.core.internal.dial;

import io.broxy.ConnPool;
import io.broxy.DialException;
import io.broxy.core.internal.upstream.HttpHop;
import io.broxy.core.internal.upstream.HttpRoute;
import org.jspecify.annotations.Nullable;

/**
 * The ways of a request by rules: those of one hop after the other, each in the time that a dial would have.
 *
 * <p>Threading: for one thread, or owned by its event loop.
 */
final class RoutedHttp implements HttpRoute {
    private final FailOver failOver;
    private HttpRoute current;

    /**
     * Begins with the first hop that has a way.
     *
     * @throws DialException if none has
     */
    RoutedHttp(FailOver failOver) throws DialException {
        this.failOver = failOver;
        this.current = next(failOver);
    }

    private static HttpRoute next(FailOver failOver) throws DialException {
        while (true) {
            try {
                return failOver.hop().router().route(failOver.request());
            } catch (DialException e) {
                DialException all = failOver.failed(e);
                if (all != null) {
                    throw all;
                }
            }
        }
    }

    @Override
    public HttpHop way() {
        return current.way();
    }

    @Override
    public boolean prefer(ConnPool.Key wanted) {
        if (current.prefer(wanted)) {
            return true;
        }
        for (Hop hop : failOver.others()) {
            HttpRoute other = routeOver(hop);
            if (other != null && other.prefer(wanted)) {
                failOver.prefer(hop);
                current = other;
                return true;
            }
        }
        return false;
    }

    private @Nullable HttpRoute routeOver(Hop hop) {
        try {
            return hop.router().route(failOver.request());
        } catch (DialException e) {
            return null; // which it says again when it is its turn
        }
    }

    @Override
    public void connected() {
        current.connected();
        failOver.connected();
    }

    @Override
    public @Nullable DialException failed(DialException failure) {
        DialException ofHop = current.failed(failure);
        if (ofHop == null) {
            return null; // the hop has another way itself
        }
        DialException all = failOver.failed(ofHop);
        if (all != null) {
            return all;
        }
        try {
            current = next(failOver);
            return null;
        } catch (DialException e) {
            return e;
        }
    }
}
