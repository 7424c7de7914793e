package io.broxy.core.internal.socket;

import java.io.IOException;
import java.net.SocketException;

/** Failures as {@code java.net} sockets throw them. Threading: stateless. */
final class SocketFailures {
    private SocketFailures() {}

    /** The failure, with its cause. */
    static <E extends IOException> E because(E failure, Throwable cause) {
        failure.initCause(cause);
        return failure;
    }

    /** A failure as the methods that declare a {@link SocketException} throw it. */
    static SocketException asSocketException(IOException e) {
        return e instanceof SocketException own ? own : because(new SocketException(e.getMessage()), e);
    }
}
