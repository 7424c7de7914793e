package io.broxy.core;

import io.broxy.ClientHandler;
import io.broxy.ConnPool;
import io.broxy.Connection;
import io.broxy.Copier;
import io.broxy.Credentials;
import io.broxy.DialRequest;
import io.broxy.Dialer;
import io.broxy.DirectDialer;
import io.broxy.HostPort;
import io.broxy.HttpProxyDialer;
import io.broxy.LookUpStats;
import io.broxy.ProxyHandler;
import io.broxy.ProxyProtocol;
import io.broxy.ProxyUri;
import io.broxy.RoutingDialer;
import io.broxy.Socks5Dialer;
import io.broxy.SystemProxies;
import io.broxy.core.internal.dial.CallerDials;
import io.broxy.core.internal.dial.DialEngine;
import io.broxy.core.internal.dial.DirectDialerBuilder;
import io.broxy.core.internal.dial.HttpProxyDialerBuilder;
import io.broxy.core.internal.dial.ProxyHeaderDialer;
import io.broxy.core.internal.dial.RoutingDialerBuilder;
import io.broxy.core.internal.dial.SettingProblems;
import io.broxy.core.internal.dial.Socks5DialerBuilder;
import io.broxy.core.internal.loop.BufferPool;
import io.broxy.core.internal.loop.Deadline;
import io.broxy.core.internal.loop.EventLoop;
import io.broxy.core.internal.loop.EventLoops;
import io.broxy.core.internal.loop.Workers;
import io.broxy.core.internal.net.OwnAddresses;
import io.broxy.core.internal.net.SocketConnection;
import io.broxy.core.internal.net.StreamConnection;
import io.broxy.core.internal.pool.ConnPoolBuilder;
import io.broxy.core.internal.pool.EnginePool;
import io.broxy.core.internal.pool.PoolEngine;
import io.broxy.core.internal.proxy.ProxyEngine;
import io.broxy.core.internal.proxy.ProxyHandlerBuilder;
import io.broxy.core.internal.relay.EngineCopier;
import io.broxy.core.internal.socket.DialingSocketFactory;
import io.broxy.core.internal.time.Ticker;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.SocketAddress;
import java.net.UnknownHostException;
import java.nio.channels.SocketChannel;
import java.security.NoSuchAlgorithmException;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import javax.net.SocketFactory;
import javax.net.ssl.SSLContext;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

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
 *       #httpProxyDialer}, {@link #socks5Dialer}, {@link #routingDialer()}, {@link #connPool}, {@link #proxyHandler}.
 *       Finish it with {@code build()}. A method that turns one thing into another returns the result, and its name
 *       says how: {@link #dialerVia}, {@link #withProxyHeader}, {@link #asSocketFactory}, {@link #asConnection}. {@link
 *       #copier} and {@link #lookUps} return what an engine has exactly one of. Builders are for one thread; what they
 *       build is thread-safe.
 *   <li><b>Closing.</b> {@link #close} ends everything that this engine made, except for connections that users hold. A
 *       {@link ProxyServer} that closes leaves its clients to their handler. A {@link ProxyHandler} that closes resets
 *       its clients and closes its own pool, but no pool that was passed to it. A {@link ConnPool} that closes ends its
 *       idle connections. Dialers and the copier hold no connections and need no closing. The owner of a {@link
 *       Connection} closes it; passing a connection, channel or socket to Broxy passes on its ownership.
 *   <li><b>Blocking.</b> {@link Dialer#dial}, {@link ConnPool#lease(ConnPool.Key)}, {@link Copier#copy}, reads and
 *       writes of a {@link Connection}, {@code join} and {@link ProxyHandler#drain} block the caller, which must not run
 *       on an event loop. {@link #close} waits too, except on threads of the engine. Everything else returns at once,
 *       among it {@link #listen}, {@link ProxyHandler#handle(SocketChannel)}, {@link
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
    private static final Logger log = LoggerFactory.getLogger(Broxy.class);

    /** Stopping a loop takes no longer than its current step, which never blocks; user code may take longer. */
    private static final long STOP_NANOS = TimeUnit.SECONDS.toNanos(10);

    /** The thread that closes an engine whose {@link #close} was called on one of its own threads. */
    private static final String END_THREAD = "broxy-close";

    /** The idle connections of a handler's own pool, to one origin or in all. */
    private static final int FORWARDING_MAX_IDLE = 1_000;

    private final BufferPool buffers;
    private final Workers workers;
    private final EventLoops loops;
    private final DialEngine dialEngine;
    private final PoolEngine poolEngine;
    private final ProxyEngine proxyEngine;
    private final EngineCopier copier;
    private final OwnAddresses ownAddresses = new OwnAddresses();
    private final SettingProblems settingProblems = new SettingProblems();
    private final Set<AutoCloseable> open = ConcurrentHashMap.newKeySet();
    private final AtomicBoolean closed = new AtomicBoolean();
    private final CountDownLatch ended = new CountDownLatch(1);
    /** The thread that closes this engine; null before. Code that it runs may call {@link #close} again. */
    private volatile @Nullable Thread ending;

    private Broxy(Builder builder) {
        buffers = new BufferPool(bufferBudget(), bufferBudget());
        workers = new Workers(builder.workers);
        try {
            loops = EventLoops.start(builder.eventLoops, buffers, Ticker.SYSTEM);
        } catch (IOException e) {
            throw new UncheckedIOException("cannot start the event loops", e);
        }
        dialEngine = new DialEngine(loops, workers, buffers, Ticker.SYSTEM, new CallerDials());
        poolEngine = new PoolEngine(loops, workers, Ticker.SYSTEM);
        proxyEngine = new ProxyEngine(loops, workers, Ticker.SYSTEM, ownAddresses);
        copier = new EngineCopier(loops, workers, buffers, Ticker.SYSTEM);
    }

    /** 64 MiB, or in a small JVM an eighth of its heap, because direct memory is by default as large as the heap. */
    private static long bufferBudget() {
        return Math.min(64L << 20, Runtime.getRuntime().maxMemory() / 8);
    }

    /** Starts an engine with the defaults. */
    public static Broxy create() {
        return builder().build();
    }

    /** Returns a builder of an engine. */
    public static Builder builder() {
        return new Builder();
    }

    /** Returns a builder of a dialer that connects directly. */
    public DirectDialer.Builder directDialer() {
        ensureOpen();
        return new DirectDialerBuilder(dialEngine);
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
                proxy, dialEngine, () -> directDialer().build());
    }

    /**
     * Returns a builder of a dialer that goes through a SOCKS5 proxy. Unless another dialer is set, a {@link
     * #directDialer()} reaches the proxy.
     *
     * @param proxy where the proxy listens
     */
    public Socks5Dialer.Builder socks5Dialer(HostPort proxy) {
        ensureOpen();
        return new Socks5DialerBuilder(proxy, dialEngine, () -> directDialer().build());
    }

    /**
     * Returns a dialer through the proxy that a URI names, with its credentials and the defaults of {@link
     * #httpProxyDialer} or {@link #socks5Dialer}. For {@code https} it speaks TLS with the JVM's default {@link
     * SSLContext}.
     *
     * @throws IllegalStateException if the JVM has no default TLS context
     */
    public Dialer dialerVia(ProxyUri proxy) {
        Credentials credentials = proxy.credentials();
        if (proxy.scheme() == ProxyUri.Scheme.SOCKS5) {
            Socks5Dialer.Builder socks5 = socks5Dialer(proxy.address());
            return (credentials == null ? socks5 : socks5.credentials(credentials)).build();
        }
        HttpProxyDialer.Builder http = httpProxyDialer(proxy.address());
        if (proxy.scheme() == ProxyUri.Scheme.HTTPS) {
            http.tls(defaultTls());
        }
        return (credentials == null ? http : http.credentials(credentials)).build();
    }

    private static SSLContext defaultTls() {
        try {
            return SSLContext.getDefault();
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("this JVM has no default TLS context", e);
        }
    }

    /**
     * Returns a builder of a dialer that follows the proxy settings of the environment or of the JVM's properties:
     * {@code broxy.routingDialer(SystemProxies.ofEnvironment(System.getenv())).build()}.
     *
     * <p>Settings that could not be parsed ({@link SystemProxies#problems()}) are logged at WARN, once for this engine.
     */
    public RoutingDialer.Builder routingDialer(SystemProxies proxies) {
        RoutingDialer.Builder builder = routingDialer().rules(proxies.rules());
        settingProblems.log(proxies.problems());
        proxies.hops().forEach((name, uri) -> builder.hop(name, dialerVia(uri)));
        return builder;
    }

    /**
     * Returns a builder of a dialer that follows rules. Unless another dialer is set, it dials directly with a {@link
     * #directDialer()}.
     */
    public RoutingDialer.Builder routingDialer() {
        ensureOpen();
        return new RoutingDialerBuilder(dialEngine, () -> directDialer().build());
    }

    /**
     * Returns a dialer whose connections begin with a header of HAProxy's PROXY protocol, which names the client that
     * the connection is made for. The header is the first thing sent: before TLS, CONNECT, SOCKS5 and the bytes of the
     * connection's user.
     *
     * <p>The header names {@link DialRequest#client()}, which a {@link ProxyHandler} sets: the client's address and the
     * address that the client connected to, both as a balancer in front has given them if there is one (see {@link
     * ProxyHandler.Builder#proxyProtocol}). If there is no client, or one of the addresses is unresolved or not a TCP
     * address, the header says that the connection is Broxy's own: {@code LOCAL} in version 2 (proxy-protocol.txt,
     * section 2.2), {@code UNKNOWN} in version 1 (section 2.1). Both addresses must be of one family (the same
     * sections), so if one is IPv4 and the other IPv6, the IPv4 address is written in its mapped form, {@code
     * ::ffff:192.0.2.1}.
     *
     * <p>The receiver is the far end of the given dialer. Around a dialer that goes through a proxy, the receiver is
     * the target, which gets the header through the tunnel; plain HTTP requests then go through such tunnels, too. To
     * send the header to the proxy, wrap the dialer that reaches the proxy:
     *
     * <pre>{@code
     * Dialer announcing = broxy.withProxyHeader(broxy.directDialer().build(), ProxyProtocol.V2);
     * HttpProxyDialer dialer = broxy.httpProxyDialer(proxy).over(announcing).build();
     * }</pre>
     *
     * <p>A connection that was announced for one client serves no other client. {@linkplain ConnPool#warm Spare
     * connections} of a pool are announced for no client, and serve only dials without a client.
     *
     * <p>Every receiver must trust the sender and expect the header; a receiver that does not expect it sees a
     * malformed request. A header that cannot be sent fails the dial with {@link
     * io.broxy.DialException.Reason#PROTOCOL}.
     *
     * @param dialer makes the connections
     */
    public Dialer withProxyHeader(Dialer dialer, ProxyProtocol version) {
        ensureOpen();
        return new ProxyHeaderDialer(dialer, version, dialEngine);
    }

    /** Returns a builder of a connection pool. The pool is closed with this engine, if not before. */
    public ConnPool.Builder connPool() {
        ensureOpen();
        return ownPool();
    }

    private ConnPoolBuilder ownPool() {
        return new ConnPoolBuilder(poolEngine, open::add, open::remove);
    }

    /**
     * Returns a builder of a proxy handler. Unless another dialer is set, it dials with a {@link #directDialer()} with
     * the defaults.
     */
    public ProxyHandler.Builder proxyHandler() {
        ensureOpen();
        return new ProxyHandlerBuilder(proxyEngine, () -> directDialer().build(), this::forwardingPool, open);
    }

    /**
     * Requests that are forwarded to an origin at the same time leave that many connections behind. With the few that a
     * pool keeps by default, most requests of a busy proxy would close one connection and open another.
     */
    private EnginePool forwardingPool() {
        ConnPoolBuilder pool = ownPool();
        pool.maxIdlePerKey(FORWARDING_MAX_IDLE).maxIdle(FORWARDING_MAX_IDLE);
        return pool.build();
    }

    /** Returns this engine's copier. */
    public Copier copier() {
        ensureOpen();
        return copier;
    }

    /**
     * Accepts clients and passes each one to a handler. Returns as soon as the address is bound.
     *
     * @param address where to listen; port 0 picks a free port, see {@link ProxyServer#localAddress()}
     * @param handler a {@link ProxyHandler} of any engine, or any other implementation; it is called on an event loop
     *     and must not block
     * @return the running server
     * @throws IOException if the address cannot be listened on
     */
    public ProxyServer listen(SocketAddress address, ClientHandler handler) throws IOException {
        ensureOpen();
        ProxyServer server = ProxyServer.start(address, handler, loops.next(), ownAddresses, open::remove);
        open.add(server);
        if (closed.get()) {
            server.close();
            ensureOpen();
        }
        return server;
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
        if (address.isUnresolved()) {
            throw new UnknownHostException(address.getHostString() + " is not resolved");
        }
        if (address.getPort() == 0) {
            throw new IllegalArgumentException("a listener needs the port that it is bound to, not 0");
        }
        return ownAddresses.add(address)::close;
    }

    /** A listener that {@link #declareListener} protects. Threading: thread-safe. */
    public interface DeclaredListener extends AutoCloseable {
        /** Ends the protection. Repeated calls have no effect. */
        @Override
        void close();
    }

    /**
     * Returns a factory of sockets that a dialer connects: for JDBC drivers, HTTP clients and other code that takes a
     * {@link SocketFactory}. An unresolved name goes to the dialer as a name, an address as an address, an IPv6 address
     * with its scope.
     *
     * <p>Such a socket has no channel. All options of the JDK's own sockets may be set before and after the connect,
     * and closing the socket ends a connect in progress. An interrupt has no effect on a platform thread, not even in a
     * connect, and closes the socket on a virtual thread, as with the JDK's own sockets.
     *
     * <p>A socket that was connected by name reports the address that it reached. Behind a proxy, and with a
     * user-written dialer that makes its own connections, that address is unknown: {@link
     * java.net.Socket#getInetAddress} is null and {@link java.net.Socket#getRemoteSocketAddress} unresolved. A connect
     * fails with the exception that sockets use if there is one ({@link java.net.ConnectException}, {@link
     * java.net.SocketTimeoutException}, {@link java.net.UnknownHostException}, {@link java.net.NoRouteToHostException},
     * with the {@link io.broxy.DialException} as its cause), and otherwise with the {@link io.broxy.DialException}
     * itself.
     *
     * @param dialer makes the connections
     */
    public SocketFactory asSocketFactory(Dialer dialer) {
        return new DialingSocketFactory(Objects.requireNonNull(dialer, "dialer"));
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
        if (closed.get()) {
            throw new IllegalStateException("this Broxy is closed");
        }
    }

    /** Returns a snapshot of this engine's name lookups. */
    public LookUpStats lookUps() {
        return workers.lookUpStats();
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
        boolean mustNotWait = workers.isOwnThread() || EventLoop.current() != null;
        boolean first = closed.compareAndSet(false, true);
        if (first && mustNotWait) {
            Thread behind = new Thread(null, this::end, END_THREAD, 0, false);
            behind.setDaemon(true);
            ending = behind;
            behind.start();
        } else if (first) {
            ending = Thread.currentThread();
            end();
        } else if (!mustNotWait && ending != Thread.currentThread()) {
            awaitEnd();
        }
    }

    /** Waits as long as a shutdown can take. */
    private void awaitEnd() {
        Deadline deadline = new Deadline(2 * STOP_NANOS);
        deadline.await(nanos -> ended.await(nanos, TimeUnit.NANOSECONDS));
        Thread last = ending;
        if (last != null && last.getName().equals(END_THREAD)) {
            deadline.await(nanos -> {
                TimeUnit.NANOSECONDS.timedJoin(last, nanos);
                return !last.isAlive();
            });
        }
    }

    private void end() {
        try {
            open.forEach(Broxy::closePart);
            copier.close();
            dialEngine.callers().close();
            boolean loopsEnded = loops.stop(STOP_NANOS);
            boolean workersEnded = workers.stop(STOP_NANOS);
            if (!loopsEnded || !workersEnded) {
                log.warn("user code is still running on threads of a closed Broxy");
            }
        } finally {
            ended.countDown();
        }
    }

    private static void closePart(AutoCloseable part) {
        try {
            part.close();
        } catch (Exception e) {
            log.error("closing a part of the engine failed; the rest is closed anyway", e);
        }
    }

    /** Collects the settings of an engine. Threading: for one thread. */
    public static final class Builder {
        private int eventLoops = Runtime.getRuntime().availableProcessors();
        private final Workers.Settings workers = new Workers.Settings();

        private Builder() {}

        /**
         * The number of event loops; default one for each processor.
         *
         * @throws IllegalArgumentException if it is less than 1
         */
        public Builder eventLoops(int count) {
            if (count < 1) {
                throw new IllegalArgumentException("there must be at least 1 event loop, not " + count);
            }
            eventLoops = count;
            return this;
        }

        /**
         * The number of platform threads for one kind of task, or for lookups the number that run at once; {@link
         * EngineTask} has the defaults. It replaces an executor that was set for this kind. Except for lookups and
         * streams, further tasks wait, but never for tasks that wait for them: if tasks are queued and none has started
         * for a moment, threads are added, up to 1,024 or 16 times the number, and new tasks fail if even those make no
         * progress. Threads start when needed and end when idle.
         *
         * @throws IllegalArgumentException if it is less than 1
         */
        public Builder threads(EngineTask task, int count) {
            if (count < 1) {
                throw new IllegalArgumentException("there must be at least 1 thread, not " + count);
            }
            workers.threads(task.kind(), count);
            return this;
        }

        /**
         * Runs one kind of task on an executor of the embedder's, which outlives the engine: {@link Broxy#close} waits
         * for the engine's tasks there, and interrupts them, but does not shut the executor down. The limit on
         * concurrent lookups still applies before the executor, as {@link #threads} sets it. For other kinds, the
         * executor replaces a number of threads that was set.
         *
         * <p>The executor must run each task on a thread other than the caller's, or reject it; an exception that it
         * throws counts as a rejection. A rejected task fails (a lookup with {@link
         * io.broxy.DialException.Reason#RESOLVE}, a user-written dialer with {@code LOCAL}, an authenticator's client
         * with 503, and so on), an event for a listener is dropped and counted, and the engine itself completes a
         * future. Nothing is left hanging. With few threads and a queue, an executor can still delay tasks that others
         * wait for, such as a dialer that dials with another dialer.
         *
         * @param executor thread-safe; engines and kinds of tasks may share it if it has enough threads
         */
        public Builder executor(EngineTask task, Executor executor) {
            workers.executor(task.kind(), Objects.requireNonNull(executor, "executor"));
            return this;
        }

        /** Starts the engine. */
        public Broxy build() {
            return new Broxy(this);
        }
    }
}
