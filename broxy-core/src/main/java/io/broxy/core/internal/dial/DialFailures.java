package io.broxy.core.internal.dial;

import io.broxy.DialException.Reason;
import java.net.BindException;
import java.net.ConnectException;
import java.net.SocketTimeoutException;

/** From the JDK's exceptions to reasons. */
final class DialFailures {
    private DialFailures() {}

    /** Why connecting a socket failed; opening and binding one are {@link Reason#LOCAL}. */
    static Reason ofConnecting(Throwable failure) {
        if (failure instanceof ConnectException) {
            return Reason.REFUSED;
        }
        if (failure instanceof SocketTimeoutException) {
            return Reason.TIMEOUT;
        }
        if (failure instanceof BindException) {
            return Reason.LOCAL; // no local port is free, or the local address fits not
        }
        return Reason.UNREACHABLE;
    }
}
