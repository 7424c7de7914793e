package io.broxy.core;

import java.security.NoSuchAlgorithmException;
import javax.net.ssl.SSLContext;

/** The JVM's default TLS. Threading: stateless. */
final class DefaultTls {
    private DefaultTls() {}

    /**
     * The context.
     *
     * @throws IllegalStateException if the JVM has none
     */
    static SSLContext context() {
        try {
            return SSLContext.getDefault();
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("this JVM has no default TLS context", e);
        }
    }
}
