package io.broxy.examples;

import io.broxy.ProxyHandler;
import java.time.Duration;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Option;

/** What the mini-server's options say about plain HTTP. Threading: filled in by one thread, and not changed after that. */
final class PlainHttpOptions {

    @Option(
            names = "--answer-timeout",
            paramLabel = "TIME",
            converter = DurationConverter.Positive.class,
            description = "The time for an origin to answer a forwarded request. Default: 60s")
    private Duration answerTimeout = Duration.ofSeconds(60);

    @Option(
            names = "--body-timeout",
            paramLabel = "TIME",
            converter = DurationConverter.Positive.class,
            description = "How long the body of a forwarded request or response may stand still. Default: 60s")
    private Duration bodyTimeout = Duration.ofSeconds(60);

    @Option(
            names = "--keep-alive-timeout",
            paramLabel = "TIME",
            converter = DurationConverter.Positive.class,
            description = "How long a client's connection may stand between two requests. Default: 60s")
    private Duration keepAliveTimeout = Duration.ofSeconds(60);

    @ArgGroup
    private Via via = new Via();

    /** What forwarded messages tell of the proxy: one of these, or a name that is made up. Threading: as the options. */
    private static final class Via {
        @Option(
                names = "--via",
                paramLabel = "NAME",
                converter = TokenConverter.class,
                description = "How the proxy calls itself in the Via of forwarded messages, by which it knows requests"
                        + " that come back; another name for each proxy. Default: broxy- and random digits")
        private @Nullable String name;

        @Option(names = "--no-via", description = "Add no Via, so that a loop of proxies is not noticed.")
        private boolean none;
    }

    /** Sets what was asked for. */
    void apply(ProxyHandler.Builder settings) {
        settings.answerTimeout(answerTimeout).bodyTimeout(bodyTimeout).keepAliveTimeout(keepAliveTimeout);
        if (via.none || via.name != null) {
            settings.via(via.name);
        }
    }

    Duration answerTimeout() {
        return answerTimeout;
    }

    Duration bodyTimeout() {
        return bodyTimeout;
    }

    Duration keepAliveTimeout() {
        return keepAliveTimeout;
    }

    /** How the proxy calls itself, or null for the library's default. */
    @Nullable
    String via() {
        return via.name;
    }

    /** Whether the proxy does not tell of itself. */
    boolean noVia() {
        return via.none;
    }
}
