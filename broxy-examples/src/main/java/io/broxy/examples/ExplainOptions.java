package io.broxy.examples;

import io.broxy.AccessRequest;
import io.broxy.HostPort;
import java.net.InetAddress;
import org.jspecify.annotations.Nullable;

/**
 * The mini-server's options for a question about its configuration. Threading: filled in by one thread, and not changed
 * after that.
 */
final class ExplainOptions {
    private static final String TUNNEL = "CONNECT";

    private final Setting<@Nullable HostPort> target;
    private final Setting<@Nullable String> identity;
    private final Setting<@Nullable InetAddress> client;

    /** Adds its options. */
    ExplainOptions(OptionSet options) {
        target = options.one(
                "--explain",
                "HOST:PORT",
                HostPort::parse,
                "Print which rules, policies and proxies a CONNECT to this target meets, dial nothing, and exit: with 0 if it"
                        + " would be admitted, with 3 if it would be refused.");
        identity = options.one("--explain-user", "USER", text -> text, "The user of --explain. Default: not logged in");
        client = options.one(
                "--explain-client",
                "ADDRESS",
                ExplainOptions::address,
                "The client's address for --explain. Default: unknown");
    }

    private static InetAddress address(String text) {
        InetAddress address = HostPort.of(text, 1).address();
        if (address == null) {
            throw new IllegalArgumentException(Found.value(text) + " is not an IP address");
        }
        return address;
    }

    /**
     * Checks the options together.
     *
     * @throws UsageException if one has no effect
     */
    void refuseContradictions() {
        if (target.value() == null && (identity.value() != null || client.value() != null)) {
            throw new UsageException("--explain-user and --explain-client need --explain");
        }
    }

    /** What is asked, or null if the proxy is to run. */
    @Nullable
    AccessRequest request() {
        HostPort asked = target.value();
        return asked == null ? null : new AccessRequest(client.value(), TUNNEL, asked, identity.value());
    }
}
