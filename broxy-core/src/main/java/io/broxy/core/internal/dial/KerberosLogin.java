package io.broxy.core.internal.dial;

import java.io.IOException;
import java.security.PrivilegedActionException;
import java.security.PrivilegedExceptionAction;
import java.util.Map;
import javax.security.auth.Subject;
import javax.security.auth.login.AppConfigurationEntry;
import javax.security.auth.login.AppConfigurationEntry.LoginModuleControlFlag;
import javax.security.auth.login.Configuration;
import javax.security.auth.login.LoginContext;
import javax.security.auth.login.LoginException;
import org.ietf.jgss.GSSException;
import org.jspecify.annotations.Nullable;

/**
 * The Kerberos credentials of this process: those of a subject that the user supplies, or of a login that is kept until it does
 * not work any more.
 *
 * <p>Threading: thread-safe.
 */
public final class KerberosLogin {
    /** What the JDK itself uses where it may log in. */
    private static final String ENTRY = "com.sun.security.jgss.krb5.initiate";

    private static final String MODULE = "com.sun.security.auth.module.Krb5LoginModule";

    private final @Nullable Subject supplied;
    private volatile @Nullable Subject kept;

    /**
     * Creates the credentials, without a login.
     *
     * @param supplied the user's, or null for a login
     */
    public KerberosLogin(@Nullable Subject supplied) {
        this.supplied = supplied;
    }

    /** Whether the JVM has the GSS-API. */
    public static boolean isPossible() {
        return ModuleLayer.boot().findModule("java.security.jgss").isPresent();
    }

    /**
     * Runs an action with the credentials; with those of a new login if it fails with those of an old one.
     *
     * @throws GSSException as the action
     * @throws IOException if there are no credentials
     */
    <T> T run(PrivilegedExceptionAction<T> action) throws GSSException, IOException {
        Subject own = supplied;
        if (own != null) {
            return runAs(own, action);
        }
        Subject old = kept;
        if (old != null) {
            try {
                return runAs(old, action);
            } catch (GSSException e) {
                kept = null; // its tickets may have expired
            }
        }
        Subject subject = logIn();
        T result = runAs(subject, action);
        kept = subject;
        return result;
    }

    private static <T> T runAs(Subject subject, PrivilegedExceptionAction<T> action) throws GSSException {
        try {
            return Subject.doAs(subject, action);
        } catch (PrivilegedActionException e) {
            if (e.getCause() instanceof GSSException failure) {
                throw failure;
            }
            throw new IllegalStateException(e.getCause());
        }
    }

    private static Subject logIn() throws IOException {
        try {
            LoginContext login = new LoginContext(ENTRY, new Subject(), null, configuration());
            login.login();
            return login.getSubject();
        } catch (LoginException | SecurityException e) {
            throw new IOException("there is no Kerberos ticket for the proxy (kinit gets one): " + e.getMessage(), e);
        }
    }

    /** The user's if it has the entry, or else one that reads the ticket cache. */
    private static @Nullable Configuration configuration() {
        try {
            if (Configuration.getConfiguration().getAppConfigurationEntry(ENTRY) != null) {
                return null;
            }
        } catch (SecurityException e) {
            // There is no configuration at all, which is usual.
        }
        return new Configuration() {
            @Override
            public AppConfigurationEntry[] getAppConfigurationEntry(String name) {
                Map<String, String> options = Map.of("useTicketCache", "true", "doNotPrompt", "true");
                return new AppConfigurationEntry[] {
                    new AppConfigurationEntry(MODULE, LoginModuleControlFlag.REQUIRED, options)
                };
            }
        };
    }
}
