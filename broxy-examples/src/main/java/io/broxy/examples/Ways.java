package io.broxy.examples;

import io.broxy.Dialer;
import io.broxy.ProxyProtocol;
import io.broxy.ProxyUri;
import io.broxy.core.Broxy;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * The ways to targets as the options have them: direct, through one proxy, or by a file of rules.
 *
 * <p>The address policy is the handler's, for what clients ask for. It is not applied to the proxies themselves, which
 * are the operator's choice.
 *
 * <p>Threading: immutable.
 *
 * @param listen where to listen
 * @param rules what keeps the dialer up to date, or null where nothing changes
 */
record Ways(Dialer dialer, ListenPoint listen, @Nullable LiveRules rules) implements AutoCloseable {

    /**
     * Finds the ways.
     *
     * @throws IOException if the file of rules cannot be used
     */
    static Ways open(Broxy broxy, ServerOptions options) throws IOException {
        Path file = options.rules();
        if (file != null) {
            LiveRules rules =
                    LiveRules.start(broxy, toProxies(broxy, options), file, options.listen(), options.dialTimeout());
            return new Ways(rules.dialer(), rules.listen(), rules);
        }
        ProxyUri upstream = options.upstream();
        Dialer dialer = upstream == null
                ? broxy.directDialer().build()
                : UpstreamDialer.of(broxy, toProxies(broxy, options), upstream, PoolSettings.DEFAULT.pool(broxy));
        return new Ways(dialer, Objects.requireNonNullElse(options.listen(), ListenAddress.DEFAULT), null);
    }

    /**
     * Reaches proxies directly and without an address policy, because the operator has chosen them; with PROXY headers
     * if configured.
     */
    private static Dialer toProxies(Broxy broxy, ServerOptions options) {
        Dialer direct = broxy.directDialer().build();
        ProxyProtocol announced = options.sendProxyProtocol();
        return announced == null ? direct : broxy.withProxyHeader(direct, announced);
    }

    /** Stops to follow the file; the dialer works on. */
    @Override
    public void close() {
        if (rules != null) {
            rules.close();
        }
    }
}
