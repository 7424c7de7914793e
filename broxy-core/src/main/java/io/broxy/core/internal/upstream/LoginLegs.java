package io.broxy.core.internal.upstream;

import io.broxy.DialException;
import io.broxy.ProxyReply;
import io.broxy.core.internal.http.AuthSchemes;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * The legs of a request's login at a proxy: the credentials of the current one, and the challenge that they answer. What comes too
 * late, for a login that another one has replaced, is ignored.
 *
 * <p>Threading: owned by the event loop of the request; so are the callbacks.
 */
public final class LoginLegs {
    private @Nullable ProxyLogin login;
    private @Nullable String credentials;
    private @Nullable ProxyReply challenge;
    private int challenges;

    /** Starts over with a login, or with none (null). The challenges of earlier ones still count. */
    public void begin(@Nullable ProxyLogin begun) {
        login = begun;
        credentials = null;
        challenge = null;
    }

    /** Gets the credentials of the first leg; {@code ready} runs before this returns if there is no login. */
    public void first(Runnable ready, Consumer<DialException> failed) {
        ProxyLogin current = login;
        if (current == null) {
            ready.run();
            return;
        }
        current.first(
                value -> {
                    if (login == current) {
                        credentials = value;
                        ready.run();
                    }
                },
                failed);
    }

    /** The value of {@code Proxy-Authorization} for the current leg, or null for none. */
    public @Nullable String credentials() {
        return credentials;
    }

    /** The challenge that the current leg answers; null if there is none. */
    public @Nullable ProxyReply challenge() {
        return challenge;
    }

    /** Whether the scheme answers challenges, and wants to see an acceptance. */
    public boolean answersChallenges() {
        return login != null && login.answersChallenges();
    }

    /** Whether another challenge would be answered. */
    public boolean mayAnswer() {
        return answersChallenges() && challenges < ProxyLogin.MAX_CHALLENGES;
    }

    /**
     * Gets the credentials of the next leg.
     *
     * @param ready gets whether there are any, or the scheme gives up
     * @throws IllegalStateException if there is no login
     */
    public void answer(ProxyReply reply, Consumer<Boolean> ready, Consumer<DialException> failed) {
        ProxyLogin current = login;
        if (current == null) {
            throw new IllegalStateException("no login has begun");
        }
        challenges++;
        challenge = reply;
        current.answer(
                reply,
                value -> {
                    if (login == current) {
                        credentials = value;
                        ready.accept(value != null);
                    }
                },
                failed);
    }

    /** Whether the current leg can go over no other connection than that of its challenge. */
    public boolean isBound() {
        return challenge != null && credentials != null && AuthSchemes.continuesLogin(challenge, credentials);
    }

    /** The current leg goes over another connection than that of its challenge. */
    public void leaveChallenge() {
        challenge = null;
    }

    /** Has the scheme look at the response of a proxy that has accepted the credentials. */
    public void accepted(ProxyReply acceptance, Runnable ready, Consumer<DialException> failed) {
        if (login == null) {
            ready.run();
        } else {
            login.accepted(acceptance, ready, failed);
        }
    }
}
