package io.broxy.examples;

import io.broxy.ProxyHandler;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/** The mini-server's options for plain HTTP. Threading: filled in by one thread, and not changed after that. */
final class PlainHttpOptions {
    private final Setting<Duration> responseTimeout;
    private final Setting<Duration> bodyTimeout;
    private final Setting<Duration> keepAliveTimeout;
    private final Setting<@Nullable String> via;
    private final Setting<Boolean> noVia;

    /** Adds its options. */
    PlainHttpOptions(OptionSet options) {
        responseTimeout = options.one(
                "--answer-timeout",
                "TIME",
                new DurationConverter.Positive(),
                Duration.ofSeconds(60),
                "The time for an origin's response to a forwarded request. Default: 60s");
        bodyTimeout = options.one(
                "--body-timeout",
                "TIME",
                new DurationConverter.Positive(),
                Duration.ofSeconds(60),
                "The longest stall within the body of a forwarded request or response. Default: 60s");
        keepAliveTimeout = options.one(
                "--keep-alive-timeout",
                "TIME",
                new DurationConverter.Positive(),
                Duration.ofSeconds(60),
                "How long a client's connection may be idle between two requests. Default: 60s");
        via = options.one(
                "--via",
                "NAME",
                new TokenConverter(),
                "The name in the Via of forwarded messages, by which the proxy detects loops; each proxy needs its own."
                        + " Default: broxy- and random digits");
        noVia = options.flag(
                "--no-via", "Add no Via; loops of proxies are then not detected. Not together with --via.");
        options.exclusive(via, noVia);
    }

    /** Applies the options that were given. */
    void apply(ProxyHandler.Builder settings) {
        settings.responseTimeout(responseTimeout()).bodyTimeout(bodyTimeout()).keepAliveTimeout(keepAliveTimeout());
        if (noVia() || via() != null) {
            settings.viaPseudonym(via());
        }
    }

    Duration responseTimeout() {
        return responseTimeout.value();
    }

    Duration bodyTimeout() {
        return bodyTimeout.value();
    }

    Duration keepAliveTimeout() {
        return keepAliveTimeout.value();
    }

    /** The name in Via, or null for the library's default. */
    @Nullable
    String via() {
        return via.value();
    }

    /** Whether the proxy adds no Via. */
    boolean noVia() {
        return noVia.value();
    }
}
