package io.broxy.core.internal.proxy;

import io.broxy.AccessRequest;
import io.broxy.CloseReason;
import io.broxy.RefusedException;
import io.broxy.core.internal.http.ForwardedRequest;
import java.nio.ByteBuffer;
import org.jspecify.annotations.Nullable;

/**
 * A request that waits at the gate, where somebody has to be asked who its client is and whether he may.
 *
 * <p>Threading: owned by its event loop.
 */
final class AccessStep implements Conversation.Step, AccessControl.Outcome {

    /** Goes on with a request that was let in. Threading: owned by its event loop. */
    @FunctionalInterface
    interface Admitted {
        /** Serves it; null for an identity that nobody asked for. */
        void serve(ForwardedRequest request, @Nullable String identity, boolean unread);
    }

    private final Conversation conversation;
    private final ForwardedRequest request;
    private final boolean unread;
    private final Admitted admitted;
    private AccessControl.@Nullable Asking asking;

    private AccessStep(Conversation conversation, ForwardedRequest request, boolean unread, Admitted admitted) {
        this.conversation = conversation;
        this.request = request;
        this.unread = unread;
        this.admitted = admitted;
    }

    /**
     * Asks.
     *
     * @param unread whether something that came behind the request's head waits at the client's connection
     * @param admitted told, unless the request is refused
     */
    static void start(Conversation conversation, ForwardedRequest request, boolean unread, Admitted admitted) {
        AccessStep admittance = new AccessStep(conversation, request, unread, admitted);
        conversation.step(admittance);
        admittance.ask();
    }

    private AccessControl gate() {
        return conversation.served().handler().gate();
    }

    private void ask() {
        ClientConnection served = conversation.served();
        AccessRequest asked = new AccessRequest(
                served.clientAddress(), request.method(), request.target().hostPort(), null);
        asking = gate().ask(served.loop(), asked, credentials(), this);
        if (conversation.isAt(this)) {
            conversation.waitFor(0);
        }
    }

    private @Nullable String credentials() {
        return request.head().fields().first("Proxy-Authorization");
    }

    @Override
    public void admitted(@Nullable String identity) {
        if (conversation.isAt(this)) {
            conversation.served().tunnel().visit().identified(identity);
            admitted.serve(request, identity, unread);
        }
    }

    /** Without credentials the client may try again; else it has to come again. */
    @Override
    public void refused(RefusedException refusal) {
        if (!conversation.isAt(this)) {
            return;
        }
        boolean withBody = !request.method().equals("HEAD");
        if (refusal.reason() == RefusedException.Reason.AUTHENTICATION_REQUIRED) {
            unauthenticated(refusal, withBody);
        } else {
            conversation.refuse(refusal, withBody);
        }
    }

    private void unauthenticated(RefusedException refusal, boolean withBody) {
        ClientConnection served = conversation.served();
        boolean persistent = conversation.mayPersist(request);
        ByteBuffer reply = Responses.unauthenticated(refusal, gate().challenges(), withBody, persistent);
        served.handler().accounting().refused(refusal);
        if (credentials() != null) {
            served.tunnel().visit().credentialsFailed();
        }
        served.tunnel().visit().refused(refusal);
        conversation.answer(reply, persistent);
    }

    /** Whoever is asked has a time of its own. */
    @Override
    public void timedOut() {}

    @Override
    public void stopped(CloseReason reason, @Nullable Throwable cause) {
        if (asking != null) {
            asking.cancel();
        }
    }
}
