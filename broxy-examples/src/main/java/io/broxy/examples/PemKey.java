package io.broxy.examples;

import java.nio.file.Path;
import java.security.KeyFactory;
import java.security.NoSuchAlgorithmException;
import java.security.PrivateKey;
import java.security.spec.InvalidKeySpecException;
import java.security.spec.PKCS8EncodedKeySpec;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * The private key of a PEM file, for TLS: PKCS #8 (RFC 5958), or the traditional forms of RSA (PKCS #1, RFC 8017) and EC
 * keys (SEC 1, RFC 5915). No message shows anything of the key.
 *
 * <p>Threading: stateless.
 */
final class PemKey {
    private static final String PKCS8 = "PRIVATE KEY";
    private static final String PKCS8_ENCRYPTED = "ENCRYPTED PRIVATE KEY";
    private static final String PKCS1 = "RSA PRIVATE KEY";
    private static final String SEC1 = "EC PRIVATE KEY";
    private static final String EC_PARAMETERS = "EC PARAMETERS";

    private static final String EC_ALGORITHM = "EC";

    /** The JDK's names of the algorithms that certificates of TLS servers have. */
    private static final Map<String, String> ALGORITHMS = Map.of(
            "1.2.840.113549.1.1.1", "RSA",
            "1.2.840.113549.1.1.10", "RSASSA-PSS",
            "1.2.840.10045.2.1", EC_ALGORITHM,
            "1.3.101.112", "Ed25519",
            "1.3.101.113", "Ed448");

    /** P-256, P-384 and P-521: others may have keys, but the JDK's TLS does not sign with them. */
    private static final Set<String> CURVES = Set.of("1.2.840.10045.3.1.7", "1.3.132.0.34", "1.3.132.0.35");

    private PemKey() {}

    /**
     * Reads the key.
     *
     * @param file for messages
     * @throws ConfigFileException if there is no key, if there are several, or if it is of no use
     */
    static PrivateKey read(Path file, byte[] content) throws ConfigFileException {
        List<Pem.Block> blocks = Pem.blocks(file, content);
        Pem.Block key = onlyKey(file, content, blocks);
        if (key.encrypted() || key.label().equals(PKCS8_ENCRYPTED)) {
            throw key.failure("the key is encrypted; one without a passphrase is expected");
        }
        byte[] der = key.der();
        try {
            byte[] pkcs8 = switch (key.label()) {
                case PKCS8 -> der;
                case PKCS1 -> Pkcs8.ofRsa(der);
                case SEC1 -> Pkcs8.ofEc(der, ecParameters(blocks, key));
                default -> throw key.failure("unknown key type " + Found.name(key.label()));
            };
            return decode(key, pkcs8);
        } catch (InvalidKeySpecException e) { // of no use to an operator, and no cause, lest it shows the key
            throw key.failure("the key is broken: it is not the DER of " + article(key.label()));
        }
    }

    private static String article(String label) {
        return (label.equals(PKCS8) ? "a " : "an ") + label;
    }

    private static Pem.Block onlyKey(Path file, byte[] content, List<Pem.Block> blocks) throws ConfigFileException {
        List<Pem.Block> keys =
                blocks.stream().filter(block -> block.label().endsWith(PKCS8)).toList();
        if (keys.isEmpty()) {
            throw ConfigFileException.of(file, "there is no private key in it: " + Pem.found(blocks, content));
        }
        if (keys.size() > 1) {
            String lines = keys.stream().map(key -> "" + key.line()).collect(Collectors.joining(", "));
            throw ConfigFileException.of(file, "it has several private keys, in lines " + lines + "; one is expected");
        }
        return keys.get(0);
    }

    /** The curve's name, which OpenSSL writes before the key. */
    private static byte @Nullable [] ecParameters(List<Pem.Block> blocks, Pem.Block key) throws ConfigFileException {
        for (Pem.Block block : blocks) {
            if (block.label().equals(EC_PARAMETERS) && block.line() < key.line()) {
                return block.der();
            }
        }
        return null;
    }

    private static PrivateKey decode(Pem.Block key, byte[] pkcs8) throws ConfigFileException, InvalidKeySpecException {
        Pkcs8.Algorithm algorithm = Pkcs8.algorithm(pkcs8);
        String name = ALGORITHMS.get(algorithm.identifier());
        if (name == null) {
            throw key.failure("unknown key type " + algorithm.identifier());
        }
        if (name.equals(EC_ALGORITHM)) {
            checkCurve(key, algorithm);
        }
        try {
            return KeyFactory.getInstance(name).generatePrivate(new PKCS8EncodedKeySpec(pkcs8));
        } catch (NoSuchAlgorithmException e) {
            throw key.failure("unknown key type " + name + ", which this JVM does not have");
        }
    }

    private static void checkCurve(Pem.Block key, Pkcs8.Algorithm algorithm) throws ConfigFileException {
        String curve = algorithm.curve();
        if (curve == null) {
            throw key.failure("the key does not name its curve");
        }
        if (!CURVES.contains(curve)) {
            throw key.failure("unknown key type: its curve " + curve + " is none of P-256, P-384 and P-521");
        }
    }
}
