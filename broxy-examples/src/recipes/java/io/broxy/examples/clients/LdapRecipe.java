package io.broxy.examples.clients;

import io.broxy.core.NamedSockets;
import io.broxy.core.NamedTlsSockets;
import java.time.Duration;
import java.util.Properties;
import javax.naming.Context;
import javax.naming.NamingException;
import javax.naming.directory.DirContext;
import javax.naming.directory.InitialDirContext;

/** The JDK's LDAP client (JNDI): it takes the name of a socket factory's class, plain or with TLS as the URL is. */
final class LdapRecipe {
    private LdapRecipe() {}

    /**
     * The sockets are those that are registered as {@code default}, or the only registered ones.
     *
     * @param url such as {@code ldaps://directory.corp:636/dc=corp}
     */
    static DirContext connect(String url, String user, String password, Duration timeout) throws NamingException {
        boolean tls = url.startsWith("ldaps:"); // with plain sockets, an ldaps: URL gets no TLS
        Properties environment = new Properties();
        environment.put(Context.INITIAL_CONTEXT_FACTORY, "com.sun.jndi.ldap.LdapCtxFactory");
        environment.put(Context.PROVIDER_URL, url);
        environment.put(
                "java.naming.ldap.factory.socket", (tls ? NamedTlsSockets.class : NamedSockets.class).getName());
        environment.put("com.sun.jndi.ldap.connect.timeout", String.valueOf(timeout.toMillis()));
        environment.put("com.sun.jndi.ldap.read.timeout", "10000");
        environment.put(Context.SECURITY_AUTHENTICATION, "simple");
        environment.put(Context.SECURITY_PRINCIPAL, user);
        environment.put(Context.SECURITY_CREDENTIALS, password);
        return new InitialDirContext(environment);
    }
}
