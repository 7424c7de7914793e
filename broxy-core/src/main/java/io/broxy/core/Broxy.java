package io.broxy.core;

import io.broxy.ClientHandler;
import io.broxy.ConnPool;
import io.broxy.Connection;
import io.broxy.Copier;
import io.broxy.Dialer;
import io.broxy.DirectDialer;
import io.broxy.EngineStats;
import io.broxy.HostPort;
import io.broxy.HttpProxyDialer;
import io.broxy.LookUpStats;
import io.broxy.ProxyHandler;
import io.broxy.ProxyProtocol;
import io.broxy.ProxyUri;
import io.broxy.RoutingDialer;
import io.broxy.Socks4Dialer;
import io.broxy.Socks5Dialer;
import io.broxy.SystemProxies;
import io.broxy.core.internal.dial.DirectDialerBuilder;
import io.broxy.core.internal.dial.HttpProxyDialerBuilder;
import io.broxy.core.internal.dial.ProxyHeaderDialer;
import io.broxy.core.internal.dial.RoutingDialerBuilder;
import io.broxy.core.internal.dial.Socks4DialerBuilder;
import io.broxy.core.internal.dial.Socks5DialerBuilder;
import io.broxy.core.internal.net.SocketConnection;
import io.broxy.core.internal.net.StreamConnection;
import io.broxy.core.internal.pool.ConnPoolBuilder;
import io.broxy.core.internal.proxy.ProxyHandlerBuilder;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.SocketAddress;
import java.net.UnixDomainSocketAddress;
import java.net.UnknownHostException;
import java.nio.channels.SocketChannel;
import java.nio.file.attribute.PosixFilePermission;
import java.util.Objects;
import java.util.Set;
import javax.net.SocketFactory;
import javax.net.ssl.SSLContext;
import org.jspecify.annotations.Nullable;

/**
 * An engine: a few event loops, their buffers, the executors beside them, and the factory of everything that runs on
 * them. An application usually has one.
 *
 * <pre>{@code
 * try (Broxy broxy = Broxy.create()) {
 *     ProxyHandler handler = broxy.proxyHandler().build();
 *     try (ProxyServer server = broxy.listen(new InetSocketAddress("127.0.0.1", 3128), handler)) {
 *         server.join();
 *     }
 * }
 * }</pre>
 *
 * <p>These rules hold throughout the API:
 * <ul>
 *   <li><b>Builders.</b> A method that is a bare noun returns a builder: {@link #directDialer}, {@link
 *       #httpProxyDialer}, {@link #socks5Dialer}, {@link #socks4Dialer}, {@link #routingDialer()}, {@link #systemDialer}, {@link #connPool}, {@link #proxyHandler}, {@link
 *       #sockets}.
 *       Finish it with {@code build()}; the builder of {@link #sockets} has several ends, and that of {@link #localProxy} starts it. A method that turns one thing into another returns the result, and its name
 *       says how: {@link #dialerVia(ProxyUri)}, {@link #withProxyHeader}, {@link #asSocketFactory}, {@link #asConnection}. {@link
 *       #copier}, {@link #stats} and {@link #lookUps} return what an engine has exactly one of. Builders are for one thread; what they
 *       build is thread-safe.
 *   <li><b>Closing.</b> {@link #close} ends everything that this engine made, except for connections that users hold. A
 *       {@link ProxyServer} that closes leaves its clients to their handler; a {@link PortForward} and a {@link LocalProxy} reset them. A {@link ProxyHandler} that closes resets
 *       its clients and closes its own pool, but no pool that was passed to it. A {@link ConnPool} that closes ends its
 *       idle connections. Dialers and the copier hold no connections and need no closing. The owner of a {@link
 *       Connection} closes it; passing a connection, channel or socket to Broxy passes on its ownership.
 *   <li><b>Blocking.</b> {@link Dialer#dial}, {@link ConnPool#lease(ConnPool.Key)}, {@link Copier#copy}, reads and
 *       writes of a {@link Connection}, {@code join} and {@link ProxyHandler#drain} block the caller, which must not run
 *       on an event loop. {@link #close} waits too, except on threads of the engine. Everything else returns at once,
 *       among it {@link #listen}, {@link #forward}, {@link ProxyHandler#handle(SocketChannel)}, {@link
 *       ProxyHandler#handleConnect(SocketChannel)}, {@link Copier#relay}, and methods that return a future.
 *   <li><b>Futures.</b> A {@code completion()} future is the caller's own: canceling it has no effect on the tunnel or
 *       connection. Canceling a future of {@code dialAsync} or {@code leaseAsync} ends the attempt.
 *   <li><b>Your own implementations.</b> Users may implement {@link Dialer}, {@link io.broxy.Resolver}, {@link
 *       io.broxy.AddressPolicy}, {@link io.broxy.AccessPolicy}, {@link io.broxy.Authenticator}, {@link
 *       io.broxy.LocalRequestHandler}, {@link io.broxy.ProxyListener}, {@link ClientHandler}, {@link Connection} and the
 *       functional interfaces nested in others. Broxy implements all other interfaces, and may add methods to them.
 *   <li><b>Threads of callbacks.</b> Policies and {@link ClientHandler}s are called on event loops and must not block.
 *       Resolvers, dialers, authenticators, local request handlers, listeners and dependents of futures run on the
 *       executors of {@link EngineTask} and may block.
 * </ul>
 *
 * <p>Threading: thread-safe.
 */
public final class Broxy implements AutoCloseable {
    final Engine engine;

    Broxy(BroxyBuilder builder) {
        engine = new Engine(builder);
    }

    /** Starts an engine with the defaults. */
    public static Broxy create() {
        return builder().build();
    }

    /** Returns a builder of an engine. */
    public static BroxyBuilder builder() {
        return new BroxyBuilder();
    }

    /** Returns a builder of a dialer that connects directly. */
    public DirectDialer.Builder directDialer() {
        ensureOpen();
        return new DirectDialerBuilder(engine.dial);
    }

    /**
     * Returns a builder of a dialer that goes through an HTTP proxy. Unless another dialer is set, a {@link
     * #directDialer()} reaches the proxy.
     *
     * @param proxy where the proxy listens
     */
    public HttpProxyDialer.Builder httpProxyDialer(HostPort proxy) {
        ensureOpen();
        return new HttpProxyDialerBuilder(
                proxy, engine.dial, () -> directDialer().build());
    }

    /**
     * Returns a builder of a dialer that goes through a SOCKS5 proxy. Unless another dialer is set, a {@link
     * #directDialer()} reaches the proxy.
     *
     * @param proxy where the proxy listens
     */
    public Socks5Dialer.Builder socks5Dialer(HostPort proxy) {
        ensureOpen();
        return new Socks5DialerBuilder(proxy, engine.dial, () -> directDialer().build());
    }

    /** As {@link #socks5Dialer}, for a proxy of SOCKS version 4 or 4a. */
    public Socks4Dialer.Builder socks4Dialer(HostPort proxy) {
        ensureOpen();
        return new Socks4DialerBuilder(proxy, engine.dial, () -> directDialer().build());
    }

    /**
     * Returns a dialer through the proxy that a URI names, with its credentials and the defaults of {@link
     * #httpProxyDialer}, {@link #socks5Dialer} or {@link #socks4Dialer}. For {@code https} it speaks TLS with the JVM's default {@link
     * SSLContext}.
     *
     * @throws IllegalStateException if the JVM has no default TLS context
     */
    public Dialer dialerVia(ProxyUri proxy) {
        ensureOpen();
        return new UriDialers(this, null, null, null, null).dialer(proxy);
    }

    /**
     * Returns a dialer through the proxy that a URI names, as {@link #dialerVia(ProxyUri)} does.
     *
     * @param tls speaks to an {@code https} proxy; other proxies are spoken to without TLS
     */
    public Dialer dialerVia(ProxyUri proxy, SSLContext tls) {
        ensureOpen();
        return new UriDialers(this, null, Objects.requireNonNull(tls, "tls"), null, null).dialer(proxy);
    }

    /**
     * Returns a builder of a dialer that follows the proxy settings of the environment, of the JVM's properties or of a
     * {@link java.net.ProxySelector}: {@code broxy.systemDialer(SystemProxies.ofEnvironment(System.getenv())).build()}.
     */
    public SystemDialerBuilder systemDialer(SystemProxies proxies) {
        ensureOpen();
        return new SystemDialerBuilder(this, engine, proxies);
    }

    /**
     * Returns a builder of a dialer that follows the proxy settings of the host: the short form of {@code
     * systemDialer(proxies).routing()}.
     *
     * <p>Settings that could not be parsed ({@link SystemProxies#problems()}) are logged at WARN, once for this engine.
     */
    public RoutingDialer.Builder routingDialer(SystemProxies proxies) {
        return systemDialer(proxies).routing();
    }

    /**
     * Returns a builder of a dialer that follows rules. Unless another dialer is set, it dials directly with a {@link
     * #directDialer()}.
     */
    public RoutingDialer.Builder routingDialer() {
        ensureOpen();
        return new RoutingDialerBuilder(engine.dial, () -> directDialer().build());
    }

    /**
     * Returns a dialer whose connections begin with a header of HAProxy's PROXY protocol, which names the client that
     * the connection is made for; {@link ProxyProtocol} says what is sent to which receiver. A header that cannot be
     * sent fails the dial with {@link io.broxy.DialException.Reason#PROTOCOL}.
     *
     * @param dialer makes the connections
     */
    public Dialer withProxyHeader(Dialer dialer, ProxyProtocol version) {
        ensureOpen();
        return new ProxyHeaderDialer(dialer, version, engine.dial);
    }

    /** Returns a builder of a connection pool. The pool is closed with this engine, if not before. */
    public ConnPool.Builder connPool() {
        ensureOpen();
        return newPool();
    }

    private ConnPoolBuilder newPool() {
        return new ConnPoolBuilder(engine.pool, engine.parts.open()::add, engine.parts.open()::remove);
    }

    /**
     * Returns a builder of a proxy handler. Unless another dialer is set, it dials with a {@link #directDialer()} with
     * the defaults.
     */
    public ProxyHandler.Builder proxyHandler() {
        ensureOpen();
        ConnPoolBuilder pool = newPool();
        return new ProxyHandlerBuilder(
                engine.proxy, () -> directDialer().build(), pool::buildForForwarding, engine.parts.open());
    }

    /** Returns this engine's copier. */
    public Copier copier() {
        ensureOpen();
        return engine.copier;
    }

    /**
     * Accepts clients and passes each one to a handler. Returns as soon as the address is bound.
     *
     * <p>The address may be a {@link UnixDomainSocketAddress}. A socket file that no server listens at any more is
     * replaced, any other file stays and fails the call, and the server removes its file when it closes. Clients over a
     * Unix domain socket have no address, and their connections cannot be reset: they are closed instead.
     *
     * @param address where to listen; port 0 picks a free port, see {@link ProxyServer#localAddress()}
     * @param handler a {@link ProxyHandler} of any engine, or any other implementation; it is called on an event loop
     *     and must not block
     * @return the running server
     * @throws IOException if the address cannot be listened on
     */
    public ProxyServer listen(SocketAddress address, ClientHandler handler) throws IOException {
        return start(address, null, handler);
    }

    /**
     * Accepts clients over a Unix domain socket, as {@link #listen(SocketAddress, ClientHandler)} does, with the
     * permissions that its file is to have. A client needs the permission to write. Until they are set, which is before
     * the first client is accepted, the file has those that the process gives to new files.
     *
     * @throws IOException if the address cannot be listened on, or the permissions cannot be set
     */
    public ProxyServer listen(
            UnixDomainSocketAddress address, Set<PosixFilePermission> permissions, ClientHandler handler)
            throws IOException {
        return start(address, Set.copyOf(permissions), handler);
    }

    private ProxyServer start(
            SocketAddress address, @Nullable Set<PosixFilePermission> permissions, ClientHandler handler)
            throws IOException {
        ensureOpen();
        return engine.parts.add(ProxyServer.start(
                address, permissions, handler, engine.loops.next(), engine.ownAddresses, engine.parts.open()::remove));
    }

    /**
     * Opens a local port that leads to one target through a dialer (what {@code ssh -L} does), for clients that know of
     * no proxy. Returns as soon as the address is bound. Each client is dialed for when it connects; it is reset if its
     * target cannot be reached.
     *
     * <p>The limits and timeouts are the defaults of {@link #proxyHandler()}; the target may have any address but those
     * at which this engine listens. For other settings, for a listener, or to share the limits of a handler: {@code
     * broxy.listen(address, handler.tunnelTo(target))}.
     *
     * @param address where to listen, as for {@link #listen(SocketAddress, ClientHandler)}; every client that reaches
     *     it reaches the target
     * @throws IOException if the address cannot be listened on
     */
    public PortForward forward(SocketAddress address, HostPort target, Dialer dialer) throws IOException {
        return PortForward.start(this, address, target, dialer);
    }

    /**
     * Returns a builder of a proxy on the loopback, for libraries that know proxies and take no sockets: {@code
     * broxy.localProxy(dialer).start()}.
     *
     * @param dialer reaches the targets
     */
    public LocalProxyBuilder localProxy(Dialer dialer) {
        ensureOpen();
        return new LocalProxyBuilder(this, dialer);
    }

    /**
     * Protects a listener that is not one of this engine's {@link ProxyServer}s, such as the application's admin
     * server: while it is declared, no handler of this engine dials its address, whatever the address policy allows.
     * Clients get 403.
     *
     * <p>The address need not belong to this host: declare the public address of a balancer in front, too, if it leads
     * to the listener.
     *
     * @param address resolved, with the port that was bound; the wildcard address means all addresses of this host
     * @return ends the protection; close it after the listener has closed
     * @throws UnknownHostException if the address is unresolved
     * @throws IllegalArgumentException if the port is 0
     */
    public DeclaredListener declareListener(InetSocketAddress address) throws UnknownHostException {
        return engine.ownAddresses.declare(address)::close;
    }

    /**
     * Returns a builder of factories of {@code java.net} sockets that a dialer connects, plain and with TLS, for JDBC
     * drivers, HTTP clients and other libraries: {@code broxy.sockets(dialer).plain()}.
     *
     * @param dialer makes the connections
     */
    public SocketsBuilder sockets(Dialer dialer) {
        return new SocketsBuilder(dialer, engine.parts);
    }

    /**
     * Returns a factory of sockets that a dialer connects, with the defaults: the short form of {@code
     * sockets(dialer).plain()}.
     *
     * @param dialer makes the connections
     */
    public SocketFactory asSocketFactory(Dialer dialer) {
        return sockets(dialer).plain();
    }

    /**
     * Wraps a channel of your own as a connection, for your own {@link Dialer}s and for {@link Copier#relay}.
     *
     * @param channel connected; owned by the connection from now on
     * @throws IllegalStateException if the channel is registered with a selector; the channel stays untouched
     * @throws IOException if the channel is closed or not connected
     */
    public Connection asConnection(SocketChannel channel) throws IOException {
        if (channel.isRegistered()) {
            throw new IllegalStateException("the channel is registered with a selector");
        }
        return SocketConnection.of(channel);
    }

    /**
     * Wraps a socket of your own as a connection, for your own {@link Dialer}s and for {@link Copier#relay}. A socket
     * without a channel, such as an {@code SSLSocket}, is relayed by two threads.
     *
     * @param socket connected; owned by the connection from now on
     * @throws IllegalStateException if the socket's channel is registered with a selector; the socket stays untouched
     * @throws IOException if the socket is closed or not connected
     */
    public Connection asConnection(Socket socket) throws IOException {
        SocketChannel channel = socket.getChannel();
        return channel != null ? asConnection(channel) : new StreamConnection(socket);
    }

    private void ensureOpen() {
        engine.parts.ensureOpen();
    }

    /** Returns a snapshot of this engine: the load of its event loops, its buffers and its name lookups. */
    public EngineStats stats() {
        return engine.stats();
    }

    /** Returns a snapshot of this engine's name lookups. */
    public LookUpStats lookUps() {
        return engine.workers.lookUpStats();
    }

    /**
     * Ends everything: servers stop accepting, tunnels are reset, pools are closed, dials fail with {@link
     * io.broxy.DialException.Reason#CANCELLED}, and every thread and descriptor of this engine is gone when this
     * returns. Connections that users hold stay open. Repeated calls have no effect; a concurrent call waits for the
     * same end.
     *
     * <p>The call waits up to some seconds for running user code (dialers, dependents of futures) and then interrupts
     * it. An interrupt of the caller does not cut this short; the caller's interrupt status is set afterwards.
     *
     * <p>Called on one of this engine's own threads, such as by a listener, a resolver or a dependent of a future, or
     * on an event loop of any engine, it only starts the shutdown and returns, because it would wait for itself: from
     * then on nothing new is made, the rest ends on a separate thread, and a call on another thread waits for that.
     */
    @Override
    public void close() {
        engine.parts.close();
    }
}
