package io.broxy.examples;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Path;
import java.security.KeyPair;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Specifies which certificates are read, in which order, and what is said of others. */
class PemCertificatesTest {
    private static final Path FILE = Path.of("chain.pem");

    private final Issued root;
    private final Issued middle;
    private final Issued leaf;

    PemCertificatesTest() throws Exception {
        root = Issued.of("CN=Root").authority().issue();
        KeyPair keys = Issued.Keys.generate("EC", "secp256r1");
        middle = Issued.of("CN=Middle").keys(keys).authority().by(root);
        leaf = Issued.of("CN=leaf.example").dns("leaf.example").by(middle);
    }

    private static List<X509Certificate> chain(String content) throws ConfigFileException {
        return PemCertificates.chain(FILE, content.getBytes(ISO_8859_1));
    }

    private static void expectFailure(String content, String message) {
        assertThatThrownBy(() -> chain(content))
                .isInstanceOf(ConfigFileException.class)
                .hasMessageStartingWith(FILE + message)
                .message()
                .hasLineCount(1);
    }

    private static void expectNoAuthority(Issued certificate, String message) throws Exception {
        byte[] content = certificate.certificatePem().getBytes(ISO_8859_1);
        assertThatThrownBy(() -> PemCertificates.authorities(FILE, content))
                .isInstanceOf(ConfigFileException.class)
                .hasMessageStartingWith(FILE + message);
    }

    @Test
    void aChainIsReadWithItsRootOrWithout() throws Exception {
        assertThat(chain(leaf.certificatePem())).containsExactly(leaf.certificate());
        assertThat(chain(leaf.chainPem())).containsExactly(leaf.certificate(), middle.certificate());
        assertThat(chain(leaf.chainPem() + root.certificatePem()))
                .containsExactly(leaf.certificate(), middle.certificate(), root.certificate());
    }

    @Test
    void textAndOtherBlocksAroundAreIgnored() throws Exception {
        String content = "subject=Se\u00F1or\n" + leaf.certificatePem().replace("\n", "\r\n") + "\r\ni: Middle\n"
                + leaf.keyPem() + middle.certificatePem() + "\nthe end";

        assertThat(chain(content)).containsExactly(leaf.certificate(), middle.certificate());
    }

    @Test
    void aChainInAnotherOrderIsRefused() throws Exception {
        expectFailure(
                middle.certificatePem() + leaf.certificatePem(),
                ":" + (middle.certificatePem().lines().count() + 1)
                        + ": the chain is out of order: the certificate of \"CN=leaf.example\" has not issued the one"
                        + " before it, of \"CN=Middle\"; the server's own is expected first, then that of each issuer");
        expectFailure(
                leaf.certificatePem() + root.certificatePem(),
                ":" + (leaf.certificatePem().lines().count() + 1) + ": the chain is out of order: ");
    }

    @Test
    void anIssuerOfTheSameNameWithAnotherKeyIsRefused() throws Exception {
        KeyPair others = Issued.Keys.generate("EC", "secp256r1");
        Issued other = Issued.of("CN=Middle").keys(others).authority().issue();

        expectFailure(
                leaf.certificatePem() + other.certificatePem(),
                ":" + (leaf.certificatePem().lines().count() + 1) + ": the chain is out of order: ");
    }

    @Test
    void aFileWithoutACertificateSaysWhatItHas() throws Exception {
        expectFailure("", ": there is no certificate in it: it is empty");
        expectFailure("hello", ": there is no certificate in it: it is not PEM");
        expectFailure(leaf.keyPem(), ": there is no certificate in it: found \"PRIVATE KEY\"");
        expectFailure(
                new String(leaf.certificate().getEncoded(), ISO_8859_1),
                ": there is no certificate in it: it looks like DER; PEM is expected");
    }

    @Test
    void anyCertificateOfTheChainThatIsNotValidAtPresentIsRefused() throws Exception {
        Issued old = Issued.of("CN=old")
                .validFrom(Duration.ofDays(-9))
                .validUntil(Duration.ofDays(-1))
                .by(middle);
        Issued early = Issued.of("CN=early").validFrom(Duration.ofDays(1)).by(middle);
        Issued oldRoot = Issued.of("CN=Root")
                .authority()
                .validUntil(Duration.ofMinutes(-1))
                .issue();

        expectFailure(
                old.certificatePem(),
                ":1: the certificate of \"CN=old\" has expired, at "
                        + old.certificate().getNotAfter().toInstant());
        expectFailure(
                early.certificatePem(),
                ":1: the certificate of \"CN=early\" is not valid yet, but from "
                        + early.certificate().getNotBefore().toInstant());
        expectFailure(
                middle.certificatePem() + oldRoot.certificatePem(),
                ":" + (middle.certificatePem().lines().count() + 1)
                        + ": the certificate of \"CN=Root\" has expired, at ");
    }

    @Test
    void brokenBase64AndBrokenDerAreRefused() throws Exception {
        expectFailure(leaf.certificatePem().replace("\nM", "\n*"), ":1: the Base64 of this CERTIFICATE is broken");
        expectFailure(Issued.pem("CERTIFICATE", new byte[] {1, 2, 3}), ":1: the certificate is broken: ");
        expectFailure(Issued.pem("CERTIFICATE", new byte[0]), ":1: the certificate is broken: ");
        byte[] der = leaf.certificate().getEncoded();
        expectFailure(Issued.pem("CERTIFICATE", Arrays.copyOf(der, der.length - 1)), ":1: the certificate is broken: ");
        expectFailure(
                Issued.pem("CERTIFICATE", Issued.join(der, new byte[1])),
                ":1: the certificate is broken: something follows its DER");
    }

    @Test
    void authoritiesNeedNoOrder() throws Exception {
        Issued other = Issued.of("CN=Other").authority().issue();
        byte[] content =
                (other.certificatePem() + middle.certificatePem() + root.certificatePem()).getBytes(ISO_8859_1);

        assertThat(PemCertificates.authorities(FILE, content))
                .containsExactly(other.certificate(), middle.certificate(), root.certificate());
    }

    @Test
    void anAuthorityMustBeOneAndValid() throws Exception {
        expectNoAuthority(leaf, ":1: the certificate of \"CN=leaf.example\" is not that of an authority (CA)");
        expectNoAuthority(
                Issued.of("CN=Old")
                        .authority()
                        .validUntil(Duration.ofMinutes(-1))
                        .issue(),
                ":1: the certificate of \"CN=Old\" has expired, at ");
    }
}
