package io.broxy.examples;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.net.InetAddress;
import java.nio.file.Path;
import java.security.KeyPair;
import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Specifies which keys belong to which certificates, and which names a server has. */
class ServerCertificateTest {
    private static final Path CHAIN = Path.of("chain.pem");
    private static final Path KEY = Path.of("../keys/key.pem");

    private static ServerCertificate read(String chain, String key) throws ConfigFileException {
        return ServerCertificate.read(CHAIN, chain.getBytes(US_ASCII), KEY, key.getBytes(US_ASCII));
    }

    @ParameterizedTest
    @CsvSource({"RSA,", "EC, secp256r1", "EC, secp384r1", "Ed25519,"})
    void aKeyBelongsToItsCertificateOnly(String algorithm, String curve) throws Exception {
        KeyPair keys = Issued.Keys.generate(algorithm, curve);
        Issued own = Issued.of("CN=own").keys(keys).issue();
        Issued other =
                Issued.of("CN=own").keys(Issued.Keys.generate(algorithm, curve)).issue();

        ServerCertificate certificate = read(own.certificatePem(), own.keyPem());
        assertThat(certificate.chain()).containsExactly(own.certificate());
        assertThat(certificate.key()).isEqualTo(own.key());
        String type = own.key().getAlgorithm();
        assertThatThrownBy(() -> read(own.certificatePem(), other.keyPem()))
                .isInstanceOf(ConfigFileException.class)
                .hasMessage(KEY + ": the key (" + type + ") does not match the certificate of \"CN=own\" (" + type
                        + ") in " + CHAIN);
    }

    @Test
    void aKeyOfAnotherTypeOrCurveDoesNotMatch() throws Exception {
        Issued rsa = Issued.of("CN=rsa").keys(Issued.Keys.rsa()).issue();
        Issued ec = Issued.of("CN=ec").issue();
        Issued otherCurve =
                Issued.of("CN=ec").keys(Issued.Keys.generate("EC", "secp521r1")).issue();

        assertThatThrownBy(() -> read(rsa.certificatePem(), ec.keyPem()))
                .hasMessage(KEY + ": the key (EC) does not match the certificate of \"CN=rsa\" (RSA) in " + CHAIN);
        assertThatThrownBy(() -> read(otherCurve.certificatePem(), ec.keyPem()))
                .hasMessage(KEY + ": the key (EC) does not match the certificate of \"CN=ec\" (EC) in " + CHAIN);
    }

    @Test
    void chainAndKeyMayBeInOneFile() throws Exception {
        Issued own = Issued.of("CN=own").issue();
        String both = own.keyPem() + own.certificatePem();

        assertThat(read(both, both).chain()).containsExactly(own.certificate());
    }

    @Test
    void namesAreTheAlternativesOrElseTheCommonName() throws Exception {
        Issued several = Issued.of("CN=Ignored")
                .dns("A.example", "*.b.example")
                .ip(InetAddress.getByAddress(new byte[] {10, 1, 2, 3}))
                .issue();
        Issued common = Issued.of("CN=Old.example, O=Broxy").issue();

        assertThat(read(several.certificatePem(), several.keyPem()).names())
                .containsExactlyInAnyOrder("a.example", "*.b.example", "10.1.2.3");
        assertThat(read(common.certificatePem(), common.keyPem()).names()).containsExactly("old.example");
    }

    @Test
    void itIsValidAsLongAsAllOfItsChain() throws Exception {
        Issued root = Issued.of("CN=Root").authority().issue();
        Issued middle = Issued.of("CN=Middle")
                .authority()
                .validUntil(Duration.ofDays(3))
                .by(root);
        Issued leaf = Issued.of("CN=leaf").by(middle);

        assertThat(read(leaf.chainPem(), leaf.keyPem()).end())
                .isEqualTo(middle.certificate().getNotAfter().toInstant());
    }
}
