package io.broxy.core.internal.proxy;

import io.broxy.CloseReason;
import io.broxy.ConnectRequest;
import io.broxy.RefusedException;
import io.broxy.TunnelResult;
import io.broxy.core.internal.bridge.HandOff;
import io.broxy.core.internal.http.Rejection;
import io.broxy.core.internal.loop.EventLoop;
import io.broxy.core.internal.net.LoopSocket;
import io.broxy.core.internal.net.StreamConnection;
import io.broxy.core.internal.proxy.CountLimit.Verdict;
import io.broxy.core.internal.relay.TunnelHandle;
import java.io.IOException;
import java.net.Socket;
import java.net.SocketAddress;
import java.net.SocketException;
import java.net.StandardSocketOptions;
import java.nio.channels.SocketChannel;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.RejectedExecutionException;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Takes clients over from the host server: lets each in or not, makes its {@link TunnelHandle}, and gives it to a {@link
 * ClientSession} on a loop.
 *
 * <p>Threading: thread-safe.
 */
final class Entrance {
    private final DefaultProxyHandler handler;
    private final CountLimit streams;
    private final Arrivals arrivals;
    /** Those that are served by threads, and how they were let in. */
    private final Map<TunnelHandle, Verdict> threaded = new ConcurrentHashMap<>();

    /** Made once: most tunnels differ in nothing of it. */
    private final TunnelHandle.EndListener onEndAdmitted = (tunnel, end) -> ended(tunnel, end, Verdict.ADMITTED);

    private final TunnelHandle.EndListener onEndFull = (tunnel, end) -> ended(tunnel, end, Verdict.FULL);
    private final TunnelHandle.EndListener onEndOverfull = (tunnel, end) -> ended(tunnel, end, Verdict.OVERFULL);

    Entrance(DefaultProxyHandler handler) {
        this.handler = handler;
        this.streams = new CountLimit(handler.settings().limits().streamClients());
        this.arrivals = new Arrivals(handler.settings().limits(), engine().ticker());
    }

    private ProxyEngine engine() {
        return handler.engine();
    }

    /**
     * How a client is served.
     *
     * @param read whether the host server has read its request
     * <p>Threading: immutable.
     */
    record Session(boolean read, Consumer<ClientConnection> begin) {
        static final Session OF_TUNNEL = new Session(false, served -> new ClientSession(served, true).begin());
        static final Session OF_ANYTHING = new Session(false, served -> new ClientSession(served, false).begin());

        static Session of(ConnectRequest request) {
            Objects.requireNonNull(request, "request");
            return new Session(true, served -> ParsedConnect.start(served, request));
        }
    }

    // ------------------------------------------------------------------ with a channel

    /** Takes a client over. */
    TunnelHandle take(SocketChannel client, Session session) {
        IOException broken = prepare(client);
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
        EventLoop loop = loopFor(tunnel);
        try {
            loop.execute(() -> {
                RefusedException refusal = arrival.verdict() == Verdict.ADMITTED ? null : arrival.refusal();
                begin(new ClientConnection(handler, tunnel, new LoopSocket(loop, client)), arrival, session, refusal);
            });
        } catch (RejectedExecutionException e) {
            endUnserved(client, remote, tunnel, CloseReason.CLOSED, null);
        }
        return tunnel;
    }

    /** A client is on its loop; it is told why where it is not to be served. */
    private void begin(
            ClientConnection served, Arrivals.Arrival arrival, Session session, @Nullable RefusedException refusal) {
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
    private static @Nullable IOException prepare(SocketChannel client) {
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
                engine().ticker(),
                engine().workers()::complete,
                switch (arrival.counted()) {
                    case ADMITTED -> onEndAdmitted;
                    case FULL -> onEndFull;
                    case OVERFULL -> onEndOverfull;
                });
        tunnel.openedAt(System.currentTimeMillis());
        ClientShares.Place place = arrival.place();
        if (place != null) {
            tunnel.alsoAtEnd(place::leave);
        }
        handler.accounting().opened(tunnel);
        return tunnel;
    }

    private EventLoop loopFor(TunnelHandle tunnel) {
        EventLoop loop = engine().loops().forClient();
        tunnel.servedBy(loop);
        return loop;
    }

    /** Closes a client's connection without a word; whoever watches still learns whose it was. */
    private void endUnserved(
            AutoCloseable client,
            @Nullable SocketAddress remote,
            TunnelHandle tunnel,
            CloseReason reason,
            @Nullable Throwable cause) {
        close(client);
        handler.visit(tunnel).opened(remote);
        tunnel.ended(reason, cause, 0, 0);
    }

    private static void close(AutoCloseable client) {
        try {
            client.close();
        } catch (Exception e) {
            DefaultProxyHandler.log.debug("closing a client's connection failed", e);
        }
    }

    // ------------------------------------------------------------------ without a channel

    /** Takes a client over; threads serve it if it has no channel. */
    TunnelHandle take(Socket client, Session session) {
        SocketChannel channel = client.getChannel();
        if (channel != null) {
            return take(channel, session);
        }
        SocketAddress remote = client.getRemoteSocketAddress();
        Arrivals.Arrival arrival = arrivals.come(remote, session.read());
        Verdict verdict = arrival.verdict();
        TunnelHandle tunnel = open(arrival);
        Verdict threads = verdict == Verdict.OVERFULL ? verdict : enterThreads(tunnel);
        boolean admitted = verdict == Verdict.ADMITTED && threads == Verdict.ADMITTED;
        RefusedException refusal =
                admitted ? null : verdict == Verdict.ADMITTED ? Rejection.FULL.exception() : arrival.refusal();
        if (threads == Verdict.OVERFULL) {
            endUnserved(client, remote, tunnel, CloseReason.REFUSED, refusal);
            return tunnel;
        }
        EventLoop loop = loopFor(tunnel);
        try {
            HandOff taken = HandOff.of(new StreamConnection(client), engine().workers());
            loop.execute(
                    () -> begin(new ClientConnection(handler, tunnel, taken.onLoop(loop)), arrival, session, refusal));
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

    private void ended(TunnelHandle tunnel, TunnelResult result, Verdict admission) {
        EventLoop loop = tunnel.loop();
        if (loop != null) {
            loop.leave();
        }
        Verdict threads = threaded.remove(tunnel);
        if (threads != null) {
            streams.leave(threads);
        }
        arrivals.leave(admission);
        handler.ended(tunnel, result);
    }
}
