package io.broxy.examples;

import static java.nio.charset.StandardCharsets.US_ASCII;

import java.io.ByteArrayInputStream;
import java.math.BigInteger;
import java.net.InetAddress;
import java.nio.ByteBuffer;
import java.security.GeneralSecurityException;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.PrivateKey;
import java.security.PublicKey;
import java.security.Signature;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.security.spec.ECGenParameterSpec;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.ArrayList;
import java.util.Base64;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.atomic.AtomicLong;
import javax.security.auth.x500.X500Principal;
import org.jspecify.annotations.Nullable;

/**
 * A certificate (RFC 5280) that was issued for a test, and its key.
 *
 * @param issuer null if it is self-signed
 */
record Issued(
        PrivateKey key,
        X509Certificate certificate,
        @Nullable Issued issuer) {
    private static final AtomicLong serials = new AtomicLong(1);
    private static final DateTimeFormatter TIME =
            DateTimeFormatter.ofPattern("yyyyMMddHHmmss'Z'").withZone(ZoneOffset.UTC);

    private static final int BOOLEAN = 0x01;
    private static final int BIT_STRING = 0x03;
    private static final int GENERALIZED_TIME = 0x18;
    private static final int CONTEXT_3 = 0xA3;
    private static final byte[] TRUE = Der.element(BOOLEAN, new byte[] {-1});

    /** The signatures by keys of an algorithm. */
    private record Signing(String name, String identifier) {}

    private static final Map<String, Signing> SIGNINGS = Map.of(
            "RSA", new Signing("SHA256withRSA", "06092a864886f70d01010b0500"),
            "EC", new Signing("SHA256withECDSA", "06082a8648ce3d040302"),
            "EdDSA", new Signing("Ed25519", "06032b6570"));

    /** What a certificate is to say. Without more it is self-signed, by an EC key, and valid for a month. */
    static final class Order {
        private final String subject;
        private final List<byte[]> names = new ArrayList<>();
        private KeyPair keys = Keys.ec();
        private Duration begin = Duration.ofDays(-1);
        private Duration end = Duration.ofDays(30);
        private boolean authority;
        private @Nullable Issued issuer;

        private Order(String subject) {
            this.subject = subject;
        }

        Order keys(KeyPair pair) {
            keys = pair;
            return this;
        }

        Order dns(String... more) {
            for (String name : more) {
                names.add(Der.element(0x82, name.getBytes(US_ASCII)));
            }
            return this;
        }

        Order ip(InetAddress address) {
            names.add(Der.element(0x87, address.getAddress()));
            return this;
        }

        Order validFrom(Duration fromNow) {
            begin = fromNow;
            return this;
        }

        Order validUntil(Duration fromNow) {
            end = fromNow;
            return this;
        }

        Order authority() {
            authority = true;
            return this;
        }

        Issued by(Issued signer) throws GeneralSecurityException {
            issuer = signer;
            return issue();
        }

        Issued issue() throws GeneralSecurityException {
            X500Principal own = new X500Principal(subject);
            PrivateKey signer = issuer == null ? keys.getPrivate() : issuer.key;
            Signing signing = Objects.requireNonNull(SIGNINGS.get(signer.getAlgorithm()));
            byte[] algorithm = Der.element(Der.SEQUENCE, hex(signing.identifier));
            byte[] content = Der.element(
                    Der.SEQUENCE,
                    Der.element(Der.CONTEXT_0, hex("020102")),
                    Der.element(
                            Der.INTEGER,
                            BigInteger.valueOf(serials.incrementAndGet()).toByteArray()),
                    algorithm,
                    issuer == null
                            ? own.getEncoded()
                            : issuer.certificate.getSubjectX500Principal().getEncoded(),
                    Der.element(Der.SEQUENCE, time(begin), time(end)),
                    own.getEncoded(),
                    keys.getPublic().getEncoded(),
                    Der.element(CONTEXT_3, Der.element(Der.SEQUENCE, extensions())));
            Signature signature = Signature.getInstance(signing.name);
            signature.initSign(signer);
            signature.update(content);
            byte[] der = Der.element(
                    Der.SEQUENCE, content, algorithm, Der.element(BIT_STRING, new byte[1], signature.sign()));
            X509Certificate certificate = (X509Certificate)
                    CertificateFactory.getInstance("X.509").generateCertificate(new ByteArrayInputStream(der));
            return new Issued(keys.getPrivate(), certificate, issuer);
        }

        private byte[] extensions() {
            byte[] constraints = Der.element(Der.SEQUENCE, authority ? TRUE : new byte[0]);
            byte[] basic = extension("0603551d13", constraints);
            return names.isEmpty()
                    ? basic
                    : join(basic, extension("0603551d11", Der.element(Der.SEQUENCE, names.toArray(byte[][]::new))));
        }

        private static byte[] extension(String identifier, byte[] value) {
            return Der.element(Der.SEQUENCE, hex(identifier), Der.element(Der.OCTET_STRING, value));
        }

        private static byte[] time(Duration fromNow) {
            return Der.element(
                    GENERALIZED_TIME, TIME.format(Instant.now().plus(fromNow)).getBytes(US_ASCII));
        }
    }

    /** Keys that several tests share, and fresh ones. */
    static final class Keys {
        private static final KeyPair RSA = generate("RSA", null);
        private static final KeyPair EC = generate("EC", "secp256r1");

        private Keys() {}

        static KeyPair rsa() {
            return RSA;
        }

        static KeyPair ec() {
            return EC;
        }

        static KeyPair generate(String algorithm, @Nullable String curve) {
            try {
                KeyPairGenerator generator = KeyPairGenerator.getInstance(algorithm);
                if (curve != null) {
                    generator.initialize(new ECGenParameterSpec(curve));
                }
                return generator.generateKeyPair();
            } catch (GeneralSecurityException e) {
                throw new AssertionError(e);
            }
        }
    }

    /** Begins an order. */
    static Order of(String subject) {
        return new Order(subject);
    }

    PublicKey publicKey() {
        return certificate.getPublicKey();
    }

    /** The key in PKCS #8. */
    String keyPem() {
        return pem("PRIVATE KEY", key.getEncoded());
    }

    String certificatePem() throws GeneralSecurityException {
        return pem("CERTIFICATE", certificate.getEncoded());
    }

    /** The certificate and those of its issuers, but for the self-signed one. */
    String chainPem() throws GeneralSecurityException {
        String rest = issuer == null || issuer.issuer == null ? "" : issuer.chainPem();
        return certificatePem() + rest;
    }

    static String pem(String label, byte[] content) {
        String lines = Base64.getMimeEncoder(64, new byte[] {'\n'}).encodeToString(content);
        return "-----BEGIN " + label + "-----\n" + lines + "\n-----END " + label + "-----\n";
    }

    static byte[] hex(String digits) {
        return HexFormat.of().parseHex(digits);
    }

    static byte[] join(byte[] one, byte[] other) {
        return ByteBuffer.allocate(one.length + other.length)
                .put(one)
                .put(other)
                .array();
    }
}
