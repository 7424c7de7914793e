package io.broxy.core.internal.dial;

import io.broxy.DialException;
import io.broxy.ProxyReply;
import org.jspecify.annotations.Nullable;

/** A proxy refused, or broke its protocol. It has no stack trace: its place is of no interest. Threading: immutable. */
final class HandshakeException extends Exception {
    private static final long serialVersionUID = 1L;

    private final DialException.Reason reason;
    private final transient @Nullable ProxyReply reply;
    private final boolean reusable;

    private HandshakeException(
            DialException.Reason reason, String message, @Nullable ProxyReply reply, boolean reusable) {
        super(message, null, false, false);
        this.reason = reason;
        this.reply = reply;
        this.reusable = reusable;
    }

    /** The proxy has answered that it will not. */
    static HandshakeException refused(DialException.Reason reason, ProxyReply reply, boolean reusable) {
        return new HandshakeException(reason, reply.toString(), reply, reusable);
    }

    /** What the proxy said is not its protocol. */
    static HandshakeException protocol(String message) {
        return new HandshakeException(DialException.Reason.PROTOCOL, message, null, false);
    }

    DialException.Reason reason() {
        return reason;
    }

    /** What the proxy answered, or null where that cannot be read. */
    @Nullable
    ProxyReply reply() {
        return reply;
    }

    /** Whether the connection can take another request. */
    boolean isReusable() {
        return reusable;
    }
}
