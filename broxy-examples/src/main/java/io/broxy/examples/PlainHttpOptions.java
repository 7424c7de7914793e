package io.broxy.examples;

import io.broxy.ConnectRequest;
import io.broxy.FieldEdits;
import io.broxy.ForwardedMode;
import io.broxy.ProxyHandler;
import io.broxy.RequestDecision;
import java.time.Duration;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** The mini-server's options for plain HTTP. Threading: filled in by one thread, and not changed after that. */
final class PlainHttpOptions {
    private final Setting<Duration> responseTimeout;
    private final Setting<Duration> bodyTimeout;
    private final Setting<Duration> keepAliveTimeout;
    private final Setting<@Nullable String> via;
    private final Setting<Boolean> noVia;
    private final Setting<List<ConnectRequest.Field>> added;
    private final Setting<List<String>> removed;
    private final Setting<ForwardedMode> forwarded;

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
        added = options.many(
                "--add-header",
                "NAME: VALUE",
                new FieldConverter(),
                "Add this field to forwarded requests; together with --remove-header it replaces the client's. Repeatable.");
        removed = options.many(
                "--remove-header",
                "NAME",
                new FieldConverter.Name(),
                "Remove the client's fields of this name from forwarded requests. Repeatable.");
        forwarded = options.one(
                "--forwarded",
                "pass|add|replace|remove",
                new ForwardedConverter(),
                ForwardedMode.PASS,
                "What becomes of Forwarded and X-Forwarded-For in forwarded requests: passed as they came, the client added"
                        + " behind them or in their place, or removed. Default: pass");
    }

    /** Applies the options that were given. */
    void apply(ProxyHandler.Builder settings) {
        settings.responseTimeout(responseTimeout()).bodyTimeout(bodyTimeout()).keepAliveTimeout(keepAliveTimeout());
        if (noVia() || via() != null) {
            settings.viaPseudonym(via());
        }
        settings.forwarded(forwarded()).xForwardedFor(forwarded());
        FieldEdits edits = edits();
        if (!edits.isEmpty()) {
            RequestDecision decision = new RequestDecision.Pass(edits, null);
            settings.requestFilter(request -> decision);
        }
    }

    /**
     * The changes to the fields of forwarded requests.
     *
     * @throws UsageException if the fields are too long together
     */
    FieldEdits edits() {
        FieldEdits edits = FieldEdits.none();
        for (String name : removed.value()) {
            edits = edits.remove(name);
        }
        try {
            for (ConnectRequest.Field field : added.value()) {
                edits = edits.add(field.name(), field.value());
            }
        } catch (IllegalArgumentException e) {
            throw new UsageException("--add-header: " + e.getMessage());
        }
        return edits;
    }

    /** What becomes of the fields that name the client. */
    ForwardedMode forwarded() {
        return forwarded.value();
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
