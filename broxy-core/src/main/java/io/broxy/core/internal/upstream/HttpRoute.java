package io.broxy.core.internal.upstream;

import io.broxy.ConnPool;
import io.broxy.DialException;
import org.jspecify.annotations.Nullable;

/**
 * The hops of one request, tried one after another until one works.
 *
 * <p>Threading: for one thread, or owned by its event loop.
 */
public interface HttpRoute {

    /** The hop to try now. Its timeout runs from when it became the current one. */
    HttpHop hop();

    /**
     * Tries the hop with this key first, if it is one of the hops, for an exchange that has begun there. Called before any hop
     * was tried.
     *
     * @return whether {@link #hop} is that hop now
     */
    default boolean prefer(ConnPool.Key key) {
        return hop().key().equals(key);
    }

    /**
     * The hop works: its connection is open or, in {@linkplain HttpHop#absoluteForm() absolute form}, the proxy has begun to
     * answer, and not with 407. Repeated calls change nothing.
     */
    default void connected() {}

    /**
     * The hop does not work: no connection came of it or, in absolute form, the proxy ended a new connection without an
     * answer ({@link DialException.Reason#PROTOCOL}), was silent for too long ({@link DialException.Reason#TIMEOUT}) or wants
     * other credentials ({@link DialException.Reason#PROXY_AUTH}). Any other answer of a proxy is none of these.
     *
     * @param failure the pool's or dialer's own, or one that {@link HttpHop#failure} has begun
     * @return null if {@link #hop} is another one now, which may be tried if the request can be sent once more; otherwise
     *     the failure of the whole
     */
    @Nullable
    DialException failed(DialException failure);
}
