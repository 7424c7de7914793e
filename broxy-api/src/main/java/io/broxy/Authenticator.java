package io.broxy;

import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Authenticates a client by the {@code Proxy-Authorization} of its request (RFC 9110 section 11.7). An unauthenticated
 * client gets 407 with the challenges, over a connection that stays open if HTTP allows it, so that the client can try
 * again.
 *
 * <p>User name and password of a {@linkplain ProxyHandler.Builder#socks SOCKS5} client come as those of the Basic
 * scheme, in a request without a {@linkplain AccessRequest#hasTarget target}.
 *
 * <p>It is called for every request, and successes are not cached; only wrong credentials that come again and again are
 * not {@linkplain ProxyHandler.Builder#authenticator checked each time}.
 *
 * <p>Threading: implementations are thread-safe. They are called on the callback executor and may block; if one does
 * not return within the handler's {@linkplain ProxyHandler.Builder#authenticationTimeout timeout}, the request is
 * refused.
 */
public interface Authenticator {

    /**
     * Determines the identity of a client.
     *
     * @param request the request, still without an identity
     * @param authorization the value of {@code Proxy-Authorization}, or null if there is none. It is a secret
     * @return the client's identity, or null if it has none, which refuses the request
     * @throws Exception if it cannot be decided; the client gets 503
     */
    @Nullable
    String authenticate(AccessRequest request, @Nullable String authorization) throws Exception;

    /** The values of {@code Proxy-Authenticate} for a refused client, one for each scheme; at least one. */
    List<String> challenges();

    /** Checks a user's password. Threading: as {@link Authenticator}. */
    @FunctionalInterface
    interface PasswordCheck {
        /**
         * Whether the password is the user's. A check of an unknown user should take as long as any other, so that
         * timing reveals nothing.
         *
         * @param user as the client sent it; it may be any text
         * @param password as the client sent it; it may be any text
         */
        boolean matches(String user, String password) throws Exception;
    }

    /**
     * An authenticator with the Basic scheme (RFC 7617), in UTF-8. The user is the identity.
     *
     * @param realm the name that the client shows at login; visible US-ASCII and spaces
     * @throws IllegalArgumentException if the realm has another character
     */
    static Authenticator basic(String realm, PasswordCheck check) {
        return new BasicAuthenticator(realm, check);
    }

    /** As {@link #basic(String, PasswordCheck)}, for a fixed set of users; passwords are compared in constant time. */
    static Authenticator basic(String realm, Credentials... users) {
        return new BasicAuthenticator(realm, new BasicAuthenticator.Known(List.of(users)));
    }
}
