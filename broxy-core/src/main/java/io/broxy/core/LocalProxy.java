package io.broxy.core;

import io.broxy.AddressPolicy;
import io.broxy.Credentials;
import io.broxy.Dialer;
import io.broxy.HostPort;
import io.broxy.ProxyHandler;
import io.broxy.ProxyStats;
import io.broxy.ProxyUri;
import java.io.IOException;
import java.net.Authenticator;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.PasswordAuthentication;
import java.net.Proxy;
import java.net.ProxySelector;
import java.net.SocketAddress;
import java.net.URI;
import java.security.SecureRandom;
import java.time.Duration;
import java.util.Base64;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * An HTTP and SOCKS5 proxy on a random port of the loopback whose clients reach their targets through a dialer: for
 * libraries of this process that know proxies, and take no sockets. {@link Broxy#localProxy} starts it.
 *
 * <p>Clients must send its random credentials, unless {@link LocalProxyBuilder#withoutCredentials} was called: Basic with
 * HTTP, user name and password with SOCKS5. Otherwise the dialer alone decides what may be reached; only the addresses at
 * which the engine listens are refused. Limits and timeouts are the defaults of {@link Broxy#proxyHandler}, except for
 * the {@linkplain LocalProxyBuilder#idleTimeout idle timeout}.
 *
 * <p>Closing the engine closes it.
 *
 * <p>Threading: thread-safe.
 */
public final class LocalProxy implements AutoCloseable {
    private static final String USER = "local";

    private final HostPort address;
    private final InetSocketAddress socketAddress;
    private final @Nullable Credentials credentials;
    private final ProxyHandler handler;
    private final ProxyServer server;

    private LocalProxy(
            HostPort address,
            InetSocketAddress socketAddress,
            @Nullable Credentials credentials,
            ProxyHandler handler,
            ProxyServer server) {
        this.address = address;
        this.socketAddress = socketAddress;
        this.credentials = credentials;
        this.handler = handler;
        this.server = server;
    }

    static LocalProxy start(Broxy broxy, Dialer dialer, boolean withCredentials, Duration idleTimeout)
            throws IOException {
        Credentials credentials = withCredentials ? Credentials.basic(USER, randomPassword()) : null;
        ProxyHandler.Builder settings = broxy.proxyHandler()
                .dialer(dialer)
                .addressPolicy(AddressPolicy.any())
                .socks(true)
                .idleTimeout(idleTimeout);
        if (credentials != null) {
            settings.authenticator(io.broxy.Authenticator.basic("local proxy", credentials));
        }
        ProxyHandler handler = settings.build();
        try {
            InetAddress loopback = InetAddress.getLoopbackAddress();
            ProxyServer server = broxy.listen(new InetSocketAddress(loopback, 0), handler);
            HostPort address =
                    HostPort.of(loopback.getHostAddress(), ((InetSocketAddress) server.localAddress()).getPort());
            InetSocketAddress socketAddress = new InetSocketAddress(address.address(), address.port());
            return new LocalProxy(address, socketAddress, credentials, handler, server);
        } catch (IOException | RuntimeException e) {
            handler.close();
            throw e;
        }
    }

    private static String randomPassword() {
        byte[] bytes = new byte[24];
        new SecureRandom().nextBytes(bytes);
        return Base64.getUrlEncoder().withoutPadding().encodeToString(bytes);
    }

    /** The address that the proxy listens on: one of the loopback, and a random port. */
    public InetSocketAddress address() {
        return socketAddress;
    }

    /** The proxy as an HTTP proxy, with its credentials. */
    public ProxyUri proxyUri() {
        return ProxyUri.of(ProxyUri.Scheme.HTTP, address, credentials);
    }

    /** The proxy as a SOCKS5 proxy, with its credentials. */
    public ProxyUri socksProxyUri() {
        return ProxyUri.of(ProxyUri.Scheme.SOCKS5, address, credentials);
    }

    /**
     * Returns a selector that has everything go through the proxy, targets on the loopback too: as a SOCKS proxy for
     * URIs with the scheme {@code socket}, by which the JDK asks for the proxy of a plain socket, and as an HTTP proxy
     * for all others. It can be the {@linkplain ProxySelector#setDefault default} of the JVM, because Broxy's own
     * connections ask no selector.
     */
    public ProxySelector proxySelector() {
        return new Selector(Proxy.Type.HTTP, socketAddress);
    }

    /**
     * Returns a selector that has everything go through the proxy as a SOCKS proxy, targets on the loopback too. The
     * JDK's {@code HttpClient} does not speak SOCKS and would connect directly.
     */
    public ProxySelector socksProxySelector() {
        return new Selector(Proxy.Type.SOCKS, socketAddress);
    }

    /**
     * Returns an authenticator that answers this proxy's challenges, HTTP and SOCKS, and no others. For SOCKS the JDK
     * asks the {@linkplain Authenticator#setDefault default} authenticator only.
     *
     * <p>By default the JDK's HTTP clients send no Basic credentials for tunnels, which {@code https} URIs need: {@code
     * -Djdk.http.auth.tunneling.disabledSchemes=} allows that for a JVM, and {@link
     * LocalProxyBuilder#withoutCredentials} does without.
     */
    public Authenticator authenticator() {
        return new OwnChallenges(socketAddress, credentials);
    }

    /** A snapshot of the counters. */
    public ProxyStats stats() {
        return handler.stats();
    }

    /** Stops accepting, frees the port, and resets the clients. Repeated calls have no effect. */
    @Override
    public void close() {
        server.close();
        handler.close();
    }

    /** Shows the address, but not the credentials. */
    @Override
    public String toString() {
        return "LocalProxy[" + address + (credentials == null ? "" : ", with credentials") + "]";
    }

    /** Threading: immutable. */
    private static final class Selector extends ProxySelector {
        private final List<Proxy> forUrls;
        private final List<Proxy> forSockets;

        Selector(Proxy.Type forUrls, SocketAddress address) {
            this.forUrls = List.of(new Proxy(forUrls, address));
            this.forSockets = List.of(new Proxy(Proxy.Type.SOCKS, address));
        }

        @Override
        public List<Proxy> select(URI uri) {
            return "socket".equalsIgnoreCase(uri.getScheme()) ? forSockets : forUrls;
        }

        /** There is no other proxy to choose. */
        @Override
        public void connectFailed(URI uri, SocketAddress address, IOException failure) {}
    }

    /** Threading: as {@link Authenticator}, which calls it under its lock. */
    private static final class OwnChallenges extends Authenticator {
        private final InetSocketAddress proxy;
        private final @Nullable Credentials credentials;

        OwnChallenges(InetSocketAddress proxy, @Nullable Credentials credentials) {
            this.proxy = proxy;
            this.credentials = credentials;
        }

        @Override
        protected @Nullable PasswordAuthentication getPasswordAuthentication() {
            return credentials == null || !isOwn()
                    ? null
                    : new PasswordAuthentication(
                            credentials.user(), credentials.password().toCharArray());
        }

        /** Whether the proxy itself asks: by HTTP as a proxy, by SOCKS as the server that the JDK takes it for. */
        private boolean isOwn() {
            boolean asksAsProxy =
                    getRequestorType() == RequestorType.PROXY || "SOCKS5".equalsIgnoreCase(getRequestingProtocol());
            boolean sameHost = proxy.getHostString().equals(getRequestingHost())
                    || proxy.getAddress().equals(getRequestingSite());
            return asksAsProxy && sameHost && getRequestingPort() == proxy.getPort();
        }
    }
}
