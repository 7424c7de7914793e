package io.broxy;

/** How a client's TLS handshake ended; {@link ProxyStats#tlsHandshakes} counts them. */
public enum TlsOutcome {
    /** The connection is secure. */
    COMPLETED,
    /** The client and this side have no version or cipher suite in common, a certificate is missing or not valid, or a message is malformed. */
    FAILED,
    /** The client began with something else than TLS. */
    NOT_TLS,
    /** The handshake did not end within {@link ProxyHandler.Builder#headTimeout}. */
    TIMEOUT,
    /** The client went away, or its connection was closed here, before the handshake ended. */
    ABANDONED,
    /** {@link ProxyHandler.Builder#maxTlsHandshakes} were under way. */
    LIMIT
}
