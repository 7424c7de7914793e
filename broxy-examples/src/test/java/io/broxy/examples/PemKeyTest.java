package io.broxy.examples;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Path;
import java.security.KeyPair;
import java.security.PrivateKey;
import java.security.interfaces.ECPrivateKey;
import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Specifies which private keys are read, in which forms, and what is said of others. */
class PemKeyTest {
    private static final Path FILE = Path.of("./conf/key.pem");
    private static final byte[] P256 = Issued.hex("06082a8648ce3d030107");
    private static final byte[] P384 = Issued.hex("06052b81040022");

    private static final PrivateKey RSA = Issued.Keys.rsa().getPrivate();
    private static final PrivateKey EC = Issued.Keys.ec().getPrivate();

    private static PrivateKey read(String content) throws ConfigFileException {
        return PemKey.read(FILE, content.getBytes(ISO_8859_1));
    }

    private static void expectFailure(String content, String message) {
        assertThatThrownBy(() -> read(content))
                .isInstanceOf(ConfigFileException.class)
                .hasMessage(FILE + message)
                .hasNoCause();
    }

    private static byte[] inner(PrivateKey key) throws Exception {
        return Der.of(key.getEncoded())
                .enter(Der.SEQUENCE)
                .skip(Der.INTEGER)
                .skip(Der.SEQUENCE)
                .enter(Der.OCTET_STRING)
                .rest();
    }

    private static String pkcs1() throws Exception {
        return Issued.pem("RSA PRIVATE KEY", inner(RSA));
    }

    /** The traditional form, as OpenSSL writes it with the curve, or without. */
    private static String sec1(PrivateKey key, byte[] curve) throws Exception {
        byte[] number = Der.of(inner(key))
                .enter(Der.SEQUENCE)
                .skip(Der.INTEGER)
                .enter(Der.OCTET_STRING)
                .rest();
        byte[] parameters = curve.length == 0 ? curve : Der.element(Der.CONTEXT_0, curve);
        byte[] sec1 =
                Der.element(Der.SEQUENCE, Issued.hex("020101"), Der.element(Der.OCTET_STRING, number), parameters);
        return Issued.pem("EC PRIVATE KEY", sec1);
    }

    /** The JDK's equality compares encodings, of which an EC key has several. */
    private static void expectEc(PrivateKey read, PrivateKey key) {
        ECPrivateKey actual = (ECPrivateKey) read;
        ECPrivateKey expected = (ECPrivateKey) key;
        assertThat(actual.getS()).isEqualTo(expected.getS());
        assertThat(actual.getParams().getOrder()).isEqualTo(expected.getParams().getOrder());
    }

    private static String pkcs8(String algorithm) {
        return Issued.pem(
                "PRIVATE KEY",
                Der.element(
                        Der.SEQUENCE,
                        Issued.hex("020100"),
                        Der.element(Der.SEQUENCE, Issued.hex(algorithm)),
                        Der.element(Der.OCTET_STRING, new byte[32])));
    }

    @Test
    void pkcs8OfRsaAndEcIsRead() throws Exception {
        assertThat(read(Issued.pem("PRIVATE KEY", RSA.getEncoded()))).isEqualTo(RSA);
        assertThat(read(Issued.pem("PRIVATE KEY", EC.getEncoded()))).isEqualTo(EC);
    }

    @ParameterizedTest
    @ValueSource(strings = {"Ed25519", "Ed448", "RSASSA-PSS"})
    void pkcs8OfOtherKeysOfTlsIsRead(String algorithm) throws Exception {
        PrivateKey key = Issued.Keys.generate(algorithm, null).getPrivate();

        PrivateKey read = read(Issued.pem("PRIVATE KEY", key.getEncoded()));
        assertThat(read.getEncoded()).isEqualTo(key.getEncoded());
        assertThat(read.getAlgorithm()).isEqualTo(key.getAlgorithm());
    }

    @Test
    void theTraditionalFormOfRsaIsRead() throws Exception {
        assertThat(read(pkcs1())).isEqualTo(RSA);
    }

    @Test
    void theTraditionalFormOfEcIsReadWithItsCurveInsideOrBefore() throws Exception {
        String parameters = Issued.pem("EC PARAMETERS", P256);

        expectEc(read(sec1(EC, P256)), EC);
        expectEc(read(parameters + sec1(EC, new byte[0])), EC);
        expectEc(read(parameters + sec1(EC, P256)), EC);
    }

    @ParameterizedTest
    @CsvSource({"secp384r1, 06052b81040022", "secp521r1, 06052b81040023"})
    void otherCurvesAreRead(String name, String identifier) throws Exception {
        KeyPair keys = Issued.Keys.generate("EC", name);

        expectEc(read(sec1(keys.getPrivate(), Issued.hex(identifier))), keys.getPrivate());
    }

    @Test
    void aCurveInsideTheKeyCountsMoreThanTheOneBefore() throws Exception {
        expectEc(read(Issued.pem("EC PARAMETERS", P384) + sec1(EC, P256)), EC);
    }

    @Test
    void textAroundTheKeyIsIgnored() throws Exception {
        String certificate = Issued.of("CN=localhost").issue().certificatePem();
        String key = pkcs1().replace("\n", "\r\n");

        assertThat(read("Schl\u00FCssel: \u00E4\r\n" + key + "the end")).isEqualTo(RSA);
        assertThat(read(certificate + key)).isEqualTo(RSA);
        assertThat(read(key.indent(4))).isEqualTo(RSA);
        assertThat(read(key.replace("KEY-----\r\nM", "KEY-----\r\nComment: mine\r\n\r\nM")))
                .isEqualTo(RSA);
    }

    @Test
    void aFileWithoutAKeySaysWhatItHas() throws Exception {
        expectFailure("", ": there is no private key in it: it is empty");
        expectFailure("hello", ": there is no private key in it: it is not PEM");
        expectFailure(
                Issued.of("CN=a").issue().certificatePem(), ": there is no private key in it: found \"CERTIFICATE\"");
        expectFailure(
                new String(RSA.getEncoded(), ISO_8859_1),
                ": there is no private key in it: it looks like DER; PEM is expected");
    }

    @Test
    void oneKeyIsExpected() throws Exception {
        expectFailure(sec1(EC, P256) + pkcs1(), ": it has several private keys, in lines 1, 5; one is expected");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "-----BEGIN ENCRYPTED PRIVATE KEY-----\nMAAA\n-----END ENCRYPTED PRIVATE KEY-----\n",
                "-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: A\n\nMA==\n-----END RSA PRIVATE KEY-----\n",
                "-----BEGIN EC PRIVATE KEY-----\r\nProc-Type: 4,ENCRYPTED\r\n\r\nMAAA\r\n-----END EC PRIVATE KEY-----\r\n"
            })
    void anEncryptedKeyIsRefused(String content) {
        expectFailure("\n" + content, ":2: the key is encrypted; one without a passphrase is expected");
    }

    @Test
    void unknownKeyTypesAreRefused() throws Exception {
        expectFailure(Issued.pem("DSA PRIVATE KEY", new byte[9]), ":1: unknown key type \"DSA PRIVATE KEY\"");
        expectFailure(Issued.pem("OPENSSH PRIVATE KEY", new byte[9]), ":1: unknown key type \"OPENSSH PRIVATE KEY\"");
        expectFailure(pkcs8("06032b656e"), ":1: unknown key type 1.3.101.110"); // X25519
        expectFailure(pkcs8("06072a8648ce380401"), ":1: unknown key type 1.2.840.10040.4.1"); // DSA
        expectFailure(
                sec1(EC, Issued.hex("06052b8104000a")),
                ":1: unknown key type: its curve 1.3.132.0.10 is none of P-256, P-384 and P-521"); // secp256k1
    }

    @Test
    void anEcKeyNeedsANamedCurve() throws Exception {
        expectFailure(sec1(EC, new byte[0]), ":1: the key does not name its curve");
        expectFailure(sec1(EC, Issued.hex("3003020101")), ":1: the key does not name its curve");
        expectFailure(sec1(EC, new byte[0]) + Issued.pem("EC PARAMETERS", P256), ":1: the key does not name its curve");
    }

    @Test
    void brokenBase64IsRefusedWithoutShowingIt() throws Exception {
        expectFailure(pkcs1().replace("\nM", "\n*M"), ":1: the Base64 of this RSA PRIVATE KEY is broken");
        expectFailure(
                "-----BEGIN PRIVATE KEY-----\nMAA A\n-----END PRIVATE KEY-----",
                ":1: the Base64 of this PRIVATE KEY is broken");
    }

    @ParameterizedTest
    @ValueSource(strings = {"PRIVATE KEY", "RSA PRIVATE KEY", "EC PRIVATE KEY"})
    void brokenDerIsRefusedWithoutShowingIt(String label) throws Exception {
        String message =
                ":1: the key is broken: it is not the DER of a" + (label.equals("PRIVATE KEY") ? " " : "n ") + label;
        expectFailure(Issued.pem(label, new byte[0]), message);
        expectFailure(Issued.pem(label, "some other text".getBytes(US_ASCII)), message);
        expectFailure(Issued.pem(label, Issued.hex("3084ffffffff")), message);
        expectFailure(Issued.pem(label, Issued.hex("30820400020100")), message);
        expectFailure(Issued.pem(label, Issued.hex("3080")), message);
        expectFailure(Issued.pem(label, Issued.hex("3003020100")), message);
    }

    @Test
    void aKeyThatIsCutOffAnywhereIsRefused() throws Exception {
        byte[] whole = EC.getEncoded();
        for (int length = 0; length < whole.length; length++) {
            byte[] cut = Arrays.copyOf(whole, length);
            assertThatThrownBy(() -> read(Issued.pem("PRIVATE KEY", cut)))
                    .isInstanceOf(ConfigFileException.class)
                    .hasMessage(FILE + ":1: the key is broken: it is not the DER of a PRIVATE KEY");
        }
    }

    @Test
    void aBlockNeedsItsEnd() {
        expectFailure("\n-----BEGIN PRIVATE KEY-----\nMAAA\n", ":2: this PRIVATE KEY has no end");
        expectFailure(
                "-----BEGIN PRIVATE KEY-----\nMAAA\n-----BEGIN CERTIFICATE-----\n", ":1: this PRIVATE KEY has no end");
        expectFailure(
                "-----BEGIN PRIVATE KEY-----\nMAAA\n-----END CERTIFICATE-----\n",
                ":3: expected the end of the PRIVATE KEY that begins in line 1");
    }

    @Test
    void aFileThatIsTooLargeIsRefused() {
        expectFailure(" ".repeat(FileContent.LARGEST + 1), ": it is too large");
    }
}
