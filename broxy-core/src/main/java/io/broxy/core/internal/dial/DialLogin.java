package io.broxy.core.internal.dial;

import io.broxy.DialException;
import io.broxy.HostPort;
import io.broxy.ProxyAuthentication;
import io.broxy.ProxyReply;
import io.broxy.core.internal.upstream.LoginLegs;
import java.util.Objects;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * The login of one dial at its proxy. Which connection its legs go over is the dial's matter.
 *
 * <p>Threading: owned by its event loop.
 */
final class DialLogin {
    private final Dial dial;
    private final TunnelDialer dialer;
    private final Consumer<DialException.Builder> failed;

    private final LoginLegs legs = new LoginLegs();

    /**
     * Creates the login.
     *
     * @param failed runs when a scheme fails in place of what it was asked for, maybe after the dial's end
     */
    DialLogin(Dial dial, TunnelDialer dialer, Consumer<DialException.Builder> failed) {
        this.dial = dial;
        this.dialer = dialer;
        this.failed = failed;
        restart();
    }

    /** Begins from the start: credentials that were sent may have been seen, and be good for once. */
    void restart() {
        legs.begin(dialer.authorization.begin(dial.loop(), () -> {
            HostPort target = dial.target();
            return new ProxyAuthentication.Request(
                    dialer.proxy(),
                    target,
                    "CONNECT",
                    target.toString(),
                    dial.request().client());
        }));
    }

    /** Gets the credentials of the first leg. */
    void first(Runnable ready) {
        legs.first(ready, this::failed);
    }

    /** The value of {@code Proxy-Authorization} for the current leg, or null for none. */
    @Nullable
    String credentials() {
        return legs.credentials();
    }

    /** Whether a refusal is a challenge that the scheme may answer. */
    boolean mayAnswer(HandshakeException refusal) {
        return refusal.isHttp(ConnectHandshake.PROXY_AUTHENTICATION_REQUIRED)
                && legs.mayAnswer()
                && dial.leftNanos() > 0;
    }

    /**
     * Gets the credentials of the next leg.
     *
     * @param ready gets whether there are any, or the scheme gives up
     */
    void answer(HandshakeException refusal, Consumer<Boolean> ready) {
        legs.answer(Objects.requireNonNull(refusal.reply(), "a challenge is a reply"), ready, this::failed);
    }

    /** What the proxy said as it opened the tunnel, if the scheme may want to check it; else null. */
    @Nullable
    ProxyReply acceptance(Handshake handshake) {
        return legs.answersChallenges() ? handshake.acceptance() : null;
    }

    /** Has the scheme check the acceptance. */
    void accepted(ProxyReply acceptance, Runnable ready) {
        legs.leaveChallenge();
        legs.accepted(acceptance, ready, this::failed);
    }

    /** Whether the current leg can go over no other connection than that of its challenge. */
    boolean isBound() {
        return legs.isBound();
    }

    private void failed(DialException failure) {
        failed.accept(failure(failure.getCause()));
    }

    /** Begins the failure of the login, with the challenge if that is what it failed at. */
    DialException.Builder failure(@Nullable Throwable cause) {
        return dial.failure(DialException.Reason.PROXY_AUTH)
                .proxyReply(legs.challenge())
                .cause(cause);
    }
}
