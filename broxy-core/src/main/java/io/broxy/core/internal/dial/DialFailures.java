package io.broxy.core.internal.dial;

import io.broxy.AddressPolicy;
import io.broxy.DialException;
import io.broxy.DialException.Attempt;
import io.broxy.DialException.Reason;
import io.broxy.DialRequest;
import java.io.IOException;
import java.net.BindException;
import java.net.ConnectException;
import java.net.InetAddress;
import java.net.SocketTimeoutException;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/** Why addresses are of no use, as reasons and exceptions. */
final class DialFailures {
    /**
     * When a system may give up by itself: Windows does after 21 s, Linux after 127 s. The JDK throws for that what it
     * throws for a refusal, but no refusal takes that long.
     */
    static final long SYSTEM_TIMEOUT_NANOS = TimeUnit.SECONDS.toNanos(20);

    private DialFailures() {}

    /**
     * Why connecting a socket failed; opening and binding one are {@link Reason#LOCAL}.
     *
     * @param nanos how long connecting took
     */
    static Reason ofConnecting(Throwable failure, long nanos) {
        if (failure instanceof ConnectException) {
            return nanos < SYSTEM_TIMEOUT_NANOS ? Reason.REFUSED : Reason.TIMEOUT;
        }
        if (failure instanceof SocketTimeoutException) {
            return Reason.TIMEOUT;
        }
        if (failure instanceof BindException) {
            return Reason.LOCAL; // no local port is free, or the local address fits not
        }
        return Reason.UNREACHABLE;
    }

    /**
     * Whether a failure says that addresses are of no use: those from the cache may be outdated then, and the name is looked up
     * once more. A policy's denial and a fault of this side say nothing of that.
     */
    static boolean isOfTheAddresses(Reason reason) {
        return reason == Reason.REFUSED || reason == Reason.UNREACHABLE || reason == Reason.TIMEOUT;
    }

    /** The addresses that have not been tried, in the given order. */
    static List<InetAddress> untried(List<InetAddress> addresses, List<InetAddress> tried) {
        Set<InetAddress> old = Set.copyOf(tried);
        return addresses.stream().filter(address -> !old.contains(address)).toList();
    }

    /** The attempts of a first round, if there was one, and those after it. */
    static List<Attempt> attempts(@Nullable DialException firstRound, List<Attempt> later) {
        if (firstRound == null) {
            return later;
        }
        List<Attempt> all = new ArrayList<>(firstRound.attempts());
        all.addAll(later);
        return all;
    }

    /**
     * Why a request's policy denies its target where the dial goes through a proxy, or null if it does not: where a name
     * leads only the proxy knows, but a literal address is what it says.
     */
    static @Nullable IOException denialOfLiteral(DialRequest request) {
        InetAddress literal = request.address();
        return literal == null
                ? null
                : denial(request.addressPolicy(), literal, request.target().port());
    }

    /** Why a policy denies an address, or null if it admits it. One that fails, denies. */
    static @Nullable IOException denial(AddressPolicy policy, InetAddress address, int port) {
        try {
            return policy.admits(address, port)
                    ? null
                    : new IOException(Reason.DENIED.text() + ": " + policy.explain(address, port));
        } catch (Throwable e) {
            return new IOException("the address policy failed, which counts as a denial", e);
        }
    }
}
