package io.broxy.core.internal.net;

import java.io.IOException;

/**
 * A write came to nothing because the peer had ended its own stream, in order, and with it the connection: TLS 1.2 knows no
 * half-close (RFC 5246 section 7.2.1). What the peer sent is complete.
 *
 * <p>Threading: as an exception's.
 */
public final class PeerEndedException extends IOException {
    private static final long serialVersionUID = 1L;

    /** Creates the exception. */
    public PeerEndedException(String message) {
        super(message);
    }
}
