package io.broxy.core.internal.proxy;

import io.broxy.CloseReason;
import io.broxy.ConnectRequest;
import io.broxy.ConnectionResult;
import io.broxy.DialRequest;
import io.broxy.HostPort;
import io.broxy.ProxyHandler;
import io.broxy.ProxyStats;
import io.broxy.RefusedException;
import io.broxy.Tunnel;
import io.broxy.TunnelResult;
import io.broxy.core.internal.journal.Journal;
import io.broxy.core.internal.journal.Visit;
import io.broxy.core.internal.loop.EventLoop;
import io.broxy.core.internal.net.LoopDialer;
import io.broxy.core.internal.net.LoopSocket;
import io.broxy.core.internal.net.OwnAddresses;
import io.broxy.core.internal.net.StreamConnection;
import io.broxy.core.internal.net.Taken;
import io.broxy.core.internal.net.UserDialing;
import io.broxy.core.internal.proxy.Admission.Verdict;
import io.broxy.core.internal.relay.TunnelHandle;
import io.broxy.core.internal.time.Durations;
import java.io.IOException;
import java.net.Socket;
import java.net.SocketAddress;
import java.net.SocketException;
import java.net.StandardSocketOptions;
import java.nio.channels.SocketChannel;
import java.time.Duration;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.RejectedExecutionException;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Takes clients over, and gives each to a {@link ClientSession} on a loop.
 *
 * <p>Threading: thread-safe.
 */
public final class ProxyHandling implements ProxyHandler {
    static final Logger log = LoggerFactory.getLogger(ProxyHandling.class);

    private final HandlerSettings settings;
    /** A part of the settings' policy. */
    private final OwnAddresses ownAddresses;

    private final ProxyEngine engine;
    /** The settings' dialer, for loops. */
    private final LoopDialer dialer;

    private final Gate gate;
    private volatile @Nullable DialRequest lastDial;
    private final Accounting accounting;
    private final Journal journal;
    private final Admission streams;
    private final Arrivals arrivals;
    /** Those that are served by threads, and how they were let in. */
    private final Map<TunnelHandle, Verdict> threaded = new ConcurrentHashMap<>();

    /** Made once: most tunnels differ in nothing of it. */
    private final TunnelHandle.EndListener onEndAdmitted = (tunnel, end) -> ended(tunnel, end, Verdict.ADMITTED);

    private final TunnelHandle.EndListener onEndFull = (tunnel, end) -> ended(tunnel, end, Verdict.FULL);
    private final TunnelHandle.EndListener onEndOverfull = (tunnel, end) -> ended(tunnel, end, Verdict.OVERFULL);

    /** Told once it needs no closing any more. */
    private final Consumer<ProxyHandling> onClose;

    ProxyHandling(
            HandlerSettings settings, OwnAddresses ownAddresses, ProxyEngine engine, Consumer<ProxyHandling> onClose) {
        this.settings = settings;
        this.ownAddresses = ownAddresses;
        this.engine = engine;
        this.dialer = UserDialing.of(settings.dialer(), engine.workers());
        this.onClose = onClose;
        this.journal = new Journal(settings.listener(), engine.workers().callbacks(), engine.ticker());
        this.accounting = new Accounting(settings.forwarding().pool()::stats, journal::dropped);
        this.gate = settings.access().gate(engine.workers().callbacks());
        this.streams = new Admission(settings.limits().streamClients());
        this.arrivals = new Arrivals(settings.limits(), engine.ticker());
    }

    // ------------------------------------------------------------------ clients come

    @Override
    public Tunnel handleConnect(SocketChannel client) {
        return start(client, Session.OF_TUNNEL);
    }

    @Override
    public Tunnel handleConnect(Socket client) {
        return start(client, Session.OF_TUNNEL);
    }

    @Override
    public Tunnel handleConnect(SocketChannel client, ConnectRequest request) {
        return start(client, Session.of(request));
    }

    @Override
    public Tunnel handleConnect(Socket client, ConnectRequest request) {
        return start(client, Session.of(request));
    }

    @Override
    public CompletableFuture<ConnectionResult> handle(SocketChannel client) {
        return result(start(client, Session.OF_ANYTHING));
    }

    @Override
    public CompletableFuture<ConnectionResult> handle(Socket client) {
        return result(start(client, Session.OF_ANYTHING));
    }

    /** As {@link #handle(SocketChannel)}, for a server that waits for no result. */
    public void serve(SocketChannel client) {
        start(client, Session.OF_ANYTHING);
    }

    /**
     * How a client is served.
     *
     * @param read whether the host server has read its request
     * <p>Threading: immutable.
     */
    private record Session(boolean read, Consumer<Served> begin) {
        static final Session OF_TUNNEL = new Session(false, served -> new ClientSession(served, true).begin());
        static final Session OF_ANYTHING = new Session(false, served -> new ClientSession(served, false).begin());

        static Session of(ConnectRequest request) {
            Objects.requireNonNull(request, "request");
            return new Session(true, served -> ClientSession.serve(served, request));
        }
    }

    private static CompletableFuture<ConnectionResult> result(TunnelHandle tunnel) {
        CompletableFuture<ConnectionResult> result = tunnel.completion().thenApply(end -> result(tunnel, end));
        result.whenComplete((end, failure) -> tunnel.end(CloseReason.CLOSED)); // nothing, if it was the end
        return result;
    }

    private static Result result(TunnelHandle tunnel, TunnelResult end) {
        return new Result(
                end.duration(),
                end.reason(),
                tunnel.phase() == TunnelHandle.Phase.ESTABLISHED ? end : null,
                tunnel.exchanges(),
                end.cause());
    }

    private record Result(
            @Override Duration duration,
            @Override CloseReason reason,
            @Override @Nullable TunnelResult tunnel,
            @Override long exchanges,
            @Override @Nullable Throwable cause)
            implements ConnectionResult {}

    static RefusedException full() {
        return new RefusedException(RefusedException.Reason.LIMIT, 503, "too many tunnels");
    }

    static RefusedException headTimeout() {
        return new RefusedException(RefusedException.Reason.HEAD_TIMEOUT, 408, "the request did not come in time");
    }

    static RefusedException draining() {
        return new RefusedException(RefusedException.Reason.DRAINING, 503, "the proxy takes no new tunnels");
    }

    // ------------------------------------------------------------------ with a channel

    private TunnelHandle start(SocketChannel client, Session session) {
        IOException broken = takeOver(client);
        SocketAddress remote = remoteAddress(client);
        Arrivals.Arrival arrival = arrivals.come(broken == null ? remote : null, session.read());
        TunnelHandle tunnel = open(arrival);
        if (broken != null) {
            endUnserved(client, remote, tunnel, CloseReason.CLIENT_GONE, broken);
            return tunnel;
        }
        if (arrival.verdict() == Verdict.OVERFULL) {
            endUnserved(client, remote, tunnel, CloseReason.REFUSED, arrival.refusal());
            return tunnel;
        }
        EventLoop loop = engine.loops().next();
        try {
            loop.execute(() -> {
                RefusedException refusal = arrival.verdict() == Verdict.ADMITTED ? null : arrival.refusal();
                begin(new Served(this, tunnel, new LoopSocket(loop, client)), arrival, session, refusal);
            });
        } catch (RejectedExecutionException e) {
            endUnserved(client, remote, tunnel, CloseReason.CLOSED, null);
        }
        return tunnel;
    }

    /** A client is on its loop; it is told why where it is not to be served. */
    private void begin(Served served, Arrivals.Arrival arrival, Session session, @Nullable RefusedException refusal) {
        if (!arrival.awaitsName()) {
            served.visit();
        }
        if (refusal == null) {
            arrivals.take(served, arrival, session.begin());
        } else {
            ClientSession.turnAway(served, refusal);
        }
    }

    /** Makes a channel ready for a loop; its failure is given back, for the caller has given the channel away by then. */
    private static @Nullable IOException takeOver(SocketChannel client) {
        if (client.isRegistered()) {
            throw new IllegalStateException("the channel is registered with a selector, so a loop cannot own it");
        }
        try {
            client.configureBlocking(false);
            if (!client.isConnected()) {
                return new SocketException("the channel is not connected");
            }
            client.setOption(StandardSocketOptions.TCP_NODELAY, true);
            return null;
        } catch (UnsupportedOperationException e) {
            return null; // a Unix domain socket, which delays nothing
        } catch (IOException e) {
            return e;
        }
    }

    private static @Nullable SocketAddress remoteAddress(SocketChannel client) {
        try {
            return client.getRemoteAddress();
        } catch (IOException e) {
            return null; // somebody has closed it, which its session finds out
        }
    }

    private TunnelHandle open(Arrivals.Arrival arrival) {
        TunnelHandle tunnel = new TunnelHandle(
                engine.ticker(),
                engine.workers().completions(),
                switch (arrival.counted()) {
                    case ADMITTED -> onEndAdmitted;
                    case FULL -> onEndFull;
                    case OVERFULL -> onEndOverfull;
                });
        ClientShares.Place place = arrival.place();
        if (place != null) {
            tunnel.alsoAtEnd(place::leave);
        }
        accounting.opened(tunnel);
        return tunnel;
    }

    /** Closes a client's connection without a word; whoever watches still learns whose it was. */
    private void endUnserved(
            AutoCloseable client,
            @Nullable SocketAddress remote,
            TunnelHandle tunnel,
            CloseReason reason,
            @Nullable Throwable cause) {
        close(client);
        visit(tunnel).opened(remote);
        tunnel.ended(reason, cause, 0, 0);
    }

    private static void close(AutoCloseable client) {
        try {
            client.close();
        } catch (Exception e) {
            log.debug("closing a client's connection failed", e);
        }
    }

    // ------------------------------------------------------------------ without a channel

    private TunnelHandle start(Socket client, Session session) {
        SocketChannel channel = client.getChannel();
        if (channel != null) {
            return start(channel, session);
        }
        SocketAddress remote = client.getRemoteSocketAddress();
        Arrivals.Arrival arrival = arrivals.come(remote, session.read());
        Verdict verdict = arrival.verdict();
        TunnelHandle tunnel = open(arrival);
        Verdict threads = verdict == Verdict.OVERFULL ? verdict : enterThreads(tunnel);
        boolean admitted = verdict == Verdict.ADMITTED && threads == Verdict.ADMITTED;
        RefusedException refusal = admitted ? null : verdict == Verdict.ADMITTED ? full() : arrival.refusal();
        if (threads == Verdict.OVERFULL) {
            endUnserved(client, remote, tunnel, CloseReason.REFUSED, refusal);
            return tunnel;
        }
        EventLoop loop = engine.loops().next();
        try {
            Taken taken = Taken.of(new StreamConnection(client), engine.workers());
            loop.execute(() -> begin(new Served(this, tunnel, taken.onLoop(loop)), arrival, session, refusal));
        } catch (IOException e) {
            endUnserved(client, remote, tunnel, CloseReason.CLIENT_GONE, e);
        } catch (RejectedExecutionException e) {
            endUnserved(client, remote, tunnel, CloseReason.CLOSED, null);
        }
        return tunnel;
    }

    private Verdict enterThreads(TunnelHandle tunnel) {
        Verdict verdict = streams.enter();
        threaded.put(tunnel, verdict);
        return verdict;
    }

    // ------------------------------------------------------------------ what sessions ask for

    /** Where its servers listen, so that it does not dial itself; its policy asks for them. */
    public OwnAddresses ownAddresses() {
        return ownAddresses;
    }

    HandlerSettings settings() {
        return settings;
    }

    ProxyEngine engine() {
        return engine;
    }

    Gate gate() {
        return gate;
    }

    Accounting accounting() {
        return accounting;
    }

    /** What follows a client, if anybody watches now. */
    Visit visit(TunnelHandle tunnel) {
        Visit visit = tunnel.visit();
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
    DialRequest dialRequest(Served served, HostPort target) {
        DialRequest request = dialRequest(target);
        return settings.dialer().announcesClient() ? forClient(served, request) : request;
    }

    /** A client is about to be served. What is kept for it alone goes with it. */
    void comes(Served served) {
        DialRequest.Client client = settings.dialer().announcesClient() ? served.dialsFor() : null;
        if (client != null) {
            served.tunnel().alsoAtEnd(() -> settings.forwarding().pool().clientGone(client));
        }
    }

    private static DialRequest forClient(Served served, DialRequest request) {
        return request.toBuilder().client(served.dialsFor()).build();
    }

    /** Begins to dial for a tunnel, whose connection will be no other client's. */
    LoopDialer.Dialing beginDial(Served served, HostPort target, LoopDialer.Outcome session) {
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

    /** Whether a tunnel may have threads, which its dialer's connection makes necessary. */
    boolean mayHaveThreads(TunnelHandle tunnel) {
        if (threaded.containsKey(tunnel)) {
            return true; // its client has made some necessary before
        }
        return switch (enterThreads(tunnel)) {
            case ADMITTED -> true;
            case FULL, OVERFULL -> false;
        };
    }

    // ------------------------------------------------------------------ ends

    private void ended(TunnelHandle tunnel, TunnelResult result, Verdict admission) {
        Verdict threads = threaded.remove(tunnel);
        if (threads != null) {
            streams.leave(threads);
        }
        arrivals.leave(admission);
        accounting.ended(tunnel, result);
        Visit visit = visit(tunnel);
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
