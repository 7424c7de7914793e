package io.broxy.examples;

import static org.assertj.core.api.Assertions.assertThat;

import io.broxy.Credentials;
import io.broxy.HostPort;
import io.broxy.core.testkit.Certificates;
import io.broxy.core.testkit.Http;
import io.broxy.core.testkit.LeakCheck;
import io.broxy.core.testkit.LoginOrigin;
import io.broxy.core.testkit.Origin;
import io.broxy.core.testkit.Peer;
import io.broxy.core.testkit.Proxy;
import io.broxy.core.testkit.SocksServer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import javax.net.ssl.SSLContext;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Specifies a running server that reaches targets through a proxy on the loopback, which its clients may not reach. */
@ExtendWith(LeakCheck.class)
class UpstreamsTest {
    private static final HostPort TARGET = HostPort.parse("far.example:443");

    private final Path folder;

    UpstreamsTest(@TempDir Path folder) {
        this.folder = folder;
    }

    private static RunningServer start(String... arguments) throws IOException {
        List<String> all = new ArrayList<>(List.of(arguments));
        all.add("--event-loops=2");
        return RunningServer.start(ServerOptions.parse(all.toArray(String[]::new)));
    }

    private static Peer ask(RunningServer server, HostPort target) throws IOException {
        return Peer.connect(HostPort.parse(server.address()).port()).send(Proxy.connectHead(target));
    }

    private static void expectTunnel(RunningServer server) throws IOException {
        try (Peer client = ask(server, TARGET)) {
            assertThat(client.readHead()).isEqualTo("HTTP/1.1 200 OK\r\n\r\n");
            assertThat(client.send("ping").readText(4)).isEqualTo("ping");
        }
    }

    private static void expectRefusal(RunningServer server, HostPort target) throws IOException {
        try (Peer client = ask(server, target)) {
            assertThat(client.readHead()).startsWith("HTTP/1.1 403 ");
        }
    }

    /** An HTTP proxy's side of a tunnel, after which it is the target, too, and sends back what it gets. */
    private static void playHttpProxy(Peer peer, Credentials credentials) throws IOException {
        assertThat(peer.readHead())
                .startsWith("CONNECT far.example:443 HTTP/1.1\r\n")
                .contains("\r\nProxy-Authorization: " + credentials.authorization() + "\r\n");
        peer.send("HTTP/1.1 200 Connection established\r\n\r\n").send(peer.read(4));
    }

    @Test
    void anHttpUpstreamOnTheLoopbackIsReachedWithDecodedCredentials() throws IOException {
        try (Origin upstream = Origin.start(peer -> playHttpProxy(peer, Credentials.basic("us er", "p@ss/ü")));
                RunningServer server = start(
                        "--listen=127.0.0.1:0", "--upstream=http://us%20er:p%40ss%2f%c3%bc@" + upstream.target())) {
            expectTunnel(server);
        }
    }

    /** Answers with a challenge first. */
    private static void playDigestProxy(Peer peer) throws IOException {
        assertThat(peer.readHead()).doesNotContain("Proxy-Authorization");
        String challenge = "Digest realm=\"r\", qop=\"auth\", nonce=\"n\"";
        peer.send("HTTP/1.1 407 Who\r\nContent-Length: 0\r\nProxy-Authenticate: " + challenge + "\r\n\r\n");
        assertThat(peer.readHead()).contains("\r\nProxy-Authorization: Digest username=\"u\", realm=\"r\", ");
        peer.send("HTTP/1.1 200 Connection established\r\n\r\n").send(peer.read(4));
    }

    @Test
    void anUpstreamMayWantDigest() throws IOException {
        try (Origin upstream = Origin.start(UpstreamsTest::playDigestProxy);
                RunningServer server = start(
                        "--listen=127.0.0.1:0",
                        "--upstream=http://u:p@" + upstream.target(),
                        "--upstream-auth=digest")) {
            expectTunnel(server);
        }
    }

    @Test
    void soMayAProxyOfARuleFile() throws IOException {
        try (Origin upstream = Origin.start(UpstreamsTest::playDigestProxy)) {
            Path file = Files.writeString(folder.resolve("digest.yaml"), """
                    proxies:
                      - {name: a, type: http, host: 127.0.0.1, port: %d, auth: {type: digest, username: u, password: p}}
                    rules: [{match: default, proxy: a}]
                    """.formatted(upstream.port()));
            try (RunningServer server = start("--listen=127.0.0.1:0", "--rules=" + file)) {
                expectTunnel(server);
            }
        }
    }

    @Test
    void anUpstreamMaySpeakTls() throws IOException, NoSuchAlgorithmException {
        SSLContext usual = SSLContext.getDefault();
        SSLContext.setDefault(Certificates.loopback().client());
        try (Origin upstream = Origin.startTls(
                        Certificates.loopback(), peer -> playHttpProxy(peer, Credentials.basic("u", "p")));
                RunningServer server =
                        start("--listen=127.0.0.1:0", "--upstream=https://u:p@localhost:" + upstream.port())) {
            expectTunnel(server);
        } finally {
            SSLContext.setDefault(usual);
        }
    }

    @Test
    void aSocks5UpstreamGetsNameAndPassword() throws IOException {
        try (Origin upstream = Origin.start(peer -> {
                    assertThat(peer.readText(4)).isEqualTo("\u0005\u0002\u0000\u0002");
                    assertThat(peer.send("\u0005\u0002").readText(9)).isEqualTo("\u0001\u0002us\u0004p@ss");
                    assertThat(peer.send("\u0001\u0000").readText(18))
                            .isEqualTo("\u0005\u0001\u0000\u0003\u000bfar.example\u0001\u00bb");
                    peer.send("\u0005\u0000\u0000\u0001\u0000\u0000\u0000\u0000\u0000\u0000")
                            .send(peer.read(4));
                });
                RunningServer server =
                        start("--listen=127.0.0.1:0", "--upstream=socks5://us:p%40ss@" + upstream.target())) {
            expectTunnel(server);
        }
    }

    @Test
    void clientsLogInAtAnUpstreamThemselves() throws IOException {
        try (LoginOrigin upstream = LoginOrigin.startProxy();
                RunningServer server = start(
                        "--listen=127.0.0.1:0",
                        "--pass-proxy-auth",
                        "--upstream=http://" + upstream.origin().target());
                Peer client = ask(server, TARGET)) {
            assertThat(Http.read(client).status()).isEqualTo(407);
            client.send("CONNECT " + TARGET + " HTTP/1.1\r\nHost: " + TARGET
                    + "\r\nProxy-Authorization: Negotiate ticket-of-alice\r\n\r\n");

            assertThat(client.readHead()).isEqualTo("HTTP/1.1 200 OK\r\n\r\n");
            assertThat(client.readLine()).isEqualTo("alice 1");
        }
    }

    @Test
    void aSocks4UpstreamGetsTheUserIdAndTheName() throws IOException {
        try (Origin upstream = Origin.start(peer -> {
                    assertThat(peer.readText(23))
                            .isEqualTo("\u0004\u0001\u0001\u00bb\u0000\u0000\u0000\u0001me\u0000far.example\u0000");
                    peer.send("\u0000Z\u0000\u0000\u0000\u0000\u0000\u0000").send(peer.read(4));
                });
                RunningServer server = start("--listen=127.0.0.1:0", "--upstream=socks4://me@" + upstream.target())) {
            expectTunnel(server);
        }
    }

    @ParameterizedTest
    @CsvSource({"v1, http", "v2, http", "v2, socks5"})
    void anUpstreamIsToldTheClient(String version, String scheme) throws Exception {
        BlockingQueue<String> starts = new LinkedBlockingQueue<>();
        try (Origin upstream = Origin.start(peer -> {
                    starts.add(
                            version.equals("v1")
                                    ? peer.readLine()
                                    : HexFormat.of().formatHex(peer.read(28)));
                    if (scheme.equals("http")) {
                        assertThat(peer.readHead()).startsWith("CONNECT far.example:443 HTTP/1.1\r\n");
                        peer.send("HTTP/1.1 200 Connection established\r\n\r\n");
                    } else {
                        SocksServer.accept(peer);
                        peer.send("\u0005\u0000\u0000\u0001\u0000\u0000\u0000\u0000\u0000\u0000");
                    }
                    peer.send(peer.read(4));
                });
                RunningServer server = start(
                        "--listen=127.0.0.1:0",
                        "--upstream=" + scheme + "://" + upstream.target(),
                        "--send-proxy-protocol=" + version);
                Peer client = ask(server, TARGET)) {
            int from = client.socket().getLocalPort();
            int to = client.socket().getPort();
            assertThat(starts.poll(Peer.PATIENCE_MILLIS, TimeUnit.MILLISECONDS))
                    .isEqualTo(
                            version.equals("v1")
                                    ? "PROXY TCP4 127.0.0.1 127.0.0.1 " + from + " " + to
                                    : "0d0a0d0a000d0a515549540a2111000c7f0000017f000001%04x%04x".formatted(from, to));
            assertThat(client.readHead()).isEqualTo("HTTP/1.1 200 OK\r\n\r\n");
            assertThat(client.send("ping").readText(4)).isEqualTo("ping");
        }
    }

    @Test
    void theProxiesOfRulesAreToldTheClientAndDirectTargetsAreNot() throws Exception {
        BlockingQueue<String> starts = new LinkedBlockingQueue<>();
        try (Origin upstream = Origin.start(peer -> {
                    starts.add(peer.readLine());
                    peer.readHead();
                    peer.send("HTTP/1.1 200 Connection established\r\n\r\n").send(peer.read(4));
                });
                Origin target = Origin.echo()) {
            Path file = Files.writeString(folder.resolve("rules.yaml"), """
                    server: {listen: 127.0.0.1, port: 0}
                    proxies: [{name: near, type: http, host: 127.0.0.1, port: %d}]
                    rules:
                    - {match: domain, value: far.example, proxy: near}
                    - {match: default, proxy: direct}
                    """.formatted(upstream.port()));
            try (RunningServer server = start("--rules=" + file, "--allow-private", "--send-proxy-protocol=v1");
                    Peer direct = ask(server, target.target())) {
                expectTunnel(server);
                assertThat(starts.poll(Peer.PATIENCE_MILLIS, TimeUnit.MILLISECONDS))
                        .startsWith("PROXY TCP4 127.0.0.1 127.0.0.1 ");
                assertThat(direct.readHead()).isEqualTo("HTTP/1.1 200 OK\r\n\r\n");
                assertThat(direct.send("ping").readText(4)).isEqualTo("ping");
            }
        }
    }

    @Test
    void rulesNameHopsThatClientsMayNotReach() throws IOException {
        try (Origin upstream = Origin.start(peer -> playHttpProxy(peer, Credentials.basic("u", "0123")))) {
            Path file = Files.writeString(folder.resolve("rules.yaml"), """
                    server: {listen: 127.0.0.1, port: 0}
                    proxies:
                      - name: near
                        type: http
                        host: 127.0.0.1
                        port: %d
                        auth: {username: u, password: 0123}
                    rules:
                      - {match: domain, value: far.example, proxy: near}
                      - {match: domain, value: no.example, proxy: deny}
                    """.formatted(upstream.port()));
            try (RunningServer server = start("--rules=" + file)) {
                assertThat(server.address()).startsWith("127.0.0.1:");
                expectTunnel(server);
                expectRefusal(server, HostPort.parse("no.example:443"));
                expectRefusal(server, upstream.target());
                expectRefusal(server, HostPort.of("localhost", upstream.port()));
            }
            assertThat(upstream.accepted()).isEqualTo(1);
        }
    }

    @Test
    void clientsCannotAskAnUpstreamForTheLoopbackByItsAddress() throws IOException {
        try (Origin upstream = Origin.discard();
                RunningServer server = start("--listen=127.0.0.1:0", "--upstream=http://" + upstream.target())) {
            expectRefusal(server, upstream.target());
            expectRefusal(server, HostPort.parse("[::1]:443"));
            expectRefusal(server, HostPort.parse("[::ffff:127.0.0.1]:443"));
            expectRefusal(server, HostPort.parse("169.254.169.254:80"));
        }
    }
}
