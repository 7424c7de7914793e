package io.broxy.examples;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.broxy.HostPort;
import io.broxy.core.testkit.LeakCheck;
import io.broxy.core.testkit.Peer;
import io.broxy.core.testkit.TlsProxy;
import io.broxy.core.testkit.WebServer;
import java.io.IOException;
import java.net.InetAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLSocket;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

/** Specifies TLS between clients and the packaged mini-server. */
@ExtendWith(LeakCheck.class)
class TlsIT {
    private static final Duration PATIENCE = Duration.ofMillis(Peer.PATIENCE_MILLIS);

    private final Path folder;
    private final Issued root;
    private final Path trusted;
    private final Path chain;
    private final Path key;
    private final Path clientAuthority;

    TlsIT(@TempDir Path folder) throws Exception {
        this.folder = folder;
        this.root = Issued.of("CN=Root").authority().issue();
        this.trusted = Files.writeString(folder.resolve("root.pem"), root.certificatePem());
        this.chain = folder.resolve("chain.pem");
        this.key = folder.resolve("key.pem");
        this.clientAuthority = Files.writeString(folder.resolve("clients.pem"), root.certificatePem());
        write(local("CN=proxy"));
    }

    private Issued local(String subject) throws Exception {
        return Issued.of(subject)
                .dns("localhost")
                .ip(InetAddress.getLoopbackAddress())
                .by(root);
    }

    private void write(Issued issued) throws Exception {
        Files.writeString(chain, issued.chainPem());
        Files.writeString(key, issued.keyPem());
    }

    private JarProcess miniServer(String... options) throws IOException {
        List<String> all = new ArrayList<>(List.of("--listen=127.0.0.1:0", "--tls-cert=" + chain, "--tls-key=" + key));
        all.addAll(List.of(options));
        return JarProcess.miniServer(all.toArray(String[]::new));
    }

    private static Peer secure(HostPort proxy, SSLContext context) throws IOException {
        return new Peer(TlsProxy.secure(Peer.connect(proxy.port()).socket(), context));
    }

    private static String presented(HostPort proxy, SSLContext context) throws IOException {
        try (Peer client = secure(proxy, context)) {
            return ((SSLSocket) client.socket()).getSession().getPeerPrincipal().getName();
        }
    }

    // ------------------------------------------------------------------ serving

    @Test
    void curlReachesBothKindsOfOrigins() throws Exception {
        Curl curl = Curl.in(folder);
        try (WebServer origin = WebServer.start();
                JarProcess server = miniServer("--allow-private")) {
            HostPort proxy = server.listeningWithTls();
            String url = origin.url("/bytes/1000/1");

            assertThat(curl.getOverTls(proxy, trusted, url)).isEqualTo(new Curl.End(0, "000 200"));
            assertThat(curl.getOverTls(proxy, trusted, "--proxytunnel", url)).isEqualTo(new Curl.End(0, "200 200"));
            assertThat(curl.page()).hasSize(1_000);
            server.terminate();

            assertThat(server.exitCode()).isZero();
            assertThat(server.errLines()).isEmpty();
        }
    }

    @Test
    void aCertificateIsAUser() throws Exception {
        Curl curl = Curl.in(folder);
        Issued alice = Issued.of("CN=alice").by(root);
        Path certificate = Files.writeString(folder.resolve("alice.pem"), alice.certificatePem());
        Path secret = Files.writeString(folder.resolve("alice.key"), alice.keyPem());
        Path users = Files.writeString(folder.resolve("users"), "bob:" + UserFileTest.hash("2y", "sesame") + "\n");
        try (WebServer origin = WebServer.start();
                JarProcess server = miniServer(
                        "--allow-private", "--access-log", "--tls-client-ca=" + clientAuthority, "--auth=" + users)) {
            HostPort proxy = server.listeningWithTls();
            String url = origin.url("/bytes/10/1");

            assertThat(curl.getOverTls(
                            proxy,
                            trusted,
                            "--proxy-cert",
                            certificate.toString(),
                            "--proxy-key",
                            secret.toString(),
                            url))
                    .isEqualTo(new Curl.End(0, "000 200"));
            assertThat(curl.getOverTls(proxy, trusted, url).exitCode()).isNotZero();
            server.awaitErr("kind=exchange client=127.0.0.1:");
            server.awaitErr(" user=alice ");
            assertThat(origin.asked()).hasSize(1);
        }
    }

    @Test
    void theNameThatIsAskedForDecidesAboutTheCertificate() throws Exception {
        Issued other = Issued.of("CN=other").dns("other.example").by(root);
        Path otherChain = Files.writeString(folder.resolve("other.pem"), other.chainPem());
        Path otherKey = Files.writeString(folder.resolve("other.key"), other.keyPem());
        SSLContext context = Handshake.client(root, null);
        try (JarProcess server = JarProcess.miniServer(
                "--listen=127.0.0.1:0",
                "--tls-cert=" + otherChain,
                "--tls-key=" + otherKey,
                "--tls-cert=" + chain,
                "--tls-key=" + key)) {
            HostPort proxy = server.listeningWithTls();

            assertThat(presented(proxy, context)).isEqualTo("CN=proxy");
            try (SSLSocket unnamed = (SSLSocket) context.getSocketFactory().createSocket("127.0.0.1", proxy.port())) {
                unnamed.setSoTimeout(Peer.PATIENCE_MILLIS);
                assertThat(unnamed.getSession().getPeerPrincipal().getName()).isEqualTo("CN=other");
            }
        }
    }

    @Test
    void anOldVersionIsRefusedWhereANewerOneIsTheOldest() throws Exception {
        SSLContext context = Handshake.client(root, null);
        try (JarProcess server = miniServer("--tls-min=1.3")) {
            HostPort proxy = server.listeningWithTls();
            try (Peer below = Peer.connect(proxy.port())) {
                assertThatThrownBy(() -> TlsProxy.secure(below.socket(), context, "TLSv1.2"))
                        .hasMessageContaining("protocol_version");
            }
            assertThat(presented(proxy, context)).isEqualTo("CN=proxy");
        }
    }

    @Test
    void plainHttpIsTheWrongPort() throws Exception {
        try (JarProcess server = miniServer();
                Peer client = Peer.connect(server.listeningWithTls().port())) {
            client.send("GET http://example.org/ HTTP/1.1\r\nHost: example.org\r\n\r\n");

            assertThat(client.readAll())
                    .startsWith("HTTP/1.1 400 Bad Request\r\n")
                    .endsWith("400 this port speaks TLS: use it as an https proxy\n");
        }
    }

    @Test
    void metricsCountHandshakes() throws Exception {
        try (JarProcess server = miniServer("--admin=127.0.0.1:0")) {
            HostPort proxy = server.listeningWithTls();
            HostPort admin = HostPort.parse(server.nextLine().substring("admin on ".length()));
            assertThat(presented(proxy, Handshake.client(root, null))).isEqualTo("CN=proxy");
            try (Peer client = Peer.connect(proxy.port()).send("nonsense\r\n")) {
                client.expectEnd();
            }

            await().atMost(PATIENCE)
                    .untilAsserted(() -> assertThat(metrics(admin))
                            .contains(
                                    "# TYPE broxy_tls_handshakes_total counter\n",
                                    "broxy_tls_handshakes_total{outcome=\"completed\"} 1.0\n",
                                    "broxy_tls_handshakes_total{outcome=\"not_tls\"} 1.0\n",
                                    "broxy_tls_handshakes_total{outcome=\"failed\"} 0.0\n",
                                    "# TYPE broxy_tls_handshakes_open gauge\nbroxy_tls_handshakes_open 0.0\n",
                                    "broxy_requests_refused_total{reason=\"tls\"} 1.0\n"));
        }
    }

    private static String metrics(HostPort admin) throws IOException {
        try (Peer client = Peer.connect(admin.port())) {
            return client.send("GET /metrics HTTP/1.1\r\nHost: " + admin + "\r\nConnection: close\r\n\r\n")
                    .readAll();
        }
    }

    // ------------------------------------------------------------------ files

    @Test
    void renewedFilesAreReadAtSighup() throws Exception {
        SSLContext context = Handshake.client(root, null);
        try (JarProcess server = miniServer()) {
            HostPort proxy = server.listeningWithTls();
            assertThat(presented(proxy, context)).isEqualTo("CN=proxy");
            write(local("CN=renewed"));
            server.hangUp();
            server.awaitErr("INFO RunningServer - SIGHUP: TLS: reloaded: 1 certificates, valid until ");
            assertThat(presented(proxy, context)).isEqualTo("CN=renewed");
            Files.writeString(key, "no key");
            server.hangUp();
            server.awaitErr("WARN RunningServer - SIGHUP: " + key + ": there is no private key in it");

            assertThat(presented(proxy, context)).isEqualTo("CN=renewed");
        }
    }

    @Test
    void renewedFilesTakeEffectByThemselves() throws Exception {
        SSLContext context = Handshake.client(root, null);
        try (JarProcess server = miniServer()) {
            HostPort proxy = server.listeningWithTls();
            write(local("CN=renewed"));

            await().atMost(PATIENCE)
                    .untilAsserted(() -> assertThat(presented(proxy, context)).isEqualTo("CN=renewed"));
        }
    }

    @Test
    void filesThatCannotBeUsedAreOneLineAndOne() throws Exception {
        Issued other = Issued.of("CN=other")
                .keys(Issued.Keys.generate("EC", "secp256r1"))
                .issue();
        Files.writeString(key, other.keyPem());
        expectFailure(key + ": the key (EC) does not match the certificate of \"CN=proxy\" (EC) in " + chain);
        write(Issued.of("CN=old")
                .validUntil(Duration.ofDays(-2))
                .validFrom(Duration.ofDays(-4))
                .issue());
        expectFailure(chain + ":1: the certificate of \"CN=old\" has expired");
        write(local("CN=proxy"));
        Files.writeString(key, local("CN=proxy").keyPem().replace("PRIVATE KEY", "ENCRYPTED PRIVATE KEY"));
        expectFailure(key + ":1: the key is encrypted; one without a passphrase is expected");
        Files.delete(chain);
        expectFailure(chain + ": no such file");
    }

    private void expectFailure(String problem) throws Exception {
        try (JarProcess server = miniServer()) {
            assertThat(server.exitCode()).isEqualTo(1);
            assertThat(server.errLines()).singleElement().asString().startsWith("broxy-mini-server: " + problem);
            assertThat(server.outLines()).isEmpty();
        }
    }
}
