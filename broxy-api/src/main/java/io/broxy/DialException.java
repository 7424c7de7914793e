package io.broxy;

import java.io.IOException;
import java.io.Serializable;
import java.net.SocketAddress;
import java.time.Duration;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * A connection could not be made. The exception carries the target, the {@link Reason}, and every address that was
 * tried with its own failure; the message also says how long the dial took.
 *
 * <p>Threading: as any exception; its own parts are immutable.
 */
public final class DialException extends IOException {
    private static final long serialVersionUID = 1L;

    /** Why a dial failed. */
    public enum Reason {
        /** The name has no address, or its lookup failed. */
        RESOLVE("the name could not be resolved"),
        /** The target refused the connection: no process listens there. */
        REFUSED("connection refused"),
        /** The target cannot be reached. */
        UNREACHABLE("unreachable"),
        /** The dial's timeout expired. */
        TIMEOUT("timed out"),
        /** The request's {@link AddressPolicy} admitted none of the addresses, or {@link Rules} deny the target. */
        DENIED("denied by policy"),
        /** A proxy refused to connect to the target. */
        PROXY_REFUSED("refused by the proxy"),
        /** A proxy does not accept the credentials, or requires some. */
        PROXY_AUTH("the proxy requires authentication"),
        /** A proxy violated its protocol. */
        PROTOCOL("protocol error"),
        /** A pool's limit was reached and no connection became free in time. */
        POOL_EXHAUSTED("the pool is exhausted"),
        /** The caller ended the attempt: an interrupt, a cancelled future, a closed {@code Broxy}. */
        CANCELLED("cancelled"),
        /**
         * This host could not open or bind a socket: it has run out of descriptors, ports, memory or threads, or a
         * local address is wrong.
         */
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
     * @param failure why the attempt failed
     * @param duration from the start of this attempt to its failure; zero if no connect was tried
     */
    public record Attempt(SocketAddress address, Throwable failure, Duration duration) implements Serializable {

        /** Checks for null. */
        public Attempt {
            Objects.requireNonNull(address, "address");
            Objects.requireNonNull(failure, "failure");
            Objects.requireNonNull(duration, "duration");
        }
    }

    private final Reason reason;
    private final HostPort target;
    private final @Nullable HostPort proxy;
    /** An array, which is serialized with the exception whatever made the list. */
    private final Attempt[] attempts;

    private final @Nullable ProxyReply proxyReply;

    /**
     * Creates the failure of a dial that went through no proxy.
     *
     * @param reason the kind of failure
     * @param target the target that was dialed
     * @param duration how long the dial took
     * @param attempts each address tried, in order of their failures; each failure becomes a suppressed exception
     * @param cause the failure behind this one, if there is one
     */
    public DialException(
            Reason reason, HostPort target, Duration duration, List<Attempt> attempts, @Nullable Throwable cause) {
        this(new Builder(reason, target).duration(duration).attempts(attempts).cause(cause));
    }

    private DialException(Builder builder) {
        super(message(builder), builder.cause);
        this.reason = builder.reason;
        this.target = builder.target;
        this.proxy = builder.proxy;
        this.attempts = builder.attempts.toArray(Attempt[]::new);
        this.proxyReply = builder.proxyReply;
        for (Attempt attempt : this.attempts) {
            if (attempt.failure() != builder.cause) {
                addSuppressed(attempt.failure());
            }
        }
    }

    /** Starts a failure, for dialers that go through a proxy and for user-written ones. */
    public static Builder builder(Reason reason, HostPort target) {
        return new Builder(reason, target);
    }

    private static String message(Builder failure) {
        StringBuilder text = new StringBuilder("dialing ").append(failure.target);
        if (failure.proxy != null) {
            text.append(" via ").append(failure.proxy);
        }
        text.append(" failed: ").append(failure.reason.text);
        String cause = failure.cause == null ? null : failure.cause.getMessage();
        if (failure.proxyReply != null) {
            text.append(" (").append(failure.proxyReply);
            text.append(cause == null ? "" : ": " + cause).append(')');
        } else if (failure.attempts.isEmpty() && cause != null) {
            text.append(" (").append(cause).append(')');
        }
        text.append(", after ").append(failure.duration.toMillis()).append(" ms");
        String separator = "; tried ";
        for (Attempt attempt : failure.attempts) {
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

    /** The target that was dialed. */
    public HostPort target() {
        return target;
    }

    /** The proxy that the dial went through, or null if there was none. */
    public @Nullable HostPort proxy() {
        return proxy;
    }

    /**
     * The proxy's response, or null if there was none. If there is one, the proxy itself can be reached, and it is the
     * proxy that refuses this target or cannot reach it.
     */
    public @Nullable ProxyReply proxyReply() {
        return proxyReply;
    }

    /** Each address tried, in the order in which they failed; unmodifiable, empty if none was tried. */
    public List<Attempt> attempts() {
        return List.of(attempts);
    }

    /** Collects a failure. Threading: for one thread. */
    public static final class Builder {
        private final Reason reason;
        private final HostPort target;
        private Duration duration = Duration.ZERO;
        private List<Attempt> attempts = List.of();
        private @Nullable HostPort proxy;
        private @Nullable ProxyReply proxyReply;
        private @Nullable Throwable cause;

        private Builder(Reason reason, HostPort target) {
            this.reason = Objects.requireNonNull(reason, "reason");
            this.target = Objects.requireNonNull(target, "target");
        }

        /** How long the dial took; default zero. */
        public Builder duration(Duration duration) {
            this.duration = Objects.requireNonNull(duration, "duration");
            return this;
        }

        /** Each address tried, in order of their failures; each failure becomes a suppressed exception. */
        public Builder attempts(List<Attempt> attempts) {
            this.attempts = List.copyOf(attempts);
            return this;
        }

        /** The proxy that the dial went through. */
        public Builder proxy(HostPort proxy) {
            this.proxy = Objects.requireNonNull(proxy, "proxy");
            return this;
        }

        /** The proxy's response. */
        public Builder proxyReply(@Nullable ProxyReply proxyReply) {
            this.proxyReply = proxyReply;
            return this;
        }

        /** The failure behind this one. */
        public Builder cause(@Nullable Throwable cause) {
            this.cause = cause;
            return this;
        }

        /** The failure. */
        public DialException build() {
            return new DialException(this);
        }
    }
}
