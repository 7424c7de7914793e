package io.broxy.core.internal.dial;

import io.broxy.DialException;
import io.broxy.ProxyReply;
import io.broxy.core.internal.http.KeepAlive;
import org.jspecify.annotations.Nullable;

/** A proxy refused, or broke its protocol. It has no stack trace: its place is of no interest. Threading: immutable. */
final class HandshakeException extends Exception {
    private static final long serialVersionUID = 1L;

    private final DialException.Reason reason;
    private final transient @Nullable ProxyReply reply;
    private final transient @Nullable KeepAlive kept;
    private final boolean persistent;

    private HandshakeException(
            DialException.Reason reason,
            String message,
            @Nullable ProxyReply reply,
            @Nullable KeepAlive kept,
            boolean persistent) {
        super(message, null, false, false);
        this.reason = reason;
        this.reply = reply;
        this.kept = kept;
        this.persistent = persistent;
    }

    /**
     * The proxy has answered that it will not.
     *
     * @param kept what it says of the connection, or null if that cannot take the request of another dial
     * @param persistent whether the connection can take another request of the same dial
     */
    static HandshakeException refused(
            DialException.Reason reason, ProxyReply reply, @Nullable KeepAlive kept, boolean persistent) {
        return new HandshakeException(reason, reply.toString(), reply, kept, persistent);
    }

    /** What the proxy said is not its protocol. */
    static HandshakeException protocol(String message) {
        return new HandshakeException(DialException.Reason.PROTOCOL, message, null, null, false);
    }

    DialException.Reason reason() {
        return reason;
    }

    /** What the proxy answered, or null where that cannot be read. */
    @Nullable
    ProxyReply reply() {
        return reply;
    }

    /** What the proxy says of the connection, or null if that cannot take the request of another dial. */
    @Nullable
    KeepAlive kept() {
        return kept;
    }

    /** Whether the connection can take another request of the same dial. */
    boolean isPersistent() {
        return persistent;
    }

    /** Whether it is an HTTP proxy's reply with this status. */
    boolean isHttp(int status) {
        return reply != null && reply.protocol() == ProxyReply.Protocol.HTTP && reply.status() == status;
    }
}
