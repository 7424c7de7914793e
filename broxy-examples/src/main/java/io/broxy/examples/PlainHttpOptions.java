package io.broxy.examples;

import io.broxy.ProxyHandler;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/** What the mini-server's options say about plain HTTP. Threading: filled in by one thread, and not changed after that. */
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
                "The time for an origin to answer a forwarded request. Default: 60s");
        bodyTimeout = options.one(
                "--body-timeout",
                "TIME",
                new DurationConverter.Positive(),
                Duration.ofSeconds(60),
                "How long the body of a forwarded request or response may stand still. Default: 60s");
        keepAliveTimeout = options.one(
                "--keep-alive-timeout",
                "TIME",
                new DurationConverter.Positive(),
                Duration.ofSeconds(60),
                "How long a client's connection may stand between two requests. Default: 60s");
        via = options.one(
                "--via",
                "NAME",
                new TokenConverter(),
                "How the proxy calls itself in the Via of forwarded messages, by which it knows requests that come back;"
                        + " another name for each proxy. Default: broxy- and random digits");
        noVia = options.flag(
                "--no-via", "Add no Via, so that a loop of proxies is not noticed; not together with --via.");
        options.exclusive(via, noVia);
    }

    /** Sets what was asked for. */
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

    /** How the proxy calls itself, or null for the library's default. */
    @Nullable
    String via() {
        return via.value();
    }

    /** Whether the proxy does not tell of itself. */
    boolean noVia() {
        return noVia.value();
    }
}
