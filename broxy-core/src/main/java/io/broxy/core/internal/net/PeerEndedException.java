package io.broxy.core.internal.net;

import java.io.IOException;

/**
 * A write failed after the peer had ended its own stream, in order: what the peer sent is complete. TLS 1.2 has no half-close
 * (RFC 5246 section 7.2.1), so there the end of either stream ends the connection; and any peer may be gone after its end.
 *
 * <p>Threading: as an exception's.
 */
public final class PeerEndedException extends IOException {
    private static final long serialVersionUID = 1L;

    /** Creates the exception for an end that was also the end of the connection. */
    public PeerEndedException() {
        super("the peer has ended the TLS connection");
    }

    /** Creates the exception for a write that failed. */
    public PeerEndedException(IOException cause) {
        super("the peer has ended its stream, and takes nothing more", cause);
    }
}
