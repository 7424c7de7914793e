package io.broxy.core.internal.proxy;

import io.broxy.AccessRequest;
import io.broxy.ActiveTunnel;
import io.broxy.ClientHandle;
import io.broxy.ClientHandler;
import io.broxy.CloseReason;
import io.broxy.ConnectRequest;
import io.broxy.ConnectResponse;
import io.broxy.ConnectionResult;
import io.broxy.Explanation;
import io.broxy.Explanation.Part;
import io.broxy.HostPort;
import io.broxy.ProxyHandler;
import io.broxy.ProxyStats;
import io.broxy.ServerTls;
import io.broxy.TlsFrontend;
import io.broxy.Tunnel;
import io.broxy.core.internal.loop.EventLoop;
import io.broxy.core.internal.loop.EventLoops;
import io.broxy.core.internal.net.AcceptedSocket;
import io.broxy.core.internal.net.NativeTransport;
import io.broxy.core.internal.net.OwnAddresses;
import io.broxy.core.internal.observe.Observers;
import io.broxy.core.internal.proxy.ClientIntake.Session;
import io.broxy.core.internal.time.Durations;
import java.net.Socket;
import java.net.SocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.time.Duration;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A handler: its clients come in by {@link ClientIntake}, and its parts are in {@link HandlerContext}.
 *
 * <p>Threading: thread-safe.
 */
public final class DefaultProxyHandler implements ProxyHandler, OwnAddresses.Holder, NativeTransport.Intake {
    static final Logger log = LoggerFactory.getLogger(DefaultProxyHandler.class);

    private final OwnAddresses ownAddresses;
    private final Metrics metrics;
    private final HandlerContext context;
    private final ClientIntake intake;

    /** Runs once this needs no closing any more. */
    private final Consumer<DefaultProxyHandler> onClose;

    DefaultProxyHandler(
            HandlerSettings settings, TargetDialer dialer, ProxyEngine engine, Consumer<DefaultProxyHandler> onClose) {
        this.ownAddresses = engine.ownAddresses();
        this.onClose = onClose;
        Executor callbacks = engine.workers().callbacks();
        Observers observers = new Observers(settings.listener(), callbacks, engine.ticker());
        this.metrics = new Metrics(
                new TlsCounters(settings.limits().tlsHandshakes()),
                settings.forwarding().pool()::stats,
                observers::dropped,
                engine.workers()::lookUpStats);
        HandlerSettings.Access access = settings.access();
        this.context = new HandlerContext(
                settings,
                engine,
                dialer,
                new AccessControl(
                        access.policy(),
                        access.authenticator(),
                        settings.timeouts().authenticationNanos(),
                        callbacks),
                new ConnectionLimits(settings, engine.ticker()),
                metrics,
                observers,
                engine.workers()::complete);
        this.intake = new ClientIntake(context);
    }

    // ------------------------------------------------------------------ clients come

    @Override
    public Tunnel handleConnect(SocketChannel client) {
        return takeTunnel(client, Session.OF_TUNNEL);
    }

    Tunnel takeTunnel(SocketChannel client, Session session) {
        return intake.take(client, session).tunnel();
    }

    @Override
    public Tunnel handleConnect(Socket client) {
        return intake.take(client, Session.OF_TUNNEL).tunnel();
    }

    @Override
    public Tunnel handleConnect(SocketChannel client, ConnectRequest request) {
        return intake.take(client, Session.of(request)).tunnel();
    }

    @Override
    public Tunnel handleConnect(Socket client, ConnectRequest request) {
        return intake.take(client, Session.of(request)).tunnel();
    }

    @Override
    public CompletableFuture<ConnectResponse> open(ConnectRequest request, SocketAddress client) {
        return intake.open(request, client);
    }

    @Override
    public ClientHandle handle(SocketChannel client) {
        return take(client, Session.OF_ANYTHING);
    }

    @Override
    public ClientHandle handle(SocketChannel client, ByteBuffer alreadyRead) {
        return take(client, Session.OF_ANYTHING.behind(alreadyRead));
    }

    @Override
    public ClientHandle handle(Socket client) {
        return take(client, Session.OF_ANYTHING);
    }

    ClientHandle take(SocketChannel client, Session session) {
        return new Handle(intake.take(client, session));
    }

    ClientHandle take(Socket client, Session session) {
        return new Handle(intake.take(client, session));
    }

    @Override
    public TlsFrontend overTls(ServerTls tls) {
        return new DefaultTlsFrontend(this, Objects.requireNonNull(tls, "tls"));
    }

    @Override
    public ClientHandler tunnelTo(HostPort target) {
        return new FixedTarget(this, Session.of(target));
    }

    /** Serves the clients of one target. Threading: thread-safe. */
    private record FixedTarget(DefaultProxyHandler handler, Session session)
            implements ClientHandler, OwnAddresses.Holder, NativeTransport.Intake {
        @Override
        public void serve(SocketChannel client) {
            handler.intake.take(client, session);
        }

        @Override
        public @Nullable EventLoops transportLoops() {
            return handler.transportLoops();
        }

        @Override
        public void serve(AcceptedSocket client) {
            handler.serve(client, session);
        }

        @Override
        public OwnAddresses ownAddresses() {
            return handler.ownAddresses;
        }
    }

    @Override
    public void serve(SocketChannel client) {
        intake.take(client, Session.OF_ANYTHING);
    }

    @Override
    public @Nullable EventLoops transportLoops() {
        return context.engine().transportLoops();
    }

    @Override
    public void serve(AcceptedSocket client) {
        serve(client, Session.OF_ANYTHING);
    }

    void serve(AcceptedSocket client, Session session) {
        intake.take(client, session);
    }

    /** Threading: thread-safe. */
    private record Handle(ClientConnection connection) implements ClientHandle {
        @Override
        public CompletableFuture<ConnectionResult> completion() {
            return connection.tunnel().completion().thenApply(connection.account()::result);
        }

        @Override
        public ConnectionResult join() throws InterruptedException {
            return connection.account().result(connection.tunnel().join());
        }

        @Override
        public void close() {
            connection.tunnel().close();
        }
    }

    @Override
    public OwnAddresses ownAddresses() {
        return ownAddresses;
    }

    // ------------------------------------------------------------------ ends

    @Override
    public boolean drain(Duration grace) throws InterruptedException {
        long nanos = Durations.nanos(grace, "the grace time");
        if (EventLoop.current() != null) {
            throw new IllegalStateException("waiting on an event loop would stop everything that it serves");
        }
        metrics.startDraining();
        boolean ended = metrics.awaitWork(nanos);
        metrics.endAll(CloseReason.DRAINED);
        return ended;
    }

    @Override
    public List<ActiveTunnel> activeTunnels() {
        return metrics.activeTunnels();
    }

    @Override
    public ProxyStats stats() {
        return metrics.stats();
    }

    @Override
    public Explanation explain(AccessRequest request) {
        HostPort target = request.target();
        Explanation access = context.access().explain(request);
        if (!access.isAdmitted()) {
            return access;
        }
        Explanation filtered = context.settings().filters().request() == null
                ? access
                : access.then(Explanation.admitted(Part.FILTER, "a request filter may refuse or change the request"));
        return filtered.then(context.dialer().explain(target));
    }

    @Override
    public void close() {
        metrics.startDraining();
        metrics.close();
        onClose.accept(this);
    }
}
