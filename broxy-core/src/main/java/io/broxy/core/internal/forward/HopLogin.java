package io.broxy.core.internal.forward;

import io.broxy.ConnPool;
import io.broxy.DialException;
import io.broxy.ProxyAuthentication;
import io.broxy.ProxyReply;
import io.broxy.core.internal.http.ForwardedRequest;
import io.broxy.core.internal.http.ForwardedResponse;
import io.broxy.core.internal.loop.EventLoop;
import io.broxy.core.internal.upstream.HttpHop;
import io.broxy.core.internal.upstream.LoginLegs;
import io.broxy.core.internal.upstream.ProxyAuthorization;
import io.broxy.core.internal.upstream.ProxyLogin;
import java.nio.ByteBuffer;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * The login of a forwarded request at the proxy that it goes to, over one connection or several.
 *
 * <p>Threading: owned by its event loop.
 */
final class HopLogin {
    private final ForwardedRequest request;
    private final ExchangeOwner owner;
    private final EventLoop loop;

    private final LoginLegs legs = new LoginLegs();
    private @Nullable ChallengeBody body;

    /** Where the connection leads that is still to come for the credentials; null if they are sent. */
    private ConnPool.@Nullable Key pending;

    HopLogin(ForwardedRequest request, ExchangeOwner owner, EventLoop loop) {
        this.request = request;
        this.owner = owner;
        this.loop = loop;
    }

    /**
     * Gets the credentials for a connection that was just leased.
     *
     * @param ready runs before this returns if they are there, or none are wanted
     */
    void first(HttpHop hop, Runnable ready, Consumer<DialException> failed) {
        boolean goesOn = hop.key().equals(pending);
        pending = null;
        if (goesOn) {
            ready.run();
            return;
        }
        legs.begin(hop.credentials() == ProxyAuthorization.NONE ? null : begin(hop));
        legs.first(ready, failed);
    }

    private ProxyLogin begin(HttpHop hop) {
        return hop.credentials()
                .begin(
                        loop,
                        () -> new ProxyAuthentication.Request(
                                hop.key().address(),
                                request.target().hostPort(),
                                request.method(),
                                request.target().absoluteForm(),
                                owner.client()));
    }

    /** The value of {@code Proxy-Authorization} for the current leg, or null for none. */
    @Nullable
    String credentials() {
        return legs.credentials();
    }

    /** Whether the scheme of the current hop answers challenges. */
    boolean answersChallenges() {
        return legs.answersChallenges();
    }

    /** Whether another challenge would be answered. */
    boolean mayAnswer() {
        return legs.mayAnswer();
    }

    /**
     * Gets the credentials of the next leg, and reads past the challenge's body meanwhile.
     *
     * @param rest what has come behind the challenge's head
     * @param ready gets whether there are credentials, or the scheme gives up
     */
    void answer(
            UpstreamConnection over,
            ForwardedResponse received,
            ByteBuffer rest,
            Consumer<Boolean> ready,
            Consumer<DialException> failed) {
        ChallengeBody behind = new ChallengeBody(over.connection(), received);
        body = behind;
        behind.begin(rest);
        legs.answer(reply(received), answered -> behind.whenEnded(() -> ready.accept(answered)), failed);
    }

    private static ProxyReply reply(ForwardedResponse received) {
        return new ProxyReply(
                ProxyReply.Protocol.HTTP, received.status(), received.fields().list(), ByteBuffer.allocate(0));
    }

    /** Whether the connection that brought the challenge takes its answer. */
    boolean isConnectionKept() {
        return body != null && body.isWhole();
    }

    /** Whether the current leg can go over no other connection than that of its challenge. */
    boolean isBound() {
        return legs.isBound();
    }

    /** The current leg goes over a connection that is still to come, to the same hop. */
    void moveOn(HttpHop hop) {
        legs.leaveChallenge();
        pending = hop.key();
    }

    /** The proxy has answered, and not with a challenge: the scheme may want to look at that. */
    void accepted(ForwardedResponse received, Consumer<DialException> failed) {
        if (legs.answersChallenges()) {
            legs.accepted(reply(received), () -> {}, failed);
        }
    }

    /** Begins the failure of the login, with the challenge that it failed at. */
    DialException.Builder failure(HttpHop hop, @Nullable Throwable cause) {
        return hop.failure(DialException.Reason.PROXY_AUTH, request.target().hostPort())
                .proxyReply(legs.challenge())
                .cause(cause);
    }

    /** Waits for no body any more. */
    void cancel() {
        if (body != null) {
            body.cancel();
        }
    }
}
