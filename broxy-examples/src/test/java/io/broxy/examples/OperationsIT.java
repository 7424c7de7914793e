package io.broxy.examples;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.sun.net.httpserver.HttpServer;
import io.broxy.HostPort;
import io.broxy.core.testkit.LeakCheck;
import io.broxy.core.testkit.Origin;
import io.broxy.core.testkit.Peer;
import io.broxy.core.testkit.Proxy;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Specifies what operators need of the packaged mini-server: users, access rules, access log, health and metrics. */
@ExtendWith(LeakCheck.class)
class OperationsIT {
    private static final Duration PATIENCE = Duration.ofMillis(Peer.PATIENCE_MILLIS);
    private static final byte[] PAGE = {'h', 'i'};

    private final Path folder;

    OperationsIT(@TempDir Path folder) {
        this.folder = folder;
    }

    private String users(String content) throws IOException {
        return "--auth=" + Files.writeString(folder.resolve("users"), content);
    }

    // ------------------------------------------------------------------ passwords

    @Test
    void curlShowsItsPassword() throws Exception {
        Curl curl = Curl.in(folder);
        HttpServer origin = HttpsOrigin.http(PAGE);
        String url = "http://127.0.0.1:" + origin.getAddress().getPort() + "/";
        try (JarProcess server = JarProcess.miniServer(
                "--listen=127.0.0.1:0", "--allow-private", users("alice:" + UserFileTest.hash("2y", "right") + "\n"))) {
            HostPort proxy = server.listening();

            assertThat(curl.get(proxy, "--proxytunnel", url).codes()).isEqualTo("407 000");
            assertThat(curl.get(proxy, url).codes()).isEqualTo("000 407");
            assertThat(curl.get(proxy, "--proxytunnel", "--proxy-user", "alice:wrong", url)
                            .codes())
                    .isEqualTo("407 000");
            assertThat(curl.get(proxy, "--proxy-user", "bob:right", url).codes())
                    .isEqualTo("000 407");
            assertThat(curl.get(proxy, "--proxytunnel", "--proxy-user", "alice:right", url))
                    .isEqualTo(new Curl.End(0, "200 200"));
            assertThat(curl.get(proxy, "--proxy-user", "alice:right", url)).isEqualTo(new Curl.End(0, "000 200"));
            assertThat(Files.readAllBytes(curl.page())).isEqualTo(PAGE);
            assertThat(curl.get(proxy, "--proxy-anyauth", "--proxy-user", "alice:right", url))
                    .isEqualTo(new Curl.End(0, "000 200"));
        } finally {
            origin.stop(0);
        }
    }

    @Test
    void aBadLineOfUsersIsOneLineAndOne() throws Exception {
        try (JarProcess server = JarProcess.miniServer("--listen=127.0.0.1:0", users("# users\nalice:sesame\n"))) {
            assertThat(server.exitCode()).isEqualTo(1);
            assertThat(server.errLines())
                    .containsExactly(
                            "broxy-mini-server: " + folder.resolve("users")
                                    + ":2: the hash is not a bcrypt hash, as htpasswd -B writes it; found something else (not shown)");
            assertThat(server.outLines()).isEmpty();
        }
    }

    @Test
    void noFileOfUsersIsOneLineAndOne() throws Exception {
        try (JarProcess server = JarProcess.miniServer("--listen=127.0.0.1:0", "--auth=" + folder.resolve("none"))) {
            assertThat(server.exitCode()).isEqualTo(1);
            assertThat(server.errLines())
                    .containsExactly("broxy-mini-server: " + folder.resolve("none") + ": no such file");
        }
    }

    // ------------------------------------------------------------------ destinations

    @Test
    void portsAndBlocksAreKeptFromClients() throws Exception {
        try (Origin open = Origin.echo();
                Origin closed = Origin.echo();
                JarProcess server = JarProcess.miniServer(
                        "--listen=127.0.0.1:0",
                        "--allow-private",
                        "--deny=127.1.0.0/16",
                        "--allow-ports=" + open.port())) {
            HostPort proxy = server.listening();

            assertThat(answer(proxy, open.target())).startsWith("HTTP/1.1 200 ");
            assertThat(answer(proxy, closed.target())).startsWith("HTTP/1.1 403 ");
            assertThat(answer(proxy, HostPort.of("127.1.0.1", open.port()))).startsWith("HTTP/1.1 403 ");
        }
    }

    @Test
    void hostsAreKeptFromClients() throws Exception {
        try (Origin origin = Origin.echo();
                JarProcess server = JarProcess.miniServer(
                        "--listen=127.0.0.1:0",
                        "--allow-private",
                        "--deny-host=example.org",
                        "--deny-host=localhost")) {
            HostPort proxy = server.listening();

            assertThat(answer(proxy, origin.target())).startsWith("HTTP/1.1 200 ");
            assertThat(answer(proxy, HostPort.of("localhost", origin.port()))).startsWith("HTTP/1.1 403 ");
            assertThat(answer(proxy, HostPort.of("www.example.org", 443))).startsWith("HTTP/1.1 403 ");
        }
    }

    @Test
    @EnabledOnOs(OS.LINUX) // where all of 127.0.0.0/8 is the loopback
    void onlySomeClientsAreServed() throws Exception {
        try (Origin origin = Origin.echo();
                JarProcess server =
                        JarProcess.miniServer("--listen=127.0.0.1:0", "--allow-private", "--allow-client=127.0.0.2")) {
            HostPort proxy = server.listening();

            assertThat(answer(proxy, origin.target())).startsWith("HTTP/1.1 403 ");
            try (Socket socket = new Socket("127.0.0.1", proxy.port(), InetAddress.getByName("127.0.0.2"), 0);
                    Peer client = new Peer(socket).send(Proxy.connectHead(origin.target()))) {
                assertThat(client.readHead()).startsWith("HTTP/1.1 200 ");
            }
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    @EnabledOnOs(OS.LINUX) // where all of 127.0.0.0/8 is the loopback
    void dialsComeFromTheSourceAddress(boolean byRules) throws Exception {
        Path rules = Files.writeString(folder.resolve("rules"), "rules: [{match: default, proxy: direct}]\n");
        try (Origin origin = Origin.start(
                        peer -> peer.send(peer.socket().getInetAddress().getHostAddress()));
                JarProcess server = JarProcess.miniServer(
                        "--listen=127.0.0.1:0",
                        "--allow-private",
                        "--source-address=127.0.0.5",
                        byRules ? "--rules=" + rules : "--report-only")) {
            HostPort proxy = server.listening();
            try (Peer client = Peer.connect(proxy.port()).send(Proxy.connectHead(origin.target()))) {
                assertThat(client.readHead()).startsWith("HTTP/1.1 200 ");
                assertThat(client.readAll()).isEqualTo("127.0.0.5");
            }
            assertThat(answer(proxy, HostPort.of("::1", origin.port()))).startsWith("HTTP/1.1 502 ");
        }
    }

    @Test
    void aSourceAddressOfAnotherMachineIsOneLineAndOne() throws Exception {
        try (JarProcess server = JarProcess.miniServer("--listen=127.0.0.1:0", "--source-address=192.0.2.1")) {
            assertThat(server.exitCode()).isEqualTo(1);
            assertThat(server.errLines())
                    .singleElement()
                    .asString()
                    .startsWith("broxy-mini-server: cannot dial from 192.0.2.1: ");
            assertThat(server.outLines()).isEmpty();
        }
    }

    @Test
    void aTrialReachesWhatWouldBeRefusedAndTellsIt() throws Exception {
        try (Origin origin = Origin.echo();
                JarProcess server = JarProcess.miniServer("--listen=127.0.0.1:0", "--report-only")) {
            assertThat(answer(server.listening(), origin.target())).startsWith("HTTP/1.1 200 ");
            server.awaitErr("report only: 127.0.0.1 is loopback");
        }
    }

    private static String answer(HostPort proxy, HostPort target) throws IOException {
        try (Peer client = Peer.connect(proxy.port()).send(Proxy.connectHead(target))) {
            return client.readHead();
        }
    }

    // ------------------------------------------------------------------ what happens

    @Test
    void theAccessLogIsOnStandardError() throws Exception {
        try (Origin origin = Origin.echo();
                JarProcess server = JarProcess.miniServer("--listen=127.0.0.1:0", "--allow-private", "--access-log")) {
            assertThat(answer(server.listening(), origin.target())).startsWith("HTTP/1.1 200 ");
            server.awaitErr("kind=tunnel client=127.0.0.1:");
            server.terminate();

            assertThat(server.exitCode()).isZero();
            assertThat(server.errLines()).hasSize(1);
        }
    }

    /** The whole answer. */
    private static String ask(HostPort admin, String method, String path) throws IOException {
        try (Peer client = Peer.connect(admin.port())) {
            return client.send(method + " " + path + " HTTP/1.1\r\nHost: " + admin + "\r\nConnection: close\r\n\r\n")
                    .readAll();
        }
    }

    private static HostPort admin(JarProcess server) throws InterruptedException {
        String line = server.nextLine();
        assertThat(line).startsWith("admin on ");
        return HostPort.parse(line.substring("admin on ".length()));
    }

    @Test
    void healthIsGoodUntilItDrains() throws Exception {
        try (Origin origin = Origin.echo();
                JarProcess server = JarProcess.miniServer(
                        "--listen=127.0.0.1:0", "--allow-private", "--admin=127.0.0.1:0", "--drain=1h")) {
            HostPort proxy = server.listening();
            HostPort admin = admin(server);
            try (Peer client = Peer.connect(proxy.port()).send(Proxy.connectHead(origin.target()))) {
                assertThat(client.readHead()).startsWith("HTTP/1.1 200 ");
                assertThat(ask(admin, "GET", "/healthz"))
                        .startsWith("HTTP/1.1 200 ")
                        .endsWith("serving\n");
                server.terminate();

                await().atMost(PATIENCE)
                        .until(() -> ask(admin, "GET", "/healthz").startsWith("HTTP/1.1 503 "));
                assertThat(ask(admin, "GET", "/metrics")).contains("broxy_tunnels_open 1.0");
                client.shutdownOutput().expectEnd();
            }
            assertThat(server.exitCode()).isZero();
            assertThat(server.errLines()).isEmpty();
        }
    }

    @Test
    void metricsCountWhatHappened() throws Exception {
        try (Origin origin = Origin.echo();
                JarProcess server =
                        JarProcess.miniServer("--listen=127.0.0.1:0", "--allow-private", "--admin=127.0.0.1:0")) {
            HostPort proxy = server.listening();
            HostPort admin = admin(server);
            try (Peer client = Peer.connect(proxy.port()).send(Proxy.connectHead(origin.target()))) {
                assertThat(client.readHead()).startsWith("HTTP/1.1 200 ");
                client.send("12345").shutdownOutput();
                assertThat(client.readAll()).isEqualTo("12345");
            }
            assertThat(answer(proxy, HostPort.of("169.254.169.254", 80))).startsWith("HTTP/1.1 403 ");
            try (Peer client = Peer.connect(proxy.port()).send("nonsense\r\n\r\n")) {
                assertThat(client.readHead()).startsWith("HTTP/1.1 400 ");
            }

            await().atMost(PATIENCE)
                    .untilAsserted(() -> assertThat(ask(admin, "GET", "/metrics"))
                            .contains(
                                    "# TYPE broxy_connections_total counter\nbroxy_connections_total 3.0\n",
                                    "# TYPE broxy_tunnels_open gauge\nbroxy_tunnels_open 0.0\n",
                                    "broxy_connections_open 0.0\n",
                                    "broxy_tunnels_established_total 1.0\n",
                                    "broxy_exchanges_total 0.0\n",
                                    "broxy_bytes_total{direction=\"to_origin\"} 5.0\n",
                                    "broxy_bytes_total{direction=\"to_client\"} 5.0\n",
                                    "broxy_dial_failures_total{reason=\"denied\"} 1.0\n",
                                    "broxy_requests_refused_total{reason=\"bad_request\"} 1.0\n",
                                    "broxy_requests_refused_total{reason=\"limit\"} 0.0\n",
                                    "broxy_events_dropped_total 0.0\n",
                                    "broxy_look_ups{state=\"abandoned\"} 0.0\n",
                                    "broxy_pool_connections{state=\"idle\"} 0.0\n"));
            assertThat(ask(admin, "GET", "/metrics"))
                    .startsWith("HTTP/1.1 200 ")
                    .containsIgnoringCase("\r\nContent-Type: text/plain; version=0.0.4; charset=utf-8\r\n");
            assertThat(ask(admin, "HEAD", "/metrics")).startsWith("HTTP/1.1 200 ");
            assertThat(ask(admin, "POST", "/metrics")).startsWith("HTTP/1.1 405 ");
            assertThat(ask(admin, "GET", "/healthz/x")).startsWith("HTTP/1.1 404 ");
            assertThat(ask(admin, "GET", "/")).startsWith("HTTP/1.1 200 ").contains("<title>Broxy</title>");
        }
    }

    @Test
    void anAdminPortInUseIsOneLineAndOne() throws Exception {
        try (ServerSocket taken = new ServerSocket(0, 1, InetAddress.getLoopbackAddress());
                JarProcess server =
                        JarProcess.miniServer("--listen=127.0.0.1:0", "--admin", "127.0.0.1:" + taken.getLocalPort())) {
            assertThat(server.exitCode()).isEqualTo(1);
            assertThat(server.errLines())
                    .containsExactly("broxy-mini-server: cannot listen on 127.0.0.1:" + taken.getLocalPort()
                            + ": Address already in use");
            assertThat(server.outLines()).isEmpty();
        }
    }
}
