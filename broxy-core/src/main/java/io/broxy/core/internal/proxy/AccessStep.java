package io.broxy.core.internal.proxy;

import io.broxy.AccessRequest;
import io.broxy.CloseReason;
import io.broxy.RefusedException;
import io.broxy.core.internal.http.ForwardedRequest;
import java.nio.ByteBuffer;
import org.jspecify.annotations.Nullable;

/**
 * A request that waits for {@link AccessControl} to decide whether it is served.
 *
 * <p>Threading: owned by its event loop.
 */
final class AccessStep implements Step, AccessControl.Outcome {
    private final RequestLoop requests;
    private final ClientConnection connection;
    private final ForwardedRequest request;
    private final boolean unread;
    private AccessControl.@Nullable Asking asking;

    private AccessStep(RequestLoop requests, ForwardedRequest request, boolean unread) {
        this.requests = requests;
        this.connection = requests.connection();
        this.request = request;
        this.unread = unread;
    }

    /**
     * Asks.
     *
     * @param requests serves the request, unless it is refused
     * @param unread whether something that came behind the request's head waits at the client's connection
     */
    static void start(RequestLoop requests, ForwardedRequest request, boolean unread) {
        AccessStep step = new AccessStep(requests, request, unread);
        step.connection.step(step);
        step.ask();
    }

    private AccessControl access() {
        return connection.context().access();
    }

    private void ask() {
        AccessRequest asked = new AccessRequest(
                connection.clientAddress(), request.method(), request.target().hostPort(), null);
        asking = access().ask(connection.loop(), asked, credentials(), this);
        if (connection.isAt(this)) {
            connection.waitFor(0);
        }
    }

    private @Nullable String credentials() {
        return request.head().fields().first("Proxy-Authorization");
    }

    @Override
    public void admitted(@Nullable String identity) {
        if (connection.isAt(this)) {
            connection.recorder().identified(identity);
            requests.serve(request, identity, unread);
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
        boolean persistent = requests.mayPersist(request);
        ByteBuffer reply = Responses.unauthenticated(refusal, access().challenges(), withBody, persistent);
        connection.metrics().refused(refusal);
        if (credentials() != null) {
            connection.recorder().credentialsFailed();
        }
        connection.recorder().refused(refusal);
        requests.answer(reply, persistent);
    }

    @Override
    public void stopped(CloseReason reason, @Nullable Throwable cause) {
        if (asking != null) {
            asking.cancel();
        }
    }
}
