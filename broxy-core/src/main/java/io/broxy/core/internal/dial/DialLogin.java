package io.broxy.core.internal.dial;

import io.broxy.DialException;
import io.broxy.HostPort;
import io.broxy.ProxyAuthentication;
import io.broxy.ProxyReply;
import io.broxy.core.internal.http.AuthSchemes;
import io.broxy.core.internal.upstream.ProxyLogin;
import java.util.Objects;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * The login of one dial at its proxy: the credentials of each leg, and the challenge that they answer. Which connection the legs go
 * over is the dial's matter.
 *
 * <p>Threading: owned by its event loop.
 */
final class DialLogin {
    private final Dial dial;
    private final TunnelDialer dialer;
    private final Consumer<DialException.Builder> failed;

    private ProxyLogin login;
    private @Nullable String credentials;
    private @Nullable ProxyReply challenge;
    private int challenges;

    /**
     * Creates the login.
     *
     * @param failed runs when a scheme fails in place of what it was asked for, maybe after the dial's end
     */
    DialLogin(Dial dial, TunnelDialer dialer, Consumer<DialException.Builder> failed) {
        this.dial = dial;
        this.dialer = dialer;
        this.failed = failed;
        this.login = begin();
    }

    private ProxyLogin begin() {
        return dialer.authorization.begin(dial.loop(), () -> {
            HostPort target = dial.target();
            return new ProxyAuthentication.Request(
                    dialer.proxy(),
                    target,
                    "CONNECT",
                    target.toString(),
                    dial.request().client());
        });
    }

    /** Begins from the start: credentials that were sent may have been seen, and be good for once. */
    void restart() {
        login = begin();
        challenge = null;
    }

    /** Gets the credentials of the first leg. */
    void first(Runnable ready) {
        login.first(
                value -> {
                    credentials = value;
                    ready.run();
                },
                this::failed);
    }

    /** The value of {@code Proxy-Authorization} for the current leg, or null for none. */
    @Nullable
    String credentials() {
        return credentials;
    }

    /** Whether a refusal is a challenge that the scheme may answer. */
    boolean mayAnswer(HandshakeException refusal) {
        return login.answersChallenges()
                && refusal.isHttp(ConnectHandshake.PROXY_AUTHENTICATION_REQUIRED)
                && challenges < ProxyLogin.MAX_CHALLENGES
                && dial.leftNanos() > 0;
    }

    /**
     * Gets the credentials of the next leg.
     *
     * @param ready gets whether there are any, or the scheme gives up
     */
    void answer(HandshakeException refusal, Consumer<Boolean> ready) {
        ProxyReply reply = Objects.requireNonNull(refusal.reply(), "a challenge is a reply");
        challenges++;
        challenge = reply;
        login.answer(
                reply,
                value -> {
                    credentials = value;
                    ready.accept(value != null);
                },
                this::failed);
    }

    /** What the proxy said as it opened the tunnel, if the scheme may want to check it; else null. */
    @Nullable
    ProxyReply acceptance(Handshake handshake) {
        return login.answersChallenges() ? handshake.acceptance() : null;
    }

    /** Has the scheme check the acceptance. */
    void accepted(ProxyReply acceptance, Runnable ready) {
        challenge = null;
        login.accepted(acceptance, ready, this::failed);
    }

    /** Whether the current leg can go over no other connection than that of its challenge. */
    boolean isBound() {
        return challenge != null && credentials != null && AuthSchemes.continuesLogin(challenge, credentials);
    }

    private void failed(DialException failure) {
        failed.accept(failure(failure.getCause()));
    }

    /** Begins the failure of the login, with the challenge if that is what it failed at. */
    DialException.Builder failure(@Nullable Throwable cause) {
        return dial.failure(DialException.Reason.PROXY_AUTH)
                .proxyReply(challenge)
                .cause(cause);
    }
}
