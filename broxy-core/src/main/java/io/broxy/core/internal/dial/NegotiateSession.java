package io.broxy.core.internal.dial;

import io.broxy.ConnectRequest;
import io.broxy.HostPort;
import io.broxy.ProxyAuthentication;
import io.broxy.ProxyChallenge;
import io.broxy.ProxyReply;
import java.io.IOException;
import java.util.Base64;
import org.ietf.jgss.GSSContext;
import org.ietf.jgss.GSSException;
import org.ietf.jgss.GSSManager;
import org.ietf.jgss.GSSName;
import org.ietf.jgss.Oid;
import org.jspecify.annotations.Nullable;

/**
 * One login by Negotiate (RFC 4559): the legs of a security context with the proxy.
 *
 * <p>Threading: as a {@link ProxyAuthentication.Session}.
 */
public final class NegotiateSession implements ProxyAuthentication.Session {
    private static final String SCHEME = "Negotiate";
    private static final String SPNEGO = "1.3.6.1.5.5.2";

    private final KerberosLogin login;
    private final HostPort proxy;
    private final boolean mutual;
    private @Nullable GSSContext context;

    /**
     * Creates a session.
     *
     * @param mutual whether the proxy has to prove its identity
     */
    public NegotiateSession(KerberosLogin login, HostPort proxy, boolean mutual) {
        this.login = login;
        this.proxy = proxy;
        this.mutual = mutual;
    }

    @Override
    public @Nullable String first() {
        return null;
    }

    @Override
    public @Nullable String answer(ProxyReply reply) throws IOException {
        ProxyChallenge challenge = challenge(reply);
        GSSContext begun = context;
        if (challenge == null || (begun != null && challenge.token68() == null)) {
            return null; // another scheme, or the ticket is refused
        }
        byte[] token = begun == null ? begin() : go(begun, token(challenge.token68()));
        return token.length == 0 ? null : SCHEME + " " + Base64.getEncoder().encodeToString(token);
    }

    private static @Nullable ProxyChallenge challenge(ProxyReply reply) {
        for (ProxyChallenge challenge : ProxyChallenge.of(reply)) {
            if (challenge.is(SCHEME)) {
                return challenge;
            }
        }
        return null;
    }

    private byte[] begin() throws IOException {
        try {
            return login.run(() -> {
                GSSManager manager = GSSManager.getInstance();
                GSSName service = manager.createName("HTTP@" + proxy.host(), GSSName.NT_HOSTBASED_SERVICE);
                GSSContext created = manager.createContext(service, new Oid(SPNEGO), null, GSSContext.DEFAULT_LIFETIME);
                created.requestMutualAuth(true);
                created.requestCredDeleg(false);
                context = created;
                return next(created, new byte[0]);
            });
        } catch (GSSException e) {
            throw failure(e);
        }
    }

    private byte[] go(GSSContext begun, byte[] token) throws IOException {
        try {
            return next(begun, token);
        } catch (GSSException e) {
            throw failure(e);
        }
    }

    /** Empty where the proxy needs no further token. */
    private static byte[] next(GSSContext begun, byte[] token) throws GSSException {
        byte[] answer = begun.isEstablished() ? null : begun.initSecContext(token, 0, token.length);
        return answer == null ? new byte[0] : answer;
    }

    private IOException failure(GSSException cause) {
        return new IOException("Negotiate for HTTP@" + proxy.host() + " failed: " + cause.getMessage(), cause);
    }

    private static byte[] token(@Nullable String token68) throws IOException {
        try {
            return Base64.getDecoder().decode(token68 == null ? "" : token68);
        } catch (IllegalArgumentException e) {
            throw new IOException("the proxy's token for Negotiate is not base64", e);
        }
    }

    @Override
    public void accepted(ProxyReply reply) throws IOException {
        GSSContext begun = context;
        if (begun == null) {
            if (mutual) {
                throw new IOException("the proxy asked for no authentication, and so did not prove its identity");
            }
            return;
        }
        String token = finalToken(reply);
        if (token != null) {
            go(begun, token(token));
        }
        if (!begun.isEstablished() && (mutual || token != null)) {
            throw new IOException("the proxy did not prove its identity (mutual authentication)");
        }
        dispose(begun);
    }

    /** In one field or the other: RFC 4559 section 4.2 was written for origins, and before the former was known. */
    private static @Nullable String finalToken(ProxyReply reply) {
        for (ConnectRequest.Field field : reply.fields()) {
            if (field.name().equalsIgnoreCase("Proxy-Authentication-Info")
                    && field.value().regionMatches(true, 0, SCHEME + " ", 0, SCHEME.length() + 1)) {
                return field.value().substring(SCHEME.length()).strip();
            }
        }
        ProxyChallenge challenge = challenge(reply);
        return challenge == null ? null : challenge.token68();
    }

    private void dispose(GSSContext begun) throws IOException {
        context = null;
        try {
            begun.dispose();
        } catch (GSSException e) {
            throw failure(e);
        }
    }
}
