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
 * An engine: a few event loops, their buffers, the executors beside them, and the makers of everything that runs on them.
 * An application usually has one.
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
 * <p>Threading: thread-safe.
 */
public final class Broxy implements AutoCloseable {
    private static final Logger log = LoggerFactory.getLogger(Broxy.class);

    /** Ending a loop takes no longer than what it is at, which never blocks; a user's code may take longer. */
    private static final long STOP_NANOS = TimeUnit.SECONDS.toNanos(10);

    /** Ends an engine that one of its own threads has closed. */
    private static final String END_THREAD = "broxy-close";

    /** Of a handler's own pool, for one origin as for all. */
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
    /** Ends this engine; null before. What it runs to that end may call {@link #close} again. */
    private volatile @Nullable Thread ending;

    private Broxy(Builder builder) {
        buffers = new BufferPool(builder.callerBufferBytes, builder.remainderBytes);
        workers = new Workers(builder.workers);
        try {
            loops = EventLoops.start(builder.eventLoops, buffers, Ticker.SYSTEM);
        } catch (IOException e) {
            throw new UncheckedIOException("the event loops could not be started", e);
        }
        dialEngine = new DialEngine(loops, workers, buffers, Ticker.SYSTEM, new CallerDials());
        poolEngine = new PoolEngine(loops, workers, Ticker.SYSTEM);
        proxyEngine = new ProxyEngine(loops, workers, Ticker.SYSTEM, ownAddresses);
        copier = new EngineCopier(loops, workers, buffers, Ticker.SYSTEM);
    }

    /** An engine with the defaults. */
    public static Broxy create() {
        return builder().build();
    }

    /** Collects the settings of an engine. */
    public static Builder builder() {
        return new Builder();
    }

    /** Starts a dialer that connects directly. */
    public DirectDialer.Builder directDialer() {
        ensureOpen();
        return new DirectDialerBuilder(dialEngine);
    }

    /**
     * Starts a dialer that goes through an HTTP proxy. Unless another is set, a {@link #directDialer()} reaches the proxy.
     *
     * @param proxy where the proxy listens
     */
    public HttpProxyDialer.Builder httpProxyDialer(HostPort proxy) {
        ensureOpen();
        return new HttpProxyDialerBuilder(
                proxy, dialEngine, () -> directDialer().build());
    }

    /**
     * Starts a dialer that goes through a SOCKS5 proxy. Unless another is set, a {@link #directDialer()} reaches the proxy.
     *
     * @param proxy where the proxy listens
     */
    public Socks5Dialer.Builder socks5Dialer(HostPort proxy) {
        ensureOpen();
        return new Socks5DialerBuilder(proxy, dialEngine, () -> directDialer().build());
    }

    /**
     * A dialer through the proxy that a URI names, with its credentials and the defaults: one of {@link #httpProxyDialer}, in
     * TLS by the JVM's default {@link SSLContext} for {@code https}, or one of {@link #socks5Dialer}.
     *
     * @throws IllegalStateException if the JVM has no default for TLS
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
            throw new IllegalStateException("this JVM has no default for TLS", e);
        }
    }

    /**
     * Starts a dialer that goes by the proxies of the environment or of the JVM's properties: {@code
     * broxy.routingDialer(SystemProxies.ofEnvironment(System.getenv())).build()}.
     *
     * <p>What was not understood in them ({@link SystemProxies#problems()}) is logged at WARN, once for this engine.
     */
    public RoutingDialer.Builder routingDialer(SystemProxies proxies) {
        RoutingDialer.Builder builder = routingDialer().rules(proxies.rules());
        settingProblems.log(proxies.problems());
        proxies.hops().forEach((name, uri) -> builder.hop(name, dialerVia(uri)));
        return builder;
    }

    /** Starts a dialer that goes by rules. Unless another is set, it dials directly with a {@link #directDialer()}. */
    public RoutingDialer.Builder routingDialer() {
        ensureOpen();
        return new RoutingDialerBuilder(dialEngine, () -> directDialer().build());
    }

    /**
     * A dialer that tells the far end of each connection, by HAProxy's PROXY protocol, for whom it was made: the header is
     * what is sent first, before TLS, CONNECT, SOCKS5 and whatever the connection's user sends.
     *
     * <p>The header names {@link DialRequest#client()}, which a {@link ProxyHandler} sets: the client's address and the one it
     * has connected to, both as a balancer in front has told them where it has (see {@link
     * ProxyHandler.Builder#proxyProtocol}). Where there is none, or one of the addresses is not resolved or none of TCP's, it
     * says that the connection is our own: {@code LOCAL} in version 2 (proxy-protocol.txt, section 2.2), {@code UNKNOWN} in
     * version 1 (section 2.1). Both addresses have to be of one family (the same sections), so where one is IPv4 and the
     * other IPv6, the IPv4 one is written in its mapped form, {@code ::ffff:192.0.2.1}.
     *
     * <p>The far end is that of the dialer which is given here. Around a dialer that goes through a proxy it is the target,
     * which gets the header through the tunnel; plain HTTP requests then go through such tunnels, too. To tell the proxy, put
     * it around the dialer that reaches the proxy:
     *
     * <pre>{@code
     * Dialer announcing = broxy.withProxyHeader(broxy.directDialer().build(), ProxyProtocol.V2);
     * HttpProxyDialer dialer = broxy.httpProxyDialer(proxy).over(announcing).build();
     * }</pre>
     *
     * <p>A connection that was announced for one client serves no other one: pools keep the idle ones of each client apart,
     * the caps of a hop hold for all clients together, and what is idle for a handler's client is closed when the client goes. The {@linkplain ConnPool#warm spares} of a hop are announced for
     * nobody, and so serve only dials without a client.
     *
     * <p>Every receiver has to trust the sender, and to expect the header; one that does not takes it for a broken request. A
     * header that cannot be sent fails the dial with {@link io.broxy.DialException.Reason#PROTOCOL}.
     *
     * @param dialer makes the connections
     */
    public Dialer withProxyHeader(Dialer dialer, ProxyProtocol version) {
        ensureOpen();
        return new ProxyHeaderDialer(dialer, version, dialEngine);
    }

    /** Starts a pool of connections. It is closed with this engine, if not before. */
    public ConnPool.Builder connPool() {
        ensureOpen();
        return ownPool();
    }

    private ConnPoolBuilder ownPool() {
        return new ConnPoolBuilder(poolEngine, open::add, open::remove);
    }

    /** Starts a proxy handler. Unless another is set, its dialer is a {@link #directDialer()} with the defaults. */
    public ProxyHandler.Builder proxyHandler() {
        ensureOpen();
        return new ProxyHandlerBuilder(proxyEngine, () -> directDialer().build(), this::forwardingPool, open);
    }

    /**
     * As many requests as are under way to an origin at once leave as many connections behind. With the few that a pool of a
     * user's dials keeps, most of a busy proxy's requests would close one and open another.
     */
    private EnginePool forwardingPool() {
        ConnPoolBuilder pool = ownPool();
        pool.maxIdlePerHop(FORWARDING_MAX_IDLE).maxIdle(FORWARDING_MAX_IDLE);
        return pool.build();
    }

    /** The copier of this engine. */
    public Copier copier() {
        ensureOpen();
        return copier;
    }

    /**
     * Accepts clients and gives each to a handler.
     *
     * @param address where to listen; port 0 takes a free one, see {@link ProxyServer#localAddress()}
     * @param handler a {@link ProxyHandler} of any engine, or any other implementation; it is called on an event loop and
     *     must not block
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
     * Protects a listener that is not one of this engine's {@link ProxyServer}s, such as the application's admin server: while
     * it is declared, no handler of this engine dials its address, whatever the address policy allows. Clients get 403.
     *
     * <p>An address that this host does not have is protected, too, such as the public one of a balancer in front, by which
     * the listener may be reached.
     *
     * @param address resolved, and with the port that was taken; the wildcard address means all addresses of this host
     * @return ends the protection; call it when the listener has closed
     * @throws UnknownHostException if the address is unresolved
     * @throws IllegalArgumentException if the port is 0
     */
    public DeclaredListener declareListener(InetSocketAddress address) throws UnknownHostException {
        if (address.isUnresolved()) {
            throw new UnknownHostException(address.getHostString() + " is not resolved");
        }
        if (address.getPort() == 0) {
            throw new IllegalArgumentException("a listener has a port; 0 only asks for one");
        }
        return ownAddresses.add(address)::close;
    }

    /** A listener that {@link #declareListener} protects. Threading: thread-safe. */
    public interface DeclaredListener extends AutoCloseable {
        /** Ends the protection. Repeated calls change nothing. */
        @Override
        void close();
    }

    /**
     * Sockets that a dialer connects: for JDBC drivers, HTTP clients and whatever else takes a {@link SocketFactory}. A
     * name that is not resolved goes to the dialer as it is, an address as an address, an IPv6 address with its scope. Such a
     * socket is no channel's, the options of the JDK's own sockets may be set before and after it is connected, and closing
     * it ends a connect under way. An interrupt changes nothing on a platform thread, not even in a connect, and closes the
     * socket on a virtual one, as it does with the JDK's own. Once connected by a name, it gives the address that was
     * reached; behind a proxy, and from a user-written dialer that makes its own connections, that is unknown: {@link
     * java.net.Socket#getInetAddress} is null and {@link java.net.Socket#getRemoteSocketAddress} unresolved. A connect fails as
     * sockets do where there is an exception for it ({@link java.net.ConnectException}, {@link
     * java.net.SocketTimeoutException}, {@link java.net.UnknownHostException}, {@link java.net.NoRouteToHostException}, the
     * {@link io.broxy.DialException} being the cause), and with the {@link io.broxy.DialException} itself elsewhere.
     *
     * @param dialer makes the connections
     */
    public SocketFactory asSocketFactory(Dialer dialer) {
        return new DialingSocketFactory(Objects.requireNonNull(dialer, "dialer"));
    }

    /**
     * A connection over an own channel, for own {@link Dialer}s and for {@link Copier#relay}. It can be relayed on an event
     * loop.
     *
     * @param channel connected, registered with no selector; given away with this call, with its blocking mode,
     *     which Broxy changes as it needs
     * @throws IllegalStateException if the channel is registered with a selector; it stays untouched
     * @throws IOException if it is closed or not connected; it is closed then
     */
    public Connection asConnection(SocketChannel channel) throws IOException {
        if (channel.isRegistered()) {
            throw new IllegalStateException("the channel is registered with a selector");
        }
        return SocketConnection.of(channel);
    }

    /**
     * A connection over an own socket, for own {@link Dialer}s and for {@link Copier#relay}. One without a channel, such as
     * an {@code SSLSocket}, is relayed by two threads.
     *
     * @param socket connected; given away with this call
     * @throws IllegalStateException if the socket's channel is registered with a selector; it stays untouched
     * @throws IOException if it is closed or not connected
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

    /** The name look-ups of this engine now. */
    public LookUpStats lookUps() {
        return workers.lookUpStats();
    }

    /**
     * Ends everything: servers stop accepting, tunnels are reset, pools are closed, dials fail with {@link
     * io.broxy.DialException.Reason#CANCELLED}, and every thread and descriptor of this engine is gone when this returns.
     * Connections that users hold stay open. Repeated calls change nothing; one that comes while another is at it waits for
     * the same end.
     *
     * <p>It waits up to some seconds for user code that is running (dialers, dependents of futures) and then interrupts
     * it. An interrupt of the caller does not cut this short; the caller finds it afterwards.
     *
     * <p>Called on one of this engine's own threads, such as by a listener, a resolver or a dependent of a future, or on an
     * event loop of any engine, it only begins the end and returns, for it would wait for itself: nothing new is made from
     * then on, the rest ends on a thread of its own, and a call on another thread waits for that.
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

    /** As long as an end can take. */
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
            log.error("closing a part failed; the rest is closed all the same", e);
        }
    }

    /** Collects the settings of an engine. Threading: for one thread. */
    public static final class Builder {
        private int eventLoops = Runtime.getRuntime().availableProcessors();
        private long callerBufferBytes = defaultBudget();
        private long remainderBytes = defaultBudget();
        private final Workers.Settings workers = new Workers.Settings();

        private Builder() {}

        /** 64 MiB, and in a small JVM an eighth of its heap, for direct memory is as big as the heap by default. */
        private static long defaultBudget() {
            return Math.min(64L << 20, Runtime.getRuntime().maxMemory() / 8);
        }

        /**
         * How many event loops serve connections; default one for each processor.
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
         * How many platform threads, or for look-ups how many at once, work at one kind of task; the defaults are at {@link
         * EngineTask}. It replaces an executor that was given for the kind. Except for look-ups and streams, tasks beyond
         * that wait, but not behind those that wait for them: when none has begun for a moment although some are queued,
         * further threads are added, up to 1,024 or 16 times as many, and tasks fail that come when even those get nowhere. Threads
         * are made when needed and end when idle.
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
         * Runs one kind of task on an executor of the embedder's, which goes on after the engine's end: {@link Broxy#close}
         * waits for the engine's tasks there, and interrupts them, but does not shut it down. Look-ups are still counted
         * before it, so it is given no more than {@link #threads} says. It replaces a number of threads that was set for
         * other kinds.
         *
         * <p>The executor must run each task on another thread than the caller's, or reject it; what it throws counts as a
         * rejection. What was rejected fails (a look-up with {@link io.broxy.DialException.Reason#RESOLVE}, an own dialer
         * with {@code LOCAL}, an authenticator's client with 503, and so on), an event for a listener is dropped and
         * counted, and the completion of a future is run by the engine itself. Nothing is left hanging. One with few threads
         * and a queue can still make tasks wait that others wait for: a dialer, for one, that dials with another.
         *
         * @param executor for any thread; it may be shared between engines and kinds of tasks if it has threads enough
         */
        public Builder executor(EngineTask task, Executor executor) {
            workers.executor(task.kind(), Objects.requireNonNull(executor, "executor"));
            return this;
        }

        /** The engine, running. */
        public Broxy build() {
            return new Broxy(this);
        }
    }
}
