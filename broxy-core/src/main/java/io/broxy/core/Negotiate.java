package io.broxy.core;

import io.broxy.ProxyAuthentication;
import io.broxy.core.internal.dial.KerberosLogin;
import io.broxy.core.internal.dial.NegotiateSession;
import java.util.Objects;
import javax.security.auth.Subject;

/**
 * The Negotiate scheme (RFC 4559) with Kerberos, by the JDK's GSS-API (SPNEGO, RFC 4178): {@code
 * broxy.httpProxyDialer(proxy).authentication(Negotiate.create())}. It needs the module {@code java.security.jgss}.
 *
 * <p>The service is {@code HTTP@} and the host of the proxy as the dialer has it, so that a proxy that is dialed by an
 * address needs a principal for that address. The realm, its KDCs and the encryption are those of the JVM's Kerberos
 * settings: {@code krb5.conf}, or the property {@code java.security.krb5.conf}.
 *
 * <p>Credentials come from the login of {@link #subject}; by default from the JAAS entry {@code
 * com.sun.security.jgss.krb5.initiate} if there is one, and from the ticket cache that {@code kinit} fills otherwise. They
 * are looked up once, and once more when they have expired. Without a ticket the dial fails with {@link
 * io.broxy.DialException.Reason#PROXY_AUTH} and a message that says so. Tickets are not delegated.
 *
 * <p>A ticket is sent when the proxy asks for it. The proxy's own token is checked if it sends one: a wrong one fails the
 * dial. Many proxies send none with a tunnel; {@link #requireMutualAuthentication} fails the dial there, too.
 *
 * <p>The scheme logs the connection in (RFC 4559 section 6): it serves one tunnel or, with plain {@code http}, one client of a
 * handler.
 *
 * <p>Threading: immutable and thread-safe.
 */
public final class Negotiate implements ProxyAuthentication {
    private final KerberosLogin login;
    private final boolean mutual;

    private Negotiate(KerberosLogin login, boolean mutual) {
        this.login = login;
        this.mutual = mutual;
    }

    /**
     * The scheme with its defaults.
     *
     * @throws IllegalStateException if the module {@code java.security.jgss} is missing
     */
    public static Negotiate create() {
        if (!KerberosLogin.isPossible()) {
            throw new IllegalStateException("Negotiate needs the module java.security.jgss");
        }
        return new Negotiate(new KerberosLogin(null), false);
    }

    /** The same with the credentials of a subject that has logged in; who renews its tickets is its owner's matter. */
    public Negotiate subject(Subject subject) {
        return new Negotiate(new KerberosLogin(Objects.requireNonNull(subject, "subject")), mutual);
    }

    /** The same, but a proxy that does not prove its identity fails the dial. */
    public Negotiate requireMutualAuthentication() {
        return new Negotiate(login, true);
    }

    @Override
    public Session begin(Request request) {
        return new NegotiateSession(login, request.proxy(), mutual);
    }

    /** Names the scheme. */
    @Override
    public String toString() {
        return "Negotiate";
    }
}
