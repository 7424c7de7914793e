package io.broxy;

import io.broxy.DialRequest.Client;
import java.io.IOException;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * Authenticates to an upstream HTTP proxy by challenge and response (RFC 9110 section 11.7), in as many legs as the
 * scheme needs: {@link HttpProxyDialer.Builder#authentication}.
 *
 * <p>{@link #basic} and {@link #digest} are built in, and {@code io.broxy.core.Negotiate} has Kerberos. A scheme that
 * Broxy does not have, such as NTLM, is plugged in by an implementation of this interface:
 *
 * <pre>
 *   begin ──> first ──> CONNECT ──┬─ 2xx ──> accepted ──> the tunnel
 *                          ^      ├─ 407 ──> answer ──┬─ null ──> the dial fails with PROXY_AUTH
 *                          │      └─ other ─> fails   │
 *                          └──────────────────────────┘
 * </pre>
 *
 * <p>All legs are in the time of the dial. They use one connection as long as the proxy keeps it; where the proxy closes
 * it after a challenge the next leg uses a new one, unless the scheme binds its legs to the connection.
 *
 * <p>Threading: thread-safe. Neither its methods nor those of its sessions are called on an event loop, so they may
 * block; the dial's timeout does not wait for them.
 */
@FunctionalInterface
public interface ProxyAuthentication {

    /**
     * The Basic scheme (RFC 7617). The credentials are sent with each request without waiting for a challenge, as with
     * {@link HttpProxyDialer.Builder#credentials}.
     */
    static ProxyAuthentication basic(Credentials credentials) {
        return new BasicAuthentication(credentials);
    }

    /**
     * The Digest scheme (RFC 7616) with MD5, SHA-256, SHA-512-256 and their {@code -sess} variants, with {@code qop=auth} or
     * none (RFC 2069), {@code userhash}, and user name and password in UTF-8. Of several challenges the strongest
     * algorithm is answered. A nonce that a proxy has accepted is used for later requests to that proxy without waiting
     * for a challenge, counted by {@code nc}; a challenge with {@code stale=true} or {@code nextnonce} replaces it.
     * Wrong credentials fail after one try. The proxy's {@code rspauth} is not checked, and {@code qop=auth-int} is not supported.
     *
     * <p>Nonces are shared by all dialers with the same object.
     */
    static ProxyAuthentication digest(Credentials credentials) {
        return new DigestAuthentication(credentials);
    }

    /**
     * Begins the authentication of one request to the proxy, which is a dial or a forwarded request.
     *
     * <p>An exception fails the dial with {@link DialException.Reason#PROXY_AUTH}.
     */
    Session begin(Request request);

    /**
     * What is sent to the proxy.
     *
     * <p>Threading: immutable.
     *
     * @param proxy the proxy
     * @param target the host and port that the client wants to reach
     * @param method {@code CONNECT}, or the method of a forwarded request
     * @param requestTarget the request target as it is sent (RFC 9112 section 3.2): {@code host:port}, or the URI of a
     *     forwarded request
     * @param client the client on whose behalf the request is sent, or null for none
     */
    record Request(
            HostPort proxy,
            HostPort target,
            String method,
            String requestTarget,
            @Nullable Client client) {

        /** Checks for null. */
        public Request {
            Objects.requireNonNull(proxy, "proxy");
            Objects.requireNonNull(target, "target");
            Objects.requireNonNull(method, "method");
            Objects.requireNonNull(requestTarget, "requestTarget");
        }

        /** Shows no URI, which may hold secrets. */
        @Override
        public String toString() {
            return "Request[" + method + " for " + target + " to " + proxy + "]";
        }
    }

    /**
     * The authentication of one request.
     *
     * <p>The values are those of {@code Proxy-Authorization} (RFC 9110 section 5.5), without white space around them. A
     * value with CR, LF, NUL or another control character fails the dial with {@link DialException.Reason#PROXY_AUTH},
     * and so does an exception, which becomes the cause. Nothing is sent then.
     *
     * <p>Threading: for one thread at a time; calls may come on different threads, each after the one before has returned.
     */
    interface Session {

        /**
         * The credentials to send before there is a challenge, or null for none. It is called again, for a new session,
         * when a pooled connection turns out to be dead.
         */
        @Nullable
        String first() throws IOException;

        /**
         * Answers a challenge.
         *
         * @param reply the 407 response with all of its fields; {@link ProxyChallenge#of} reads its {@code
         *     Proxy-Authenticate} lines
         * @return the credentials for the next leg, or null to give up: the dial fails with {@link
         *     DialException.Reason#PROXY_AUTH} and the reply
         */
        @Nullable
        String answer(ProxyReply reply) throws IOException;

        /**
         * The proxy has accepted the credentials. By default it does nothing. A session that checks the proxy's own
         * authentication throws an exception if it is not satisfied: then the tunnel is not used. A forwarded request
         * has been sent by then, and the rest of its response is cut off.
         *
         * @param reply the response with all of its fields, such as {@code Proxy-Authentication-Info}; its body is empty
         */
        default void accepted(ProxyReply reply) throws IOException {}
    }
}
