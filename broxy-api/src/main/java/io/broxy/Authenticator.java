package io.broxy;

import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Finds out who a client is, by the {@code Proxy-Authorization} of its request (RFC 9110 section 11.7). A client that is
 * nobody gets 407 with the challenges, over a connection that stays open where HTTP allows it, so that it can try again.
 *
 * <p>It is asked for every request, and no success is remembered in its place; only credentials that were wrong and come again
 * and again are not {@linkplain ProxyHandler.Builder#authenticator asked about each time}.
 *
 * <p>Threading: implementations are thread-safe. They are called on the callback executor and may block; one that does not
 * answer in the handler's {@linkplain ProxyHandler.Builder#authenticationTimeout time} refuses by that.
 */
public interface Authenticator {

    /**
     * Decides who asks.
     *
     * @param request without an identity yet
     * @param authorization the value of {@code Proxy-Authorization}, or null if there is none. It is a secret
     * @return the client's identity, or null if it has none, which refuses the request
     * @throws Exception if it cannot be decided; the client gets 503
     */
    @Nullable
    String authenticate(AccessRequest request, @Nullable String authorization) throws Exception;

    /** The values of {@code Proxy-Authenticate} for a client that is refused, one a scheme; at least one. */
    List<String> challenges();

    /** Checks a user's password. Threading: as {@link Authenticator}. */
    @FunctionalInterface
    interface PasswordCheck {
        /**
         * Whether the password is the user's. Users that do not exist should take as long as others, lest the time tells.
         *
         * @param user may be anything that a client has sent
         * @param password may be anything that a client has sent
         */
        boolean matches(String user, String password) throws Exception;
    }

    /**
     * An authenticator with the Basic scheme (RFC 7617), in UTF-8. The user is the identity.
     *
     * @param realm what the client is told that it logs in to; visible US-ASCII and spaces
     * @throws IllegalArgumentException if the realm has another character
     */
    static Authenticator basic(String realm, PasswordCheck check) {
        return new BasicAuthenticator(realm, check);
    }

    /** As {@link #basic(String, PasswordCheck)}, for users that are known beforehand, whose passwords are compared in constant time. */
    static Authenticator basic(String realm, Credentials... users) {
        return new BasicAuthenticator(realm, new BasicAuthenticator.Known(List.of(users)));
    }
}
