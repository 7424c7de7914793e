package io.broxy.core.internal.proxy;

import io.broxy.AccessRequest;
import io.broxy.CloseReason;
import io.broxy.HostPort;
import io.broxy.RefusedException;
import io.broxy.core.internal.http.Rejection;
import io.broxy.core.internal.loop.LoopBuffers;
import io.broxy.core.internal.net.LoopConnection;
import io.broxy.core.internal.socks.SocksException;
import io.broxy.core.internal.socks.SocksMessage;
import io.broxy.core.internal.socks.SocksParser;
import io.broxy.core.internal.socks.SocksVersion;
import io.broxy.core.internal.socks.SocksWriter;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.SelectionKey;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What comes before the tunnel of a SOCKS client: its greeting, its login where one is needed, and its request.
 *
 * <pre>
 *            greeting          login               request
 *   READING ──────────> SAYING ──────> ASKED ──> SAYING ──> READING ──────────> allowed? ──> ConnectStep
 *      ^                  │                        │
 *      └──────────────────┴────────────────────────┘
 * </pre>
 *
 * <p>The next message is read when the answer to the one before has been written. A client whose certificate names it needs no
 * login; no client of SOCKS 4 has one.
 *
 * <p>Threading: owned by the client's event loop.
 */
final class SocksStep implements Step, AccessControl.Outcome {
    private static final String METHOD = "CONNECT";

    private final ClientConnection connection;
    private final LoopConnection client;
    private final SocksParser parser;
    private final SocksProtocol protocol;
    private final boolean authenticates;
    /** Why the request is refused when it comes; null if it is not. */
    private final @Nullable RefusedException refusal;

    private ByteBuffer saying = Responses.NOTHING;
    /** When the client is to have made its request; the time of the authenticator is not the client's. */
    private long deadlineNanos;

    private long askedNanos;
    private @Nullable Authentication asking;
    private @Nullable String identity;
    private @Nullable HostPort target;
    /** Something that came behind the request waits at the client's connection. */
    private boolean spoken;

    private SocksStep(ClientConnection connection, SocksVersion version, @Nullable RefusedException refusal) {
        this.connection = connection;
        this.client = connection.client();
        this.identity = connection.facts().certifiedIdentity();
        boolean loginNeeded = access().authenticates() && identity == null;
        boolean denied =
                loginNeeded && access().refusesClient(connection.facts().address());
        this.refusal = refusal == null && denied ? Rejection.ACCESS_DENIED.exception() : refusal;
        this.authenticates = this.refusal == null && loginNeeded;
        this.parser = new SocksParser(authenticates);
        this.protocol = new SocksProtocol(version, parser);
    }

    /**
     * Begins to read a client, all of whose bytes wait at its connection.
     *
     * @param version the first of them
     * @param refusal why the request is refused when it comes, or null
     */
    static void start(ClientConnection connection, SocksVersion version, @Nullable RefusedException refusal) {
        connection.begin(new SocksStep(connection, version, refusal));
    }

    private AccessControl access() {
        return connection.context().access();
    }

    @Override
    public void begin() {
        connection.speaks(protocol);
        connection.record();
        HandlerSettings.Timeouts timeouts = connection.timeouts();
        long nanos = refusal == null ? timeouts.headNanos() : timeouts.refusedHeadNanos();
        due(connection.tunnel().startNanos() + nanos);
        read();
    }

    private void due(long thenNanos) {
        deadlineNanos = thenNanos;
        connection.due(thenNanos);
    }

    // ------------------------------------------------------------------ messages

    @Override
    public void ready(int readyOps) {
        if (saying.hasRemaining()) {
            write();
        } else {
            read();
        }
    }

    private void read() {
        ByteBuffer in = connection.loop().buffers().shared().limit(LoopBuffers.HEAD_READ);
        SocksMessage message;
        try {
            if (client.read(in) < 0) {
                connection.clientGone(null);
                return;
            }
            message = parser.feed(in.flip());
        } catch (SocksException e) {
            connection.last(protocol.refused(e), CloseReason.REFUSED, e.refusal());
            return;
        } catch (IOException e) {
            connection.clientGone(e);
            return;
        }
        if (message == null) {
            connection.waitFor(SelectionKey.OP_READ);
            return;
        }
        spoken = in.hasRemaining();
        client.unread(in);
        if (message instanceof SocksMessage.Greeting greeting) {
            say(SocksWriter.method(greeting.method()));
        } else if (message instanceof SocksMessage.Login login) {
            login(login);
        } else if (message instanceof SocksMessage.Connect connect) {
            requested(connect.target());
        }
    }

    private void say(byte[] message) {
        saying = ByteBuffer.wrap(message);
        write();
    }

    private void write() {
        try {
            client.write(saying);
        } catch (IOException e) {
            connection.clientGone(e);
            return;
        }
        if (saying.hasRemaining()) {
            connection.waitFor(SelectionKey.OP_WRITE);
        } else {
            read();
        }
    }

    // ------------------------------------------------------------------ login and request

    private void login(SocksMessage.Login login) {
        if (!authenticates) {
            loggedIn(identity);
            return;
        }
        askedNanos = connection.loop().nowNanos();
        asking = access().authenticate(connection.loop(), request(null), login.authorization(), this);
        if (connection.isAt(this)) {
            connection.waitFor(0);
        }
    }

    private void loggedIn(@Nullable String who) {
        identity = who;
        parser.authenticated();
        say(SocksWriter.authentication(true));
    }

    private void requested(HostPort asked) {
        target = asked;
        protocol.requested();
        connection.record().requested(METHOD, asked);
        connection.recorder().identified(identity);
        if (refusal != null) {
            connection.refuse(refusal, true);
            return;
        }
        asking = access().ask(connection.loop(), request(asked), null, this);
    }

    private AccessRequest request(@Nullable HostPort asked) {
        ClientFacts facts = connection.facts();
        return new AccessRequest(facts.address(), METHOD, asked, identity, List.of(), facts.tls());
    }

    @Override
    public void admitted(@Nullable String who) {
        if (!connection.isAt(this)) {
            return;
        }
        if (target == null) {
            asking = null;
            due(deadlineNanos + connection.loop().nowNanos() - askedNanos);
            connection.recorder().identified(who);
            loggedIn(who);
        } else {
            FilterStep.startTunnel(connection, target, who, List.of(), spoken);
        }
    }

    @Override
    public void refused(RefusedException reason) {
        if (connection.isAt(this)) {
            if (target == null && reason.reason() == RefusedException.Reason.AUTHENTICATION_REQUIRED) {
                connection.recorder().credentialsFailed();
            }
            connection.refuse(reason, true);
        }
    }

    // ------------------------------------------------------------------ ends

    /** While the login is being checked, the authenticator's time counts. */
    @Override
    public void timedOut() {
        if (asking == null) {
            connection.refuse(refusal == null ? Rejection.HEAD_TIMEOUT.exception() : refusal, true);
        }
    }

    @Override
    public void stopped(CloseReason reason, @Nullable Throwable cause) {
        if (asking != null) {
            asking.cancel();
        }
    }
}
