package io.broxy.core.internal.proxy;

import io.broxy.ActiveTunnel;
import io.broxy.ClientHandle;
import io.broxy.CloseReason;
import io.broxy.ConnectRequest;
import io.broxy.ConnectionResult;
import io.broxy.DialRequest;
import io.broxy.HostPort;
import io.broxy.ProxyHandler;
import io.broxy.ProxyStats;
import io.broxy.Tunnel;
import io.broxy.TunnelResult;
import io.broxy.core.internal.loop.EventLoop;
import io.broxy.core.internal.net.DialHandle;
import io.broxy.core.internal.net.OwnAddresses;
import io.broxy.core.internal.observe.ConnectionRecorder;
import io.broxy.core.internal.observe.Journal;
import io.broxy.core.internal.proxy.Entrance.Session;
import io.broxy.core.internal.relay.TunnelHandle;
import io.broxy.core.internal.time.Durations;
import io.broxy.core.internal.upstream.LoopDialer;
import java.net.Socket;
import java.net.SocketAddress;
import java.nio.channels.SocketChannel;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A handler's parts, and what its sessions ask for: clients come in by its {@link Entrance}.
 *
 * <p>Threading: thread-safe.
 */
public final class DefaultProxyHandler implements ProxyHandler {
    static final Logger log = LoggerFactory.getLogger(DefaultProxyHandler.class);

    private final HandlerSettings settings;
    private final ProxyEngine engine;
    /** The settings' dialer, for loops. */
    private final LoopDialer dialer;

    private final AccessControl gate;
    private volatile @Nullable DialRequest lastDial;
    private final Metrics accounting;
    private final Journal journal;
    private final Entrance entrance;

    /** Told once it needs no closing any more. */
    private final Consumer<DefaultProxyHandler> onClose;

    DefaultProxyHandler(
            HandlerSettings settings, LoopDialer dialer, ProxyEngine engine, Consumer<DefaultProxyHandler> onClose) {
        this.settings = settings;
        this.engine = engine;
        this.dialer = dialer;
        this.onClose = onClose;
        this.journal = new Journal(settings.listener(), engine.workers().callbacks(), engine.ticker());
        this.accounting =
                new Metrics(settings.forwarding().pool()::stats, journal::dropped, engine.workers()::lookUpStats);
        this.gate = settings.access().gate(engine.workers().callbacks());
        this.entrance = new Entrance(this);
    }

    // ------------------------------------------------------------------ clients come

    @Override
    public Tunnel handleConnect(SocketChannel client) {
        return entrance.take(client, Session.OF_TUNNEL);
    }

    @Override
    public Tunnel handleConnect(Socket client) {
        return entrance.take(client, Session.OF_TUNNEL);
    }

    @Override
    public Tunnel handleConnect(SocketChannel client, ConnectRequest request) {
        return entrance.take(client, Session.of(request));
    }

    @Override
    public Tunnel handleConnect(Socket client, ConnectRequest request) {
        return entrance.take(client, Session.of(request));
    }

    @Override
    public ClientHandle handle(SocketChannel client) {
        return new Handle(entrance.take(client, Session.OF_ANYTHING));
    }

    @Override
    public ClientHandle handle(Socket client) {
        return new Handle(entrance.take(client, Session.OF_ANYTHING));
    }

    @Override
    public void serve(SocketChannel client) {
        entrance.take(client, Session.OF_ANYTHING);
    }

    /** A whole connection, by the handle of the tunnel that it may become. Threading: thread-safe. */
    private record Handle(TunnelHandle tunnel) implements ClientHandle {
        @Override
        public CompletableFuture<ConnectionResult> completion() {
            return tunnel.completion().thenApply(end -> result(tunnel, end));
        }

        @Override
        public ConnectionResult join() throws InterruptedException {
            return result(tunnel, tunnel.join());
        }

        @Override
        public void close() {
            tunnel.close();
        }
    }

    private static ConnectionResult result(TunnelHandle tunnel, TunnelResult end) {
        return new ConnectionResult(
                end.duration(),
                end.reason(),
                tunnel.phase() == TunnelHandle.Phase.ESTABLISHED ? end : null,
                tunnel.exchanges(),
                end.cause());
    }

    // ------------------------------------------------------------------ what sessions ask for

    /** Where its engine listens, so that it does not dial itself; its policy asks for them. */
    public OwnAddresses ownAddresses() {
        return engine.ownAddresses();
    }

    HandlerSettings settings() {
        return settings;
    }

    ProxyEngine engine() {
        return engine;
    }

    Entrance entrance() {
        return entrance;
    }

    AccessControl gate() {
        return gate;
    }

    Metrics accounting() {
        return accounting;
    }

    /** What follows a client, if anybody watches now. */
    ConnectionRecorder visit(TunnelHandle tunnel) {
        ConnectionRecorder visit = tunnel.visit();
        if (!visit.isOn()) {
            visit = journal.visit();
            tunnel.follow(visit);
        }
        return visit;
    }

    /** The request for a client's target: mostly the same as before, where clients send request after request. */
    private DialRequest dialRequest(HostPort target) {
        DialRequest last = lastDial;
        if (last == null || !last.target().equals(target)) {
            last = settings.dialRequest(target);
            lastDial = last;
        }
        return last;
    }

    /** As for everybody where that makes no difference, so that connections are for everybody, too. */
    DialRequest dialRequest(ClientConnection served, HostPort target) {
        DialRequest request = dialRequest(target);
        return settings.dialer().sendsClientAddress() ? forClient(served, request) : request;
    }

    /** A client is about to be served. What is kept for it alone goes with it. */
    void comes(ClientConnection served) {
        DialRequest.Client client = settings.dialer().sendsClientAddress() ? served.dialsFor() : null;
        if (client != null) {
            served.tunnel().alsoAtEnd(() -> settings.forwarding().pool().clientGone(client));
        }
    }

    private static DialRequest forClient(ClientConnection served, DialRequest request) {
        return request.toBuilder().client(served.dialsFor()).build();
    }

    /** Begins to dial for a tunnel, whose connection will be no other client's. */
    DialHandle beginDial(ClientConnection served, HostPort target, LoopDialer.Outcome session) {
        return dialer.dial(served.loop(), forClient(served, dialRequest(target)), session);
    }

    /** No tunnel comes of it: its client is only told why, for which nobody needs to wait. */
    void givenUp(TunnelHandle tunnel) {
        if (tunnel.phase() == TunnelHandle.Phase.ADMITTED) {
            tunnel.phase(TunnelHandle.Phase.REQUESTED);
            accounting.endTunnel();
        }
    }

    /**
     * A tunnel stands.
     *
     * @param peer where its socket leads, to the target or to a proxy on the way; null if that is not known
     */
    void established(TunnelHandle tunnel, @Nullable SocketAddress peer) {
        tunnel.phase(TunnelHandle.Phase.ESTABLISHED);
        tunnel.visit().established(peer);
        accounting.established();
    }

    // ------------------------------------------------------------------ ends

    /** A client's connection has ended; its places are free again. */
    void ended(TunnelHandle tunnel, TunnelResult result) {
        accounting.ended(tunnel, result);
        ConnectionRecorder visit = visit(tunnel);
        if (visit.isOn()) {
            visit.closed(result, result(tunnel, result));
        }
        if (tunnel.phase() != TunnelHandle.Phase.REQUESTED) {
            accounting.endTunnel(); // the last of it: a drain may wait for that
        }
        if (log.isDebugEnabled()) {
            logEnd(tunnel, result);
        }
    }

    private static void logEnd(TunnelHandle tunnel, TunnelResult result) {
        if (result.target() == null) {
            log.debug(
                    "connection: {} after {} ms, {} requests",
                    result.reason(),
                    result.duration().toMillis(),
                    tunnel.exchanges(),
                    result.cause());
            return;
        }
        log.debug(
                "tunnel to {}: {} after {} ms, {} bytes to the origin, {} to the client",
                result.target(),
                result.reason(),
                result.duration().toMillis(),
                result.bytesToOrigin(),
                result.bytesToClient(),
                result.cause());
    }

    @Override
    public boolean drain(Duration grace) throws InterruptedException {
        long nanos = Durations.nanos(grace, "the grace time");
        if (EventLoop.current() != null) {
            throw new IllegalStateException("waiting on an event loop would stop everything that it serves");
        }
        accounting.startDraining();
        boolean ended = accounting.awaitWork(nanos);
        accounting.endAll(CloseReason.DRAINED);
        return ended;
    }

    @Override
    public List<ActiveTunnel> activeTunnels() {
        return accounting.activeTunnels();
    }

    @Override
    public ProxyStats stats() {
        return accounting.stats();
    }

    @Override
    public void close() {
        accounting.startDraining();
        accounting.close();
        onClose.accept(this);
    }
}
