package io.broxy;

import java.io.IOException;
import java.net.SocketAddress;
import java.time.Duration;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A connection could not be made. It names the target, the {@link Reason}, the time it took and every address that was
 * tried with its own failure.
 *
 * <p>Threading: as any exception; what it carries is immutable.
 */
public final class DialException extends IOException {
    private static final long serialVersionUID = 1L;

    /** Why a dial failed. */
    public enum Reason {
        /** The name has no address, or its look-up failed. */
        RESOLVE("the name could not be resolved"),
        /** The target answered that nobody listens there. */
        REFUSED("connection refused"),
        /** There is no way to the target. */
        UNREACHABLE("unreachable"),
        /** The dial's time was over. */
        TIMEOUT("timed out"),
        /** The request's {@link AddressPolicy} admitted none of the addresses, or {@link Rules} deny the target. */
        DENIED("denied by policy"),
        /** A proxy on the way refused. */
        PROXY_REFUSED("refused by the proxy"),
        /** A proxy on the way wants other credentials. */
        PROXY_AUTH("the proxy wants authentication"),
        /** A proxy on the way broke its protocol. */
        PROTOCOL("protocol error"),
        /** A pool's cap was reached and no connection came free in time. */
        POOL_EXHAUSTED("the pool is exhausted"),
        /** The caller ended the attempt: an interrupt, a cancelled future, a closed {@code Broxy}. */
        CANCELLED("cancelled"),
        /** This side could not open or bind a socket: descriptors, ports, memory or threads are used up, or a local address is wrong. */
        LOCAL("no local socket");

        private final String text;

        Reason(String text) {
            this.text = text;
        }

        /** A short fixed text. */
        public String text() {
            return text;
        }
    }

    /**
     * One address that was tried.
     *
     * @param address the address
     * @param failure why no connection came of it
     * @param duration from the start of this attempt to its failure; zero where the address was not connected to
     */
    public record Attempt(SocketAddress address, Throwable failure, Duration duration) {}

    private final Reason reason;
    private final transient HostPort target;
    private final transient List<Attempt> attempts;

    /**
     * Creates the failure of a dial.
     *
     * @param reason the kind of failure
     * @param target what was dialled
     * @param duration how long the dial took
     * @param attempts each address tried, in order of their failures; each failure becomes a suppressed exception
     * @param cause the failure behind this one, if there is one
     */
    public DialException(
            Reason reason, HostPort target, Duration duration, List<Attempt> attempts, @Nullable Throwable cause) {
        super(message(reason, target, duration, attempts, cause), cause);
        this.reason = reason;
        this.target = target;
        this.attempts = List.copyOf(attempts);
        for (Attempt attempt : this.attempts) {
            if (attempt.failure() != cause) {
                addSuppressed(attempt.failure());
            }
        }
    }

    private static String message(
            Reason reason, HostPort target, Duration duration, List<Attempt> attempts, @Nullable Throwable cause) {
        StringBuilder text =
                new StringBuilder("dialing ").append(target).append(" failed: ").append(reason.text);
        if (attempts.isEmpty() && cause != null && cause.getMessage() != null) {
            text.append(" (").append(cause.getMessage()).append(')');
        }
        text.append(", after ").append(duration.toMillis()).append(" ms");
        String separator = "; tried ";
        for (Attempt attempt : attempts) {
            text.append(separator).append(attempt.address()).append(": ");
            String why = attempt.failure().getMessage();
            text.append(why != null ? why : attempt.failure().getClass().getSimpleName());
            text.append(" (").append(attempt.duration().toMillis()).append(" ms)");
            separator = ", ";
        }
        return text.toString();
    }

    /** The kind of failure. */
    public Reason reason() {
        return reason;
    }

    /** What was dialled. */
    public HostPort target() {
        return target;
    }

    /** Each address tried, in the order in which they failed; unmodifiable, empty when none was reached. */
    public List<Attempt> attempts() {
        return attempts;
    }
}
