package io.broxy.core.internal.net;

import java.io.IOException;

/**
 * A write failed after the peer had ended its own stream properly, so the bytes that the peer sent are complete. In TLS 1.2,
 * which has no half-close (RFC 5246 section 7.2.1), the end of either stream ends the connection; with other protocols, too, a
 * peer may vanish after its end.
 *
 * <p>Threading: as an exception's.
 */
public final class PeerEndedException extends IOException {
    private static final long serialVersionUID = 1L;

    /** Creates the exception for an end of stream that also ended the connection. */
    public PeerEndedException() {
        super("the peer has ended the TLS connection");
    }

    /** Creates the exception for a write that failed. */
    public PeerEndedException(IOException cause) {
        super("the peer has ended its stream and accepts no more bytes", cause);
    }
}
