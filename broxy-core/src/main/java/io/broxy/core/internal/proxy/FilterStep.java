package io.broxy.core.internal.proxy;

import io.broxy.CloseReason;
import io.broxy.ConnectRequest;
import io.broxy.FilterRequest;
import io.broxy.HostPort;
import io.broxy.LocalResponse;
import io.broxy.RefusedException;
import io.broxy.RequestDecision;
import io.broxy.core.internal.http.ClientNaming;
import io.broxy.core.internal.http.ForwardedRequest;
import io.broxy.core.internal.http.Rejection;
import java.net.InetAddress;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * A request that is allowed and that the embedder's filter decides about, before anything is dialed. Every tunnel and every
 * forwarded request comes by here.
 *
 * <pre>
 *                       no filter, or passed
 *   allowed ──┬────────────────────────────────────> ConnectStep, ForwardStep
 *             │                             ^
 *             └──> asked (it may block) ────┤
 *                                           └──────> refused, or answered
 * </pre>
 *
 * <p>Threading: owned by the client's event loop, but for {@link #ask}, which runs on the callback executor.
 */
final class FilterStep implements Step {
    private final ClientConnection connection;
    private final HandlerSettings.Filters filters;
    private final FilterRequest request;
    private final Filtered filtered;

    private FilterStep(ClientConnection connection, FilterRequest request, Filtered filtered) {
        this.connection = connection;
        this.filters = connection.context().settings().filters();
        this.request = request;
        this.filtered = filtered;
    }

    /** What the decision is about. Threading: owned by its event loop. */
    private interface Filtered {
        void pass(RequestDecision.Pass pass);

        void answer(LocalResponse response);
    }

    /** Whether there is no filter. */
    private static boolean isOpen(ClientConnection connection) {
        return connection.context().settings().filters().request() == null;
    }

    // ------------------------------------------------------------------ tunnels

    /**
     * Serves a CONNECT that is allowed.
     *
     * @param connect opens the tunnel by a dialer
     */
    static void startTunnel(
            ClientConnection connection,
            ForwardedRequest request,
            @Nullable String identity,
            Consumer<TargetDialer> connect) {
        if (isOpen(connection)) {
            connect.accept(connection.context().dialer());
        } else {
            startTunnel(connection, request.target().hostPort(), identity, FilterFacts.fields(request), connect);
        }
    }

    /**
     * Serves a request for a tunnel that is allowed.
     *
     * @param fields without credentials; empty if the client does not speak HTTP
     * @param unread whether something that came behind the request waits at the client's connection
     */
    static void startTunnel(
            ClientConnection connection,
            HostPort target,
            @Nullable String identity,
            List<ConnectRequest.Field> fields,
            boolean unread) {
        startTunnel(connection, target, identity, fields, dialer -> {
            connection.leave();
            ConnectStep.start(connection, target, identity, unread, dialer);
        });
    }

    private static void startTunnel(
            ClientConnection connection,
            HostPort target,
            @Nullable String identity,
            List<ConnectRequest.Field> fields,
            Consumer<TargetDialer> connect) {
        if (isOpen(connection)) {
            connect.accept(connection.context().dialer());
        } else {
            connection.tunnel().describe(target, identity);
            FilterRequest request = FilterFacts.ofTunnel(connection, target, identity, fields);
            new FilterStep(connection, request, new Tunnel(connection, connect)).start();
        }
    }

    /** Threading: immutable. */
    private record Tunnel(ClientConnection connection, Consumer<TargetDialer> connect) implements Filtered {
        @Override
        public void pass(RequestDecision.Pass pass) {
            connect.accept(connection.context().dialer().or(pass.dialer()));
        }

        /**
         * A success would open a tunnel to nowhere (RFC 9110 section 9.3.6). A client that does not speak HTTP gets the refusal of
         * its own protocol.
         */
        @Override
        public void answer(LocalResponse response) {
            if (response.status() < 300) {
                DefaultProxyHandler.log.error("a request filter answered CONNECT with {}", response.status());
                connection.refuse(Rejection.FILTER_FAILED.exception(), true);
                return;
            }
            RefusedException refusal = Rejection.filtered(response.status(), "answered by the filter");
            if (connection.protocol() == ClientProtocol.HTTP) {
                connection.last(Responses.own(response, true, false), CloseReason.REFUSED, refusal);
            } else {
                connection.refuse(refusal, true);
            }
        }
    }

    // ------------------------------------------------------------------ forwarded requests

    /**
     * Serves a request that is allowed and is to be forwarded.
     *
     * @param unread whether something that came behind the request's head waits at the client's connection
     */
    static void startForwarding(
            RequestLoop requests,
            ForwardStep forwarding,
            ForwardedRequest request,
            @Nullable String identity,
            boolean unread) {
        ClientConnection connection = requests.connection();
        if (isOpen(connection)) {
            forwarding.begin(
                    named(connection, request),
                    identity,
                    unread,
                    connection.context().dialer());
        } else {
            new FilterStep(
                            connection,
                            FilterFacts.of(connection, request, identity),
                            new Forwarded(requests, forwarding, named(connection, request), identity, unread))
                    .start();
        }
    }

    /** The request as it names its client to the origin. */
    private static ForwardedRequest named(ClientConnection connection, ForwardedRequest request) {
        ClientNaming naming = connection.context().settings().filters().naming();
        if (naming.isPassed()) {
            return request;
        }
        InetAddress address = connection.facts().address();
        return naming.apply(request, address == null ? null : address.getHostAddress());
    }

    /** Threading: immutable. */
    private record Forwarded(
            RequestLoop requests,
            ForwardStep forwarding,
            ForwardedRequest request,
            @Nullable String identity,
            boolean unread)
            implements Filtered {
        @Override
        public void pass(RequestDecision.Pass pass) {
            forwarding.begin(
                    request.with(pass.edits()),
                    identity,
                    unread,
                    requests.connection().context().dialer().or(pass.dialer()));
        }

        @Override
        public void answer(LocalResponse response) {
            ClientConnection connection = requests.connection();
            boolean withBody = !request.method().equals("HEAD");
            if (!connection.metrics().tryBeginExchange()) {
                connection.refuse(Rejection.DRAINING.exception(), withBody);
                return;
            }
            connection.account().exchangeEnded();
            connection.metrics().endExchange(0, 0);
            connection.recorder().exchanged(response.status(), 0, 0, CloseReason.FINISHED, null, null);
            boolean persistent = requests.mayPersist(request);
            requests.answer(Responses.own(response, withBody, persistent), persistent);
        }
    }

    // ------------------------------------------------------------------ asking

    private void start() {
        if (filters.blocking()) {
            connection.begin(this);
        } else {
            decided(decide());
        }
    }

    @Override
    public void begin() {
        connection.due(connection.loop().nowNanos() + filters.timeoutNanos());
        connection.waitFor(0);
        if (!connection.isAt(this)) {
            return;
        }
        try {
            connection.context().engine().workers().callbacks().execute(this::ask);
        } catch (RejectedExecutionException e) {
            refuse(Rejection.FILTER_TIMEOUT.exception()); // the engine ends
        }
    }

    /** On a thread for user code. */
    private void ask() {
        RequestDecision decision = decide();
        connection.onLoop(() -> {
            if (connection.isAt(this)) { // else it is too late
                decided(decision);
            }
        });
    }

    /** Null if there is no decision. */
    private @Nullable RequestDecision decide() {
        try {
            return Objects.requireNonNull(
                    Objects.requireNonNull(filters.request()).decide(request), "the filter gave no decision");
        } catch (Throwable e) { // it is the user's code
            DefaultProxyHandler.log.error("a request filter failed, which refuses the request", e);
            return null;
        }
    }

    private void decided(@Nullable RequestDecision decision) {
        if (decision instanceof RequestDecision.Pass pass) {
            filtered.pass(pass);
        } else if (decision instanceof RequestDecision.Answer answer) {
            filtered.answer(answer.response());
        } else if (decision instanceof RequestDecision.Refuse refusal) {
            refuse(Rejection.filtered(refusal.status(), refusal.text()));
        } else {
            refuse(Rejection.FILTER_FAILED.exception());
        }
    }

    private void refuse(RefusedException refusal) {
        connection.refuse(refusal, !request.method().equals("HEAD"));
    }

    @Override
    public void timedOut() {
        DefaultProxyHandler.log.warn(
                "a request filter did not decide within {} ms", TimeUnit.NANOSECONDS.toMillis(filters.timeoutNanos()));
        refuse(Rejection.FILTER_TIMEOUT.exception());
    }
}
