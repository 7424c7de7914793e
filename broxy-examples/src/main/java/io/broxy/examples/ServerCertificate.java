package io.broxy.examples;

import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.PrivateKey;
import java.security.PublicKey;
import java.security.SecureRandom;
import java.security.Signature;
import java.security.cert.CertificateParsingException;
import java.security.cert.X509Certificate;
import java.security.interfaces.RSAKey;
import java.security.spec.AlgorithmParameterSpec;
import java.security.spec.MGF1ParameterSpec;
import java.security.spec.PSSParameterSpec;
import java.time.Instant;
import java.util.List;
import java.util.Set;

/**
 * A certificate of a TLS server, with its chain and its key, which belong together.
 *
 * <p>Threading: immutable.
 */
final class ServerCertificate {
    private static final String PSS = "RSASSA-PSS";
    private static final int SHA_256_BYTES = 32;

    /** For a key that does not say. */
    private static final PSSParameterSpec ANY_PSS =
            new PSSParameterSpec("SHA-256", "MGF1", MGF1ParameterSpec.SHA256, SHA_256_BYTES, 1);

    private final List<X509Certificate> chain;
    private final PrivateKey key;
    private final Set<String> names;

    private ServerCertificate(List<X509Certificate> chain, PrivateKey key, Set<String> names) {
        this.chain = chain;
        this.key = key;
        this.names = names;
    }

    /**
     * Reads the chain and the key.
     *
     * @param chainFile for messages
     * @param keyFile for messages; the same file as the other one, or another
     * @throws ConfigFileException if one of them is of no use, or if they do not belong together
     */
    static ServerCertificate read(Path chainFile, byte[] chainContent, Path keyFile, byte[] keyContent)
            throws ConfigFileException {
        List<X509Certificate> chain = PemCertificates.chain(chainFile, chainContent);
        PrivateKey key = PemKey.read(keyFile, keyContent);
        X509Certificate own = chain.get(0);
        if (!matches(key, own.getPublicKey())) {
            throw ConfigFileException.of(
                    keyFile,
                    "the key (" + key.getAlgorithm() + ") does not match the certificate of "
                            + PemCertificates.subject(own) + " ("
                            + own.getPublicKey().getAlgorithm() + ") in " + chainFile);
        }
        try {
            return new ServerCertificate(chain, key, Set.copyOf(CertificateNames.ofServer(own)));
        } catch (CertificateParsingException e) {
            throw ConfigFileException.of(chainFile, "the names of its first certificate cannot be read");
        }
    }

    /** Signs with one key, and verifies with the other. */
    private static boolean matches(PrivateKey secret, PublicKey open) {
        String algorithm = secret.getAlgorithm();
        if (!algorithm.equals(open.getAlgorithm())) {
            return false;
        }
        byte[] message = new byte[SHA_256_BYTES];
        new SecureRandom().nextBytes(message);
        try {
            Signature signature = signature(secret);
            signature.initSign(secret);
            signature.update(message);
            byte[] signed = signature.sign();
            signature.initVerify(open);
            signature.update(message);
            return signature.verify(signed);
        } catch (GeneralSecurityException e) { // keys of different sizes, curves or parameters
            return false;
        }
    }

    private static Signature signature(PrivateKey key) throws GeneralSecurityException {
        return switch (key.getAlgorithm()) {
            case "RSA" -> Signature.getInstance("SHA256withRSA");
            case "EC" -> Signature.getInstance("SHA256withECDSA");
            case PSS -> pss(key);
            default -> Signature.getInstance(key.getAlgorithm());
        };
    }

    private static Signature pss(PrivateKey key) throws GeneralSecurityException {
        AlgorithmParameterSpec own = key instanceof RSAKey rsa ? rsa.getParams() : null;
        Signature signature = Signature.getInstance(PSS);
        signature.setParameter(own == null ? ANY_PSS : own);
        return signature;
    }

    /** The certificate, then that of each issuer. */
    X509Certificate[] chain() {
        return chain.toArray(X509Certificate[]::new);
    }

    PrivateKey key() {
        return key;
    }

    /** The names and addresses of the server, in lower case; a name may begin with {@code *.}. */
    Set<String> names() {
        return names;
    }

    /** Until when all of the chain is valid. */
    Instant end() {
        return chain.stream()
                .map(certificate -> certificate.getNotAfter().toInstant())
                .min(Instant::compareTo)
                .orElseThrow();
    }
}
