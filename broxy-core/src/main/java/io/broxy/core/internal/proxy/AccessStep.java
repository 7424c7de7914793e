package io.broxy.core.internal.proxy;

import io.broxy.AccessRequest;
import io.broxy.CloseReason;
import io.broxy.ConnectRequest;
import io.broxy.RefusedException;
import io.broxy.core.internal.http.ForwardedRequest;
import io.broxy.core.internal.http.Rejection;
import java.util.List;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * A request that waits for {@link AccessControl} to decide whether it is served: one that a {@link RequestLoop} has read, or a
 * CONNECT that the host server has read.
 *
 * <p>Threading: owned by its event loop.
 */
final class AccessStep implements Step, AccessControl.Outcome {
    /** The field that policies and filters do not see. */
    static final String CREDENTIALS = "Proxy-Authorization";

    private final ClientConnection connection;
    private final AccessRequest request;
    private final List<String> credentials;
    private final Consumer<@Nullable String> serve;
    /** Has read the request; null if the host server has. */
    private final @Nullable RequestLoop requests;
    /** Another request may follow, for all that this one says. */
    private final boolean persistent;

    private @Nullable Authentication asking;

    private AccessStep(
            ClientConnection connection,
            AccessRequest request,
            List<String> credentials,
            Consumer<@Nullable String> serve,
            @Nullable RequestLoop requests,
            boolean persistent) {
        this.connection = connection;
        this.request = request;
        this.credentials = credentials;
        this.serve = serve;
        this.requests = requests;
        this.persistent = persistent;
    }

    /**
     * Asks about a request that has been read here.
     *
     * @param requests serves the request, unless it is refused
     * @param unread whether something that came behind the request's head waits at the client's connection
     */
    static void start(RequestLoop requests, ForwardedRequest request, boolean unread) {
        ClientConnection connection = requests.connection();
        AccessStep step = new AccessStep(
                connection,
                new AccessRequest(
                        connection.facts().address(),
                        request.method(),
                        request.target().hostPort(),
                        connection.facts().certifiedIdentity(),
                        FilterFacts.fields(request),
                        connection.facts().tls()),
                request.head().fields().values(CREDENTIALS),
                identity -> requests.serve(request, identity, unread),
                requests,
                request.persistent() && request.body().isEmpty());
        connection.step(step);
        step.begin();
    }

    /**
     * Asks about a CONNECT that the host server has read. Unless the host server says that it has authenticated the client, the
     * authenticator is asked, with the credentials in the request's fields.
     */
    static void start(ClientConnection connection, ConnectRequest request) {
        connection.recorder().requested("CONNECT", request.target());
        connection.recorder().identified(request.identity());
        connection.tunnel().describe(request.target(), request.identity());
        List<ConnectRequest.Field> fields = request.fields().stream()
                .filter(field -> !areCredentials(field))
                .toList();
        connection.begin(new AccessStep(
                connection,
                new AccessRequest(
                        connection.facts().address(), "CONNECT", request.target(), request.identity(), fields, null),
                request.fields().stream()
                        .filter(AccessStep::areCredentials)
                        .map(ConnectRequest.Field::value)
                        .toList(),
                identity -> {
                    connection.client().unread(request.earlyBytes());
                    FilterStep.startTunnel(
                            connection,
                            request.target(),
                            identity,
                            fields,
                            request.earlyBytes().hasRemaining());
                },
                null,
                false));
    }

    private static boolean areCredentials(ConnectRequest.Field field) {
        return field.name().equalsIgnoreCase(CREDENTIALS);
    }

    private AccessControl access() {
        return connection.context().access();
    }

    @Override
    public void begin() {
        if (credentials.size() > 1) {
            refused(Rejection.SEVERAL_CREDENTIALS.exception());
            return;
        }
        asking = access().ask(connection.loop(), request, credentials.isEmpty() ? null : credentials.get(0), this);
        if (connection.isAt(this)) {
            connection.waitFor(0);
        }
    }

    @Override
    public void admitted(@Nullable String identity) {
        if (connection.isAt(this)) {
            connection.recorder().identified(identity);
            serve.accept(identity);
        }
    }

    /** Without credentials the client may try again; else it has to come again. */
    @Override
    public void refused(RefusedException refusal) {
        if (!connection.isAt(this)) {
            return;
        }
        boolean withBody = !request.method().equals("HEAD");
        if (refusal.reason() == RefusedException.Reason.AUTHENTICATION_REQUIRED) {
            unauthenticated(refusal, withBody);
        } else {
            connection.refuse(refusal, withBody);
        }
    }

    private void unauthenticated(RefusedException refusal, boolean withBody) {
        boolean mayRetry = persistent && requests != null && requests.mayPersist();
        Answer reply = Responses.unauthenticated(refusal, access().challenges(), withBody, mayRetry);
        if (!credentials.isEmpty()) {
            connection.recorder().credentialsFailed();
        }
        if (requests == null) {
            connection.last(reply, CloseReason.REFUSED, refusal);
        } else {
            connection.metrics().refused(refusal);
            connection.recorder().refused(refusal);
            requests.answer(reply, mayRetry);
        }
    }

    @Override
    public void stopped(CloseReason reason, @Nullable Throwable cause) {
        if (asking != null) {
            asking.cancel();
        }
    }
}
