package io.broxy.examples;

import io.broxy.Dialer;
import io.broxy.DirectDialer;
import io.broxy.ProxyProtocol;
import io.broxy.core.Broxy;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
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
     * @throws IOException if the file of rules cannot be used, or dials cannot come from the source address
     */
    static Ways open(Broxy broxy, ServerOptions options) throws IOException {
        Path file = options.rules();
        Dialer direct = direct(broxy, options.sourceAddress());
        Dialer toProxies = toProxies(broxy, direct, options.sendProxyProtocol());
        if (file != null) {
            LiveRules rules = LiveRules.start(broxy, direct, toProxies, file, options.listen(), options.dialTimeout());
            return new Ways(rules.dialer(), rules.listen(), rules);
        }
        Upstream upstream = options.upstream();
        Dialer dialer = upstream == null
                ? direct
                : UpstreamDialer.of(broxy, toProxies, upstream, PoolSettings.DEFAULT.pool(broxy));
        return new Ways(dialer, Objects.requireNonNullElse(options.listen(), ListenAddress.DEFAULT), null);
    }

    private static Dialer direct(Broxy broxy, @Nullable InetAddress source) throws IOException {
        DirectDialer.Builder builder = broxy.directDialer();
        return source == null
                ? builder.build()
                : builder.localAddress(checked(source)).build();
    }

    /** A wrong address is to be found at the start, and not by the first client. */
    private static InetAddress checked(InetAddress source) throws IOException {
        try (ServerSocket probe = new ServerSocket()) {
            probe.bind(new InetSocketAddress(source, 0));
            return source;
        } catch (IOException e) {
            throw new IOException("cannot dial from " + source.getHostAddress() + ": " + e.getMessage(), e);
        }
    }

    /** Reaches proxies directly and without an address policy, because the operator has chosen them. */
    private static Dialer toProxies(Broxy broxy, Dialer direct, @Nullable ProxyProtocol announced) {
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
