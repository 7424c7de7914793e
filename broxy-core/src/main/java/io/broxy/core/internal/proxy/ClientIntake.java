package io.broxy.core.internal.proxy;

import io.broxy.CloseReason;
import io.broxy.ConnectRequest;
import io.broxy.ConnectResponse;
import io.broxy.HostPort;
import io.broxy.RefusedException;
import io.broxy.ServerTls;
import io.broxy.core.internal.bridge.HandOff;
import io.broxy.core.internal.http.Rejection;
import io.broxy.core.internal.loop.EventLoop;
import io.broxy.core.internal.loop.EventLoops;
import io.broxy.core.internal.net.AcceptedSocket;
import io.broxy.core.internal.net.Leftover;
import io.broxy.core.internal.net.LoopConnection;
import io.broxy.core.internal.net.LoopSocket;
import io.broxy.core.internal.net.StreamConnection;
import io.broxy.core.internal.proxy.ConnectionLimits.Admission;
import io.broxy.core.internal.proxy.CountLimit.Verdict;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.SocketAddress;
import java.net.SocketException;
import java.net.StandardSocketOptions;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.RejectedExecutionException;
import java.util.function.Consumer;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * Takes clients over from the host server: counts each, makes its {@link ClientConnection}, and begins to serve it on a loop, or
 * refuses it there.
 *
 * <p>Threading: thread-safe.
 */
final class ClientIntake {
    private final HandlerContext context;
    private final RareWarning headerWarning;

    ClientIntake(HandlerContext context) {
        this.context = context;
        this.headerWarning = new RareWarning(context.engine().ticker());
    }

    /**
     * How a client is served.
     *
     * @param read whether the host server has read its request
     * @param tls null unless a TLS handshake comes first
     * @param alreadyRead bytes of the client that the host server has read; null for none
     * @param transparent whether the client knows of no proxy
     * @param begin begins to serve the client
     * <p>Threading: immutable.
     */
    record Session(
            boolean read,
            @Nullable ServerTls tls,
            @Nullable ByteBuffer alreadyRead,
            boolean transparent,
            Consumer<ClientConnection> begin) {
        static final Session OF_TUNNEL =
                new Session(false, null, null, false, connection -> ProtocolStep.start(connection, true));
        static final Session OF_ANYTHING =
                new Session(false, null, null, false, connection -> ProtocolStep.start(connection, false));

        static Session of(ConnectRequest request) {
            Objects.requireNonNull(request, "request");
            return new Session(true, null, null, false, connection -> AccessStep.start(connection, request));
        }

        static Session of(HostPort target) {
            Objects.requireNonNull(target, "target");
            return new Session(false, null, null, true, connection -> FixedTargetStep.start(connection, target));
        }

        Session over(ServerTls before) {
            return new Session(read, before, alreadyRead, transparent, begin);
        }

        Session behind(ByteBuffer bytes) {
            return new Session(read, tls, Leftover.copy(bytes.duplicate()), transparent, begin);
        }
    }

    // ------------------------------------------------------------------ with a channel

    /** Takes a client over. */
    ClientConnection take(SocketChannel client, Session session) {
        IOException broken = prepare(client);
        SocketAddress remote = remoteAddress(client);
        Admission admission = context.limits().enter(broken == null ? remote : null, session.read());
        ClientConnection connection = open(admission);
        if (broken != null) {
            endUnserved(client, remote, connection, CloseReason.CLIENT_GONE, broken);
            return connection;
        }
        begin(
                connection,
                client,
                remote,
                admission,
                session,
                context.engine().loops(),
                loop -> new LoopSocket(loop, client));
        return connection;
    }

    /** Takes a client of the engine's transport over. */
    void take(AcceptedSocket client, Session session) {
        Admission admission = context.limits().enter(client.remoteAddress(), session.read());
        EventLoops loops = Objects.requireNonNull(context.engine().transportLoops(), "the client has come over one");
        begin(open(admission), client, client.remoteAddress(), admission, session, loops, client::onLoop);
    }

    /** Begins to serve a client that takes no threads, or refuses it. */
    private void begin(
            ClientConnection connection,
            AutoCloseable client,
            @Nullable SocketAddress remote,
            Admission admission,
            Session session,
            EventLoops loops,
            Function<EventLoop, LoopConnection> onLoop) {
        if (admission.verdict() == Verdict.OVERFULL) {
            endUnserved(client, remote, connection, CloseReason.REFUSED, admission.refusal());
            return;
        }
        EventLoop loop = connection.chooseLoop(loops);
        try {
            loop.execute(() -> {
                RefusedException refusal = admission.verdict() == Verdict.ADMITTED ? null : admission.refusal();
                begin(connection, onLoop.apply(loop), admission, session, refusal);
            });
        } catch (RejectedExecutionException e) {
            endUnserved(client, remote, connection, CloseReason.CLOSED, null);
        }
    }

    /** Makes a channel ready for a loop. Returns its failure, for the caller has given the channel away by then. */
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
            return null; // it is closed, which its first step finds out
        }
    }

    private ClientConnection open(Admission admission) {
        ClientConnection connection = new ClientConnection(context, admission);
        context.metrics().opened(connection);
        return connection;
    }

    /** Closes a client's connection without a response; its address is still recorded. */
    private static void endUnserved(
            AutoCloseable client,
            @Nullable SocketAddress remote,
            ClientConnection connection,
            CloseReason reason,
            @Nullable Throwable cause) {
        close(client);
        connection.account().startRecorder().opened(remote, null);
        connection.tunnel().ended(reason, cause, 0, 0);
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
    ClientConnection take(Socket client, Session session) {
        SocketChannel channel = client.getChannel();
        if (channel != null) {
            return take(channel, session);
        }
        SocketAddress remote = client.getRemoteSocketAddress();
        Admission admission = context.limits().enter(remote, session.read());
        Verdict verdict = admission.verdict();
        ClientConnection connection = open(admission);
        Verdict threads = verdict == Verdict.OVERFULL ? verdict : admission.enterThreads();
        boolean admitted = verdict == Verdict.ADMITTED && threads == Verdict.ADMITTED;
        RefusedException refusal =
                admitted ? null : verdict == Verdict.ADMITTED ? Rejection.FULL.exception() : admission.refusal();
        if (threads == Verdict.OVERFULL) {
            endUnserved(client, remote, connection, CloseReason.REFUSED, refusal);
            return connection;
        }
        EventLoop loop = connection.chooseLoop(context.engine().loops());
        try {
            HandOff taken =
                    HandOff.of(new StreamConnection(client), context.engine().workers());
            loop.execute(() -> begin(connection, taken.onLoop(loop), admission, session, refusal));
        } catch (IOException e) {
            endUnserved(client, remote, connection, CloseReason.CLIENT_GONE, e);
        } catch (RejectedExecutionException e) {
            endUnserved(client, remote, connection, CloseReason.CLOSED, null);
        }
        return connection;
    }

    // ------------------------------------------------------------------ without a connection

    /** Opens a tunnel for a client whose connection the host server keeps until it has written the response. */
    CompletableFuture<ConnectResponse> open(ConnectRequest request, SocketAddress client) {
        Session session = Session.of(request);
        if (Objects.requireNonNull(client, "client") instanceof InetSocketAddress internet && internet.isUnresolved()) {
            throw new IllegalArgumentException("the client's address is not resolved");
        }
        Admission admission = context.limits().enter(client, session.read());
        ClientConnection connection = open(admission);
        PendingResponse response = new PendingResponse(connection);
        if (admission.verdict() == Verdict.OVERFULL) {
            response.answer(connection.protocol().refused(admission.refusal(), true));
        }
        begin(connection, response, client, admission, session, context.engine().loops(), loop -> {
            if (client instanceof InetSocketAddress internet) {
                connection.facts().announced(internet, null);
            }
            return new HostClient(loop, client, response);
        });
        return response.future();
    }

    // ------------------------------------------------------------------ on the client's loop

    private void begin(
            ClientConnection connection,
            LoopConnection client,
            Admission admission,
            Session session,
            @Nullable RefusedException refusal) {
        connection.onLoop(client);
        if (session.transparent()) {
            connection.facts().becomeTransparent();
        }
        if (session.alreadyRead() != null) {
            client.unread(session.alreadyRead());
        }
        if (refusal != null) {
            refuse(connection, session, refusal);
        } else if (admission.unnamed()) {
            ProxyHeaderReader.start(connection, headerWarning, () -> beginNamed(connection, session));
        } else {
            serve(connection, session);
        }
    }

    /** The client's address is announced by now, and counts. */
    private static void beginNamed(ClientConnection connection, Session session) {
        ClientShares.Place place =
                connection.account().admission().takePlace(connection.facts().address());
        switch (place == null ? Verdict.ADMITTED : place.verdict()) {
            case ADMITTED -> serve(connection, session);
            case FULL -> refuse(connection, session, Rejection.TOO_MANY_OF_CLIENT.exception());
            case OVERFULL -> connection.abort(CloseReason.REFUSED, Rejection.TOO_MANY_OF_CLIENT.exception());
        }
    }

    private static void serve(ClientConnection connection, Session session) {
        connection.serve();
        if (session.tls() == null) {
            connection.record();
            session.begin().accept(connection);
        } else {
            TlsStep.start(connection, session.tls(), () -> {
                connection.record();
                session.begin().accept(connection);
            });
        }
    }

    /** A client that expects TLS understands no response before the handshake. */
    private static void refuse(ClientConnection connection, Session session, RefusedException refusal) {
        connection.record();
        if (session.tls() != null) {
            connection.last(Answer.NONE, CloseReason.REFUSED, refusal);
        } else if (session.read() || session.transparent()) {
            connection.refuse(refusal, true);
        } else {
            ProtocolStep.refuse(connection, refusal);
        }
    }
}
