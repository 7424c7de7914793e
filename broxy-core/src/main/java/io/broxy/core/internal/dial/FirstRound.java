package io.broxy.core.internal.dial;

import io.broxy.DialException.Attempt;
import io.broxy.DialException.Reason;
import java.net.InetAddress;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * What came of the addresses that a dial has found in the cache. If none of them could be connected to, they may be outdated,
 * and the name is looked up once more.
 *
 * <p>Threading: for one thread.
 */
final class FirstRound {
    private final Set<InetAddress> tried = new HashSet<>();
    private final List<Attempt> attempts = new ArrayList<>();
    private final Reason reason;
    private final @Nullable Throwable cause;

    /** Begins with how all of them have failed. */
    FirstRound(List<InetAddress> tried, Reason reason, List<Attempt> attempts, @Nullable Throwable cause) {
        this.tried.addAll(tried);
        this.attempts.addAll(attempts);
        this.reason = reason;
        this.cause = cause;
    }

    /** Whether a failure says that addresses are of no use. A policy's denial and a fault of this side say nothing of that. */
    static boolean isOfTheAddresses(Reason reason) {
        return reason == Reason.REFUSED || reason == Reason.UNREACHABLE || reason == Reason.TIMEOUT;
    }

    /** The addresses that have not been tried, in the given order. */
    List<InetAddress> untried(List<InetAddress> addresses) {
        return addresses.stream().filter(address -> !tried.contains(address)).toList();
    }

    Reason reason() {
        return reason;
    }

    @Nullable
    Throwable cause() {
        return cause;
    }

    /** Its attempts, and those that came behind them. */
    List<Attempt> attemptsAnd(List<Attempt> later) {
        List<Attempt> all = new ArrayList<>(attempts);
        all.addAll(later);
        return all;
    }
}
