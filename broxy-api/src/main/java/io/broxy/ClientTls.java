package io.broxy;

import java.security.cert.X509Certificate;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * The TLS session of a client's connection to the proxy.
 *
 * <p>Threading: immutable.
 *
 * @param protocol the version, as the JDK names it: {@code TLSv1.3}
 * @param cipherSuite the cipher suite, as the JDK names it: {@code TLS_AES_256_GCM_SHA384}
 * @param serverName the host name that the client asked for (SNI, RFC 6066 section 3); null if it named none
 * @param certificates the client's certificate chain, its own certificate first; empty if it showed none
 */
public record ClientTls(
        String protocol, String cipherSuite, @Nullable String serverName, List<X509Certificate> certificates) {

    /** Checks for null, and copies the list. */
    public ClientTls {
        Objects.requireNonNull(protocol, "protocol");
        Objects.requireNonNull(cipherSuite, "cipherSuite");
        certificates = List.copyOf(certificates);
    }
}
