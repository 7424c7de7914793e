package io.broxy.core.internal.proxy;

import io.broxy.AccessRequest;
import io.broxy.CloseReason;
import io.broxy.ConnectRequest;
import io.broxy.RefusedException;
import io.broxy.RefusedException.Reason;
import io.broxy.core.internal.http.Rejection;
import org.jspecify.annotations.Nullable;

/**
 * A CONNECT whose head the host server has read, until its client is authenticated and the request is allowed. Unless
 * the host server says that it has authenticated the client, the authenticator is asked, with the credentials in the
 * request's fields.
 *
 * <p>Threading: owned by the client's event loop.
 */
final class ParsedConnect implements Step, AccessControl.Outcome {
    private static final String CREDENTIALS = "Proxy-Authorization";

    private final ClientConnection connection;
    private final ConnectRequest request;
    private AccessControl.@Nullable Asking asking;

    private ParsedConnect(ClientConnection connection, ConnectRequest request) {
        this.connection = connection;
        this.request = request;
    }

    /** Serves the request. */
    static void start(ClientConnection connection, ConnectRequest request) {
        ParsedConnect connect = new ParsedConnect(connection, request);
        connection.recorder().requested("CONNECT", request.target());
        connection.tunnel().describe(request.target(), request.identity());
        connection.begin(connect, connect::check);
    }

    private void check() {
        if (credentialLines() > 1) {
            refused(Rejection.SEVERAL_CREDENTIALS.exception());
            return;
        }
        String identity = request.identity();
        AccessRequest asked = new AccessRequest(connection.clientAddress(), "CONNECT", request.target(), identity);
        if (identity == null) {
            ask(asked);
            return;
        }
        connection.recorder().identified(identity);
        RefusedException refusal = access().check(asked);
        if (refusal == null) {
            admitted(identity);
        } else {
            refused(refusal);
        }
    }

    private void ask(AccessRequest asked) {
        AccessControl.Asking begun = access().ask(connection.loop(), asked, credentials(), this);
        if (connection.isAt(this)) {
            asking = begun;
            connection.waitFor(0);
        }
    }

    private AccessControl access() {
        return connection.context().access();
    }

    private long credentialLines() {
        return request.fields().stream().filter(ParsedConnect::areCredentials).count();
    }

    private @Nullable String credentials() {
        return request.fields().stream()
                .filter(ParsedConnect::areCredentials)
                .findFirst()
                .map(ConnectRequest.Field::value)
                .orElse(null);
    }

    private static boolean areCredentials(ConnectRequest.Field field) {
        return field.name().equalsIgnoreCase(CREDENTIALS);
    }

    // ------------------------------------------------------------------ the decision

    @Override
    public void admitted(@Nullable String identity) {
        if (connection.isAt(this)) {
            connection.recorder().identified(identity);
            connection.client().unread(request.earlyBytes());
            ConnectStep.start(
                    connection, request.target(), identity, request.earlyBytes().hasRemaining());
        }
    }

    @Override
    public void refused(RefusedException refusal) {
        if (!connection.isAt(this)) {
            return;
        }
        if (refusal.reason() != Reason.AUTHENTICATION_REQUIRED) {
            connection.refuse(refusal, true);
            return;
        }
        if (credentials() != null) {
            connection.recorder().credentialsFailed();
        }
        connection.last(
                Responses.unauthenticated(refusal, access().challenges(), true, false), CloseReason.REFUSED, refusal);
    }

    @Override
    public void stopped(CloseReason reason, @Nullable Throwable cause) {
        if (asking != null) {
            asking.cancel();
        }
    }
}
