package io.broxy.core.internal.proxy;

import io.broxy.CloseReason;
import io.broxy.DialException;
import io.broxy.DialRequest;
import io.broxy.FieldEdits;
import io.broxy.FilterResponse;
import io.broxy.HostPort;
import io.broxy.OriginException;
import io.broxy.RefusedException;
import io.broxy.ResponseDecision;
import io.broxy.ResponseFilter;
import io.broxy.core.internal.forward.Exchange;
import io.broxy.core.internal.forward.ExchangeOwner;
import io.broxy.core.internal.forward.PinnedConnections;
import io.broxy.core.internal.http.ForwardedRequest;
import io.broxy.core.internal.http.ForwardedResponse;
import io.broxy.core.internal.http.Rejection;
import io.broxy.core.internal.loop.Throttles;
import io.broxy.core.internal.net.LoopConnection;
import io.broxy.core.internal.relay.Relay;
import io.broxy.core.internal.relay.TunnelHandle;
import java.io.IOException;
import java.net.InetAddress;
import java.nio.ByteBuffer;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * Forwards requests of plain HTTP, one after another: begins each exchange, accounts for it, and goes on as it ends.
 *
 * <pre>
 *   begin ──> exchange ──┬─ completed, persistent ──────────> the next request
 *                        ├─ failed, all of it was read ─────> a response, and the next request
 *                        ├─ failed, completed, cut ─────────> the last response, which may be empty
 *                        ├─ cut where only a reset shows it > closed
 *                        └─ upgraded ───────────────────────> a tunnel
 * </pre>
 *
 * <p>Threading: owned by its event loop.
 */
final class ForwardStep implements Step, ExchangeOwner {
    private static final int BAD_GATEWAY = 502;

    private final RequestLoop requests;
    private final ClientConnection connection;
    private final TunnelHandle tunnel;
    private @Nullable Exchange exchange;
    private @Nullable String identity;
    private @Nullable TargetDialer dialer;

    ForwardStep(RequestLoop requests) {
        this.requests = requests;
        this.connection = requests.connection();
        this.tunnel = connection.tunnel();
    }

    /**
     * Begins to forward a request.
     *
     * @param newIdentity of the client in this request, or null
     * @param unread whether something that came behind the request's head waits at the client's connection
     * @param dialer dials its target, if it has to be
     */
    void begin(ForwardedRequest request, @Nullable String newIdentity, boolean unread, TargetDialer dialer) {
        if (!connection.metrics().tryBeginExchange()) {
            connection.refuse(Rejection.DRAINING.exception(), !request.method().equals("HEAD"));
            return;
        }
        connection.step(this);
        this.dialer = dialer;
        identity = newIdentity;
        connection.identified(newIdentity);
        Exchange next =
                new Exchange(connection.context().settings().forwarding(), request, connection.client(), unread, this);
        exchange = next;
        next.start(dialer, dialer.request(connection, next.target()));
    }

    // ------------------------------------------------------------------ what the exchange asks

    @Override
    public boolean mayPersist() {
        return requests.mayPersist();
    }

    @Override
    public boolean mayHaveThreads() {
        return connection.account().admission().mayHaveThreads();
    }

    @Override
    public @Nullable InetAddress clientAddress() {
        return connection.facts().address();
    }

    @Override
    public DialRequest.@Nullable Client client() {
        return connection.facts().dialsFor();
    }

    @Override
    public void due(long thenNanos) {
        connection.due(thenNanos);
    }

    @Override
    public @Nullable Throttles throttles() {
        return connection.throttles();
    }

    @Override
    public void dialed(LoopConnection origin, long nanos) {
        connection.account().dialed(origin, nanos);
    }

    @Override
    public ForwardedResponse filter(ForwardedResponse response) throws RefusedException {
        long now = connection.context().engine().ticker().nanos();
        connection.metrics().responseTimes().record(now - requests.headNanos());
        Exchange current = exchange;
        ResponseFilter filter = connection.context().settings().filters().response();
        return filter == null || current == null ? response : response.with(edits(filter, current.request(), response));
    }

    private FieldEdits edits(ResponseFilter filter, ForwardedRequest request, ForwardedResponse response)
            throws RefusedException {
        ResponseDecision decision;
        try {
            decision = Objects.requireNonNull(
                    filter.decide(new FilterResponse(
                            FilterFacts.of(connection, request, identity),
                            response.status(),
                            response.fields().list())),
                    "the filter gave no decision");
        } catch (RuntimeException | Error e) {
            DefaultProxyHandler.log.error("a response filter failed, which refuses the response", e);
            throw Rejection.RESPONSE_FILTER_FAILED.exception();
        }
        if (decision instanceof ResponseDecision.Refuse refusal) {
            throw Rejection.filtered(BAD_GATEWAY, refusal.text());
        }
        return ((ResponseDecision.Pass) decision).edits();
    }

    @Override
    public PinnedConnections pinned() {
        return connection.pinned();
    }

    @Override
    public @Nullable String identity() {
        return identity;
    }

    // ------------------------------------------------------------------ how it ends

    @Override
    public void completed(boolean persistent) {
        endExchange(CloseReason.FINISHED, null);
        if (persistent) {
            requests.next();
        } else {
            connection.last(Answer.NONE, CloseReason.FINISHED, null);
        }
    }

    @Override
    public void failed(IOException failure, boolean requestRead) {
        Exchange failed = takeExchange();
        boolean withBody = !failed.request().method().equals("HEAD");
        boolean persistent = requestRead && failed.request().persistent() && mayPersist();
        Answer reply;
        CloseReason reason = CloseReason.FAILED;
        if (failure instanceof DialException dial) {
            connection.recorder().dialFailed(dial);
            reply = Responses.failed(dial, withBody, persistent);
            reason = CloseReason.DIAL_FAILED;
        } else if (failure instanceof OriginException origin) {
            reply = Responses.noResponse(origin, withBody, persistent);
            reason = CloseReason.ORIGIN_RESET;
        } else if (failure instanceof RefusedException refusal) {
            endExchange(failed, refusal.status(), CloseReason.REFUSED, refusal);
            connection.refuse(refusal, withBody);
            return;
        } else {
            reply = Responses.internalError();
            persistent = false;
        }
        endExchange(failed, reply.status(), reason, failure);
        if (persistent) {
            if (failure instanceof DialException dial) {
                connection.metrics().dialFailed(dial); // else it is counted with the connection's end
            }
            requests.answer(reply, true);
        } else {
            connection.last(reply, reason, failure);
        }
    }

    @Override
    public void cut(CloseReason reason, @Nullable Throwable cause, boolean hidden) {
        endExchange(reason, cause);
        if (hidden) {
            connection.abort(reason, cause);
        } else {
            connection.last(Answer.NONE, reason, cause);
        }
    }

    @Override
    public void clientGone(@Nullable IOException cause) {
        connection.clientGone(cause);
    }

    @Override
    public void upgraded(LoopConnection origin, @Nullable ByteBuffer toClient) {
        Exchange upgraded = takeExchange();
        tunnel.describe(upgraded.target(), identity);
        connection.leave();
        ByteBuffer answer = toClient;
        int uncounted = 0;
        if (answer == null) {
            answer = connection.protocol().established(connection.loop().buffers(), origin);
            uncounted = answer.remaining();
        } else {
            tunnel.passedBefore(upgraded.bytesToOrigin(), upgraded.bytesToClient());
        }
        connection.metrics().exchangeBecameTunnel();
        connection.account().tunnelEstablished(origin.peer());
        Relay.start(
                connection.client(),
                origin,
                connection.timeouts().idleness(),
                tunnel,
                connection.throttles(),
                null,
                answer,
                uncounted);
    }

    /** The exchange comes to nothing, and is recorded with the tunnel. */
    @Override
    public void dialInstead(boolean unread) {
        HostPort target = takeExchange().target();
        TargetDialer dials = Objects.requireNonNull(dialer, "there is no dialer");
        connection.leave();
        connection.metrics().endExchange(0, 0);
        ConnectStep.start(connection, target, identity, unread, dials);
    }

    @Override
    public void abandoned(Throwable cause) {
        connection.abandoned(cause);
    }

    private Exchange takeExchange() {
        Exchange ended = exchange;
        if (ended == null) {
            throw new IllegalStateException("there is no exchange");
        }
        exchange = null;
        connection.account().exchangeEnded();
        return ended;
    }

    private void endExchange(CloseReason reason, @Nullable Throwable cause) {
        Exchange ended = takeExchange();
        endExchange(ended, ended.status(), reason, cause);
    }

    private void endExchange(Exchange ended, int status, CloseReason reason, @Nullable Throwable cause) {
        long toOrigin = ended.bytesToOrigin();
        long toClient = ended.bytesToClient();
        connection.recorder().exchanged(status, toOrigin, toClient, reason, cause, ended.peer());
        connection.metrics().endExchange(toOrigin, toClient);
        if (reason == CloseReason.REFUSED) {
            connection.account().endsWithExchange();
        }
    }

    // ------------------------------------------------------------------ ends from outside

    @Override
    public void timedOut() {
        Exchange late = exchange;
        if (late != null) {
            late.timedOut();
        }
        if (exchange != null) {
            connection.due(exchange.deadlineNanos());
        }
    }

    @Override
    public void stopped(CloseReason reason, @Nullable Throwable cause) {
        if (exchange != null) {
            exchange.cancel();
            endExchange(reason, cause);
        }
    }
}
