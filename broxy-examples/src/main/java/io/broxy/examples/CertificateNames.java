package io.broxy.examples;

import java.security.cert.Certificate;
import java.security.cert.CertificateParsingException;
import java.security.cert.X509Certificate;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Locale;
import javax.naming.NamingException;
import javax.naming.directory.Attribute;
import javax.naming.ldap.LdapName;
import javax.naming.ldap.Rdn;
import javax.net.ssl.SSLPeerUnverifiedException;
import javax.net.ssl.SSLSession;
import org.jspecify.annotations.Nullable;

/**
 * The names in a certificate (RFC 5280).
 *
 * <p>Threading: stateless.
 */
final class CertificateNames {
    /** The kinds of subject alternative names that name a server. */
    private static final int DNS_NAME = 2;

    private static final int IP_ADDRESS = 7;

    private CertificateNames() {}

    /**
     * The identity of a TLS client: its certificate's common name, or else the first DNS name.
     *
     * @return null if the client has sent no certificate, or one with neither
     * @throws IllegalArgumentException if the names cannot be read
     */
    static @Nullable String identity(SSLSession session) {
        Certificate own;
        try {
            own = session.getPeerCertificates()[0];
        } catch (SSLPeerUnverifiedException e) {
            return null;
        }
        if (!(own instanceof X509Certificate certificate)) {
            return null;
        }
        try {
            String common = commonName(certificate);
            return common != null
                    ? common
                    : alternatives(certificate, DNS_NAME).stream().findFirst().orElse(null);
        } catch (CertificateParsingException e) {
            throw new IllegalArgumentException("the client's certificate cannot be read", e);
        }
    }

    /**
     * The names of a server, in lower case: DNS names and IP addresses, or the common name of a certificate without any.
     *
     * @throws CertificateParsingException if the names cannot be read
     */
    static List<String> ofServer(X509Certificate certificate) throws CertificateParsingException {
        List<String> names = new ArrayList<>(alternatives(certificate, DNS_NAME));
        names.addAll(alternatives(certificate, IP_ADDRESS));
        String common = commonName(certificate);
        if (names.isEmpty() && common != null) {
            names.add(common);
        }
        return names.stream().map(name -> name.toLowerCase(Locale.ROOT)).toList();
    }

    /** The most specific common name of the subject that is not blank; null if there is none. */
    private static @Nullable String commonName(X509Certificate certificate) throws CertificateParsingException {
        try {
            List<Rdn> names = new LdapName(certificate.getSubjectX500Principal().getName()).getRdns();
            for (int i = names.size() - 1; i >= 0; i--) { // the most specific name is the last one
                Attribute common = names.get(i).toAttributes().get("CN");
                if (common != null && common.get() instanceof String name && !name.isBlank()) {
                    return name;
                }
            }
            return null;
        } catch (NamingException e) {
            throw new CertificateParsingException("the subject cannot be read", e);
        }
    }

    private static List<String> alternatives(X509Certificate certificate, int kind) throws CertificateParsingException {
        Collection<List<?>> all = certificate.getSubjectAlternativeNames();
        if (all == null) {
            return List.of();
        }
        return all.stream()
                .filter(name -> Integer.valueOf(kind).equals(name.get(0)))
                .map(name -> String.valueOf(name.get(1)))
                .toList();
    }
}
