package io.broxy.core.interop;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.broxy.TlsOutcome;
import io.broxy.core.testkit.Certificates;
import io.broxy.core.testkit.LeakCheck;
import io.broxy.core.testkit.Origin;
import io.broxy.core.testkit.Program;
import io.broxy.core.testkit.Proxy;
import io.broxy.core.testkit.TlsProxy;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Specifies TLS to clients as OpenSSL's {@code s_client} sees it. Skipped where it is missing. */
@ExtendWith(LeakCheck.class)
class OpenSslClientTest {
    /** Gets 400, and with it the end of the connection. */
    private static final String REQUEST = "GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";

    private final Path folder;
    private final Path trusted;

    OpenSslClientTest(@TempDir Path folder) {
        this.folder = folder;
        this.trusted = folder.resolve("proxy.pem");
    }

    @BeforeEach
    void writeCertificate() throws Exception {
        Certificates.loopback().writePem(trusted, folder.resolve("proxy-key.pem"));
    }

    /** Talks to the proxy until one of both ends the connection. */
    private Program client(TlsProxy proxy, String input, String... options) throws Exception {
        List<String> arguments = new ArrayList<>(List.of(
                "s_client",
                "-connect",
                "127.0.0.1:" + proxy.port(),
                "-servername",
                "localhost",
                "-verify_hostname",
                "localhost",
                "-verify_return_error",
                "-CAfile",
                trusted.toString()));
        arguments.addAll(List.of(options));
        return Program.talk(input, folder, "openssl", arguments.toArray(String[]::new));
    }

    private static void awaitOutcome(TlsProxy proxy, TlsOutcome outcome, int count) {
        await().untilAsserted(
                        () -> assertThat(proxy.stats().tlsHandshakes(outcome)).isEqualTo(count));
    }

    @ParameterizedTest
    @CsvSource({"-tls1_2, TLSv1.2", "-tls1_3, TLSv1.3"})
    void aRequestIsAnsweredOverEitherVersionWithoutCompression(String option, String version) throws Exception {
        try (TlsProxy proxy = TlsProxy.start(settings -> {})) {
            Program client = client(proxy, REQUEST, option);

            assertThat(client.output())
                    .contains("New, " + version + ", Cipher is ")
                    .contains("Compression: NONE\n")
                    .contains("Verify return code: 0 (ok)\n")
                    .contains("HTTP/1.1 400 Bad Request\r\n");
            awaitOutcome(proxy, TlsOutcome.COMPLETED, 1);
        }
    }

    @Test
    void aTunnelCarriesWhatIsSent() throws Exception {
        try (Origin origin = Origin.start(peer -> peer.send("you said: " + peer.readLine()));
                TlsProxy proxy = TlsProxy.start(settings -> {})) {
            Program client = client(proxy, Proxy.connectHead(origin.target()) + "hello\r\n", "-quiet");

            assertThat(client.output()).contains("HTTP/1.1 200 OK\r\n\r\nyou said: hello");
        }
    }

    @ParameterizedTest
    @CsvSource({"-tls1_2, TLSv1.2", "-tls1_3, TLSv1.3"})
    void aSessionIsResumed(String option, String version) throws Exception {
        Path session = folder.resolve("session");
        try (TlsProxy proxy = TlsProxy.start(settings -> {})) {
            client(proxy, REQUEST, option, "-sess_out", session.toString());
            assertThat(session).isNotEmptyFile();
            Program again = client(proxy, REQUEST, option, "-sess_in", session.toString());

            assertThat(again.output())
                    .contains("Reused, " + version + ", Cipher is ")
                    .contains("HTTP/1.1 400 Bad Request\r\n");
            awaitOutcome(proxy, TlsOutcome.COMPLETED, 2);
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"-tls1", "-tls1_1"})
    void anOlderVersionIsRefused(String option) throws Exception {
        try (TlsProxy proxy = TlsProxy.start(settings -> {})) {
            Program client = client(proxy, "", option, "-cipher", "ALL:@SECLEVEL=0");

            assertThat(client.exitCode()).isNotZero();
            assertThat(client.output())
                    .containsIgnoringCase("alert protocol version")
                    .contains("Cipher is (NONE)");
            awaitOutcome(proxy, TlsOutcome.FAILED, 1);
        }
    }

    @Test
    void renegotiationEndsTheConnection() throws Exception {
        try (TlsProxy proxy = TlsProxy.start(settings -> {})) {
            Program client = client(proxy, "R\n", "-tls1_2"); // waits for the end, which only the proxy can bring

            assertThat(client.output()).contains("RENEGOTIATING").doesNotContain("HTTP/1.1");
            awaitOutcome(proxy, TlsOutcome.COMPLETED, 1);
            await().untilAsserted(
                            () -> assertThat(proxy.stats().openConnections()).isZero());
        }
    }

    @Test
    void httpIsTheProtocolThatIsAgreedOn() throws Exception {
        try (TlsProxy proxy = TlsProxy.start(settings -> {})) {
            assertThat(client(proxy, REQUEST, "-alpn", "h2,http/1.1").output()).contains("ALPN protocol: http/1.1\n");
            assertThat(client(proxy, REQUEST).output()).contains("No ALPN negotiated\n");
        }
    }

    @Test
    void aClientThatSpeaksNoneOfTheProtocolsIsRefused() throws Exception {
        try (TlsProxy proxy = TlsProxy.start(settings -> {})) {
            Program client = client(proxy, "", "-alpn", "h2");

            assertThat(client.exitCode()).isNotZero();
            assertThat(client.output()).containsIgnoringCase("alert no application protocol");
            awaitOutcome(proxy, TlsOutcome.FAILED, 1);
        }
    }
}
