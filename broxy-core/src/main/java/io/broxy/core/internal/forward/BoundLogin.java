package io.broxy.core.internal.forward;

/**
 * The login that is bound to an upstream connection (RFC 4559 section 6), which decides whose requests it may serve.
 *
 * <p>Threading: immutable.
 */
enum BoundLogin {
    /** None: the connection may serve any client. */
    NONE,

    /**
     * This proxy's own at the next proxy, or the client's with credentials in each request. Another connection can be logged in
     * without a loss.
     */
    OF_PROXY,

    /** The client's: it takes the login for its own connection's, and both end together. */
    OF_CLIENT
}
