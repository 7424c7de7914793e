package io.broxy.core.internal.proxy;

import io.broxy.AccessRequest;
import io.broxy.CloseReason;
import io.broxy.ConnectRequest;
import io.broxy.RefusedException;
import io.broxy.RefusedException.Reason;
import io.broxy.core.internal.loop.ChannelEvents;
import io.broxy.core.internal.relay.Stage;
import java.io.IOException;
import org.jspecify.annotations.Nullable;

/**
 * A CONNECT whose head the host server has read, until its client is authenticated and the request is allowed. Unless
 * the host server says that it has authenticated the client, the authenticator is asked, with the credentials in the
 * request's fields.
 *
 * <p>Threading: owned by the client's event loop, but for {@link #end}.
 */
final class ParsedConnect implements ChannelEvents, Stage, AccessControl.Outcome {
    private static final String CREDENTIALS = "Proxy-Authorization";

    private final ClientConnection served;
    private final ConnectRequest request;
    private AccessControl.@Nullable Asking asking;
    private boolean over;

    private ParsedConnect(ClientConnection served, ConnectRequest request) {
        this.served = served;
        this.request = request;
    }

    /** Serves the request. */
    static void start(ClientConnection served, ConnectRequest request) {
        ParsedConnect connect = new ParsedConnect(served, request);
        served.client().handler(connect);
        served.tunnel().visit().requested("CONNECT", request.target());
        served.tunnel().describe(request.target(), request.identity());
        served.tunnel().stage(connect);
        if (connect.over) {
            return; // its end was asked for before
        }
        try {
            connect.check();
        } catch (RuntimeException | Error e) { // such as no memory for a buffer
            served.logFailure(e);
            connect.abandoned(e);
        }
    }

    private void check() {
        if (credentialLines() > 1) {
            refused(Rejections.severalCredentials());
            return;
        }
        String identity = request.identity();
        AccessRequest asked = new AccessRequest(served.clientAddress(), "CONNECT", request.target(), identity);
        if (identity == null) {
            ask(asked);
            return;
        }
        served.tunnel().visit().identified(identity);
        RefusedException refusal = gate().check(asked);
        if (refusal == null) {
            admitted(identity);
        } else {
            refused(refusal);
        }
    }

    private void ask(AccessRequest asked) {
        AccessControl.Asking begun = gate().ask(served.loop(), asked, credentials(), this);
        if (over) {
            return;
        }
        asking = begun;
        try {
            served.client().interest(0);
        } catch (IOException e) {
            close(CloseReason.CLIENT_GONE, e);
        }
    }

    private AccessControl gate() {
        return served.handler().gate();
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
        if (over) {
            return;
        }
        over = true;
        served.tunnel().visit().identified(identity);
        served.client().unread(request.earlyBytes());
        ConnectStep.start(
                served, request.target(), identity, request.earlyBytes().hasRemaining());
    }

    @Override
    public void refused(RefusedException refusal) {
        if (over) {
            return;
        }
        over = true;
        if (refusal.reason() != Reason.AUTHENTICATION_REQUIRED) {
            ClientSession.turnAway(served, refusal);
            return;
        }
        if (credentials() != null) {
            served.tunnel().visit().credentialsFailed();
        }
        FinalResponse.start(
                served,
                Responses.unauthenticated(refusal, gate().challenges(), true, false),
                CloseReason.REFUSED,
                refusal);
    }

    // ------------------------------------------------------------------ ends

    /** Nothing is asked of the connection. */
    @Override
    public void ready(int readyOps) {}

    @Override
    public void end(CloseReason reason) {
        served.onLoop(() -> close(reason, null));
    }

    private void close(CloseReason reason, @Nullable Throwable cause) {
        if (over) {
            return;
        }
        over = true;
        if (asking != null) {
            asking.cancel();
        }
        served.client().abort();
        served.over(reason, cause);
    }

    @Override
    public void abandoned(Throwable cause) {
        CloseReason reason = served.reasonOfAbandon();
        close(reason, reason == CloseReason.FAILED ? cause : null);
    }
}
