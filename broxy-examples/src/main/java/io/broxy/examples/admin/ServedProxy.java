package io.broxy.examples.admin;

import io.broxy.ProxyHandler;
import io.broxy.core.Broxy;
import io.broxy.core.ProxyMonitor;
import java.util.List;
import java.util.function.BooleanSupplier;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * The proxy that an admin address shows.
 *
 * <p>Threading: immutable; the suppliers are called on any thread.
 *
 * @param broxy the engine
 * @param handler whose figures are shown
 * @param monitor follows the handler
 * @param upstreams the proxies behind it
 * @param serving whether clients are served, and not only the last of them
 * @param version of the program
 * @param hosts names under which browsers reach the admin address, beside {@code localhost} and addresses
 * @param token of operators that may close tunnels; null if none may
 */
public record ServedProxy(
        Broxy broxy,
        ProxyHandler handler,
        ProxyMonitor monitor,
        Supplier<List<UpstreamView>> upstreams,
        BooleanSupplier serving,
        String version,
        List<String> hosts,
        @Nullable AdminToken token) {}
