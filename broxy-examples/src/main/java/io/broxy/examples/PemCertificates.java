package io.broxy.examples;

import java.io.ByteArrayInputStream;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.cert.CertificateException;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * The certificates of a PEM file. Each must be valid at present.
 *
 * <p>Threading: stateless.
 */
final class PemCertificates {
    private static final String LABEL = "CERTIFICATE";

    /** Of a key usage (RFC 5280, 4.2.1.3). */
    private static final int KEY_CERT_SIGN = 5;

    private PemCertificates() {}

    /** A certificate and where it was read. */
    private record Located(X509Certificate certificate, Pem.Block block) {
        String subject() {
            return PemCertificates.subject(certificate);
        }
    }

    /**
     * Reads a chain: the server's certificate, then that of each issuer.
     *
     * @param file for messages
     * @throws ConfigFileException if there is none, if one is of no use, or if they are in another order
     */
    static List<X509Certificate> chain(Path file, byte[] content) throws ConfigFileException {
        List<Located> chain = read(file, content);
        for (int i = 1; i < chain.size(); i++) {
            Located issued = chain.get(i - 1);
            Located issuer = chain.get(i);
            if (!hasIssued(issuer.certificate, issued.certificate)) {
                throw issuer.block.failure("the chain is out of order: the certificate of " + issuer.subject()
                        + " has not issued the one before it, of " + issued.subject()
                        + "; the server's own is expected first, then that of each issuer");
            }
        }
        return certificates(chain);
    }

    /**
     * Reads the certificates of authorities.
     *
     * @param file for messages
     * @throws ConfigFileException if there is none, if one is of no use, or if one may not issue certificates
     */
    static List<X509Certificate> authorities(Path file, byte[] content) throws ConfigFileException {
        List<Located> authorities = read(file, content);
        for (Located authority : authorities) {
            if (!mayIssue(authority.certificate)) {
                throw authority.block.failure(
                        "the certificate of " + authority.subject() + " is not that of an authority (CA)");
            }
        }
        return certificates(authorities);
    }

    private static List<X509Certificate> certificates(List<Located> located) {
        return located.stream().map(Located::certificate).toList();
    }

    private static List<Located> read(Path file, byte[] content) throws ConfigFileException {
        List<Pem.Block> blocks = Pem.blocks(file, content);
        List<Located> certificates = new ArrayList<>();
        for (Pem.Block block : blocks) {
            if (block.label().equals(LABEL)) {
                Located certificate = new Located(decode(block), block);
                checkTime(certificate);
                certificates.add(certificate);
            }
        }
        if (certificates.isEmpty()) {
            throw ConfigFileException.of(file, "there is no certificate in it: " + Pem.found(blocks, content));
        }
        return certificates;
    }

    private static X509Certificate decode(Pem.Block block) throws ConfigFileException {
        byte[] der = block.der();
        try {
            X509Certificate certificate = (X509Certificate)
                    CertificateFactory.getInstance("X.509").generateCertificate(new ByteArrayInputStream(der));
            if (!Arrays.equals(certificate.getEncoded(), der)) {
                throw block.failure("the certificate is broken: something follows its DER");
            }
            return certificate;
        } catch (CertificateException e) {
            throw block.failure("the certificate is broken: " + e.getMessage());
        }
    }

    private static void checkTime(Located located) throws ConfigFileException {
        Instant now = Instant.now();
        Instant begin = located.certificate.getNotBefore().toInstant();
        Instant end = located.certificate.getNotAfter().toInstant();
        if (now.isBefore(begin)) {
            throw located.block.failure(
                    "the certificate of " + located.subject() + " is not valid yet, but from " + begin);
        }
        if (now.isAfter(end)) {
            throw located.block.failure("the certificate of " + located.subject() + " has expired, at " + end);
        }
    }

    private static boolean hasIssued(X509Certificate issuer, X509Certificate issued) {
        if (!issued.getIssuerX500Principal().equals(issuer.getSubjectX500Principal())) {
            return false;
        }
        try {
            issued.verify(issuer.getPublicKey());
            return true;
        } catch (GeneralSecurityException e) { // another key of the same name, or no key for this signature
            return false;
        }
    }

    /** As the JDK's validation of a client demands it; certificates before version 3 do not say. */
    private static boolean mayIssue(X509Certificate certificate) {
        boolean[] usage = certificate.getKeyUsage();
        return certificate.getVersion() < 3
                || (certificate.getBasicConstraints() >= 0 && (usage == null || usage[KEY_CERT_SIGN]));
    }

    /** The subject of a certificate, for a message. */
    static String subject(X509Certificate certificate) {
        return Found.name(certificate.getSubjectX500Principal().getName());
    }
}
