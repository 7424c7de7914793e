package io.broxy.examples;

import static org.assertj.core.api.Assertions.assertThat;

import java.net.InetAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLSession;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Specifies the identity of a client with a certificate. */
class CertificateNamesTest {

    private final SSLContext server;
    private final Issued root;

    CertificateNamesTest(@TempDir Path folder) throws Exception {
        root = Issued.of("CN=Root")
                .keys(Issued.Keys.generate("EC", "secp256r1"))
                .authority()
                .issue();
        Path chain = Files.writeString(folder.resolve("chain.pem"), root.certificatePem());
        Path key = Files.writeString(folder.resolve("key.pem"), root.keyPem());
        TlsFiles files = new TlsFiles(List.of(new TlsFiles.Pair(chain, key)), chain);
        server = files.load(files.read()).context();
    }

    private @Nullable String identity(Issued.Order order) throws Exception {
        SSLContext client = Handshake.client(root, order.by(root));
        return CertificateNames.identity(
                Handshake.between(client, server, true, parameters -> {}).serverSession());
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "CN=alice | alice",
                "CN=alice,OU=Staff,O=Broxy | alice",
                "O=Broxy,OU=Staff,CN=alice | alice",
                "CN=leaf,OU=Staff,CN=branch | leaf",
                "OU=Staff+CN=alice,O=Broxy | alice",
                "CN=\"Doe, Jane\",O=Broxy | Doe, Jane",
                "CN=J\u00FCrgen | J\u00FCrgen"
            })
    void itIsTheMostSpecificCommonName(String subject, String identity) throws Exception {
        assertThat(identity(Issued.of(subject).dns("not.this.example"))).isEqualTo(identity);
    }

    @Test
    void withoutACommonNameItIsTheFirstDnsName() throws Exception {
        Issued.Order order =
                Issued.of("O=Broxy").ip(InetAddress.getLoopbackAddress()).dns("One.example", "two.example");

        assertThat(identity(order)).isEqualTo("One.example");
    }

    @Test
    void aBlankCommonNameIsNone() throws Exception {
        assertThat(identity(Issued.of("CN=\" \",O=Broxy").dns("one.example"))).isEqualTo("one.example");
    }

    @Test
    void withoutBothThereIsNone() throws Exception {
        assertThat(identity(Issued.of("O=Broxy"))).isNull();
        assertThat(identity(Issued.of("O=Broxy").ip(InetAddress.getLoopbackAddress())))
                .isNull();
    }

    @Test
    void withoutACertificateThereIsNone() throws Exception {
        SSLContext client = Handshake.client(root, null);
        SSLSession session =
                Handshake.between(client, server, false, parameters -> {}).serverSession();

        assertThat(CertificateNames.identity(session)).isNull();
    }
}
