package io.broxy.examples;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.broxy.HostPort;
import io.broxy.core.testkit.HeldPort;
import io.broxy.core.testkit.LeakCheck;
import io.broxy.core.testkit.Origin;
import io.broxy.core.testkit.Peer;
import io.broxy.core.testkit.Proxy;
import java.io.IOException;
import java.net.ConnectException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Specifies the packaged mini-server as a process: output, exit codes, defaults and signals. */
@ExtendWith(LeakCheck.class)
class MiniServerIT {
    private static final Duration PATIENCE = Duration.ofMillis(Peer.PATIENCE_MILLIS);

    // ------------------------------------------------------------------ starting

    @ParameterizedTest
    @ValueSource(strings = {"127.0.0.1", "localhost"})
    void theFirstLineTellsWhereItListens(String host) throws Exception {
        try (JarProcess server = JarProcess.miniServer("--listen", host + ":0")) {
            HostPort address = server.listening();

            assertThat(address.isLiteral()).isTrue();
            Peer.connect(address.port()).close();
        }
    }

    @Test
    void anIpv6AddressStandsInBrackets() throws Exception {
        try (JarProcess server = JarProcess.miniServer("--listen", "[::1]:0")) {
            assertThat(server.listening().host()).isEqualTo("::1");
        }
    }

    @Test
    void aTunnelRunsThroughIt() throws Exception {
        try (Origin origin = Origin.echo();
                JarProcess server = JarProcess.miniServer("--listen=127.0.0.1:0", "--allow=127.0.0.1");
                Peer client = tunnel(server.listening(), origin)) {
            client.send("there and back");

            assertThat(client.readText(14)).isEqualTo("there and back");
        }
    }

    @Test
    void clientsReachPublicAddressesOnlyByDefault() throws Exception {
        try (Origin origin = Origin.echo();
                JarProcess server = JarProcess.miniServer("--listen=127.0.0.1:0");
                Peer client = client(server.listening(), origin)) {
            assertThat(client.readHead()).startsWith("HTTP/1.1 403 ");
            assertThat(origin.accepted()).isZero();
        }
    }

    @Test
    void aCapOnTunnelsHolds() throws Exception {
        try (Origin origin = Origin.echo();
                JarProcess server =
                        JarProcess.miniServer("--listen=127.0.0.1:0", "--allow-private", "--max-connections=1")) {
            HostPort address = server.listening();
            try (Peer first = tunnel(address, origin);
                    Peer second = client(address, origin)) {
                assertThat(second.readHead()).startsWith("HTTP/1.1 503 ");
                assertThat(first.send("x").readText(1)).isEqualTo("x");
            }
        }
    }

    @Test
    void aSlowHeadEndsInTime() throws Exception {
        try (JarProcess server = JarProcess.miniServer("--listen=127.0.0.1:0", "--head-timeout=200ms");
                Peer client = Peer.connect(server.listening().port())) {
            assertThat(client.send("CONNECT ").readHead()).startsWith("HTTP/1.1 408 ");
        }
    }

    // ------------------------------------------------------------------ telling what is wrong

    @Test
    void aPortInUseIsOneLineAndOne() throws Exception {
        try (ServerSocket taken = new ServerSocket(0, 1, InetAddress.getLoopbackAddress());
                JarProcess server = JarProcess.miniServer("--listen", "127.0.0.1:" + taken.getLocalPort())) {
            assertThat(server.exitCode()).isEqualTo(1);
            assertThat(server.errLines())
                    .singleElement()
                    .satisfies(line -> assertThat(line)
                            .isEqualTo("broxy-mini-server: cannot listen on 127.0.0.1:%d: Address already in use"
                                    .formatted(taken.getLocalPort())));
            assertThat(server.outLines()).isEmpty();
        }
    }

    @Test
    void anUnknownHostIsOneLineAndOne() throws Exception {
        try (JarProcess server = JarProcess.miniServer("--listen", "nowhere.invalid:0")) {
            assertThat(server.exitCode()).isEqualTo(1);
            assertThat(server.errLines())
                    .containsExactly("broxy-mini-server: cannot listen on nowhere.invalid: unknown host");
        }
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "--no-such-option",
                "--listen=nonsense",
                "--allow=10.0.0.0/33",
                "--idle-timeout=5",
                "--max-connections=0",
                "--rate=fast",
                "--proxy-protocol=everyone",
                "--deny=nonsense",
                "--allow-ports=80,,443",
                "--admin=nonsense",
                "--tls-cert=chain.pem",
                "--tls-min=1.1",
                "--source-address=localhost",
                "two\nlines\u0007",
                "@/etc/hostname"
            })
    void aWrongOptionIsOneLineAndTwo(String argument) throws Exception {
        try (JarProcess server = JarProcess.miniServer(argument)) {
            assertThat(server.exitCode()).isEqualTo(2);
            assertThat(server.errLines())
                    .singleElement()
                    .satisfies(line ->
                            assertThat(line).startsWith("broxy-mini-server: ").doesNotContain("\u0007"));
            assertThat(server.outLines()).isEmpty();
        }
    }

    @Test
    void helpNamesEveryOption() throws Exception {
        try (JarProcess server = JarProcess.miniServer("--help")) {
            assertThat(server.exitCode()).isZero();
            assertThat(String.join("\n", server.outLines()))
                    .contains("--listen", "--allow-private", "--allow=", "--event-loops", "--idle-timeout")
                    .contains("--upstream=", "--rules=", "--via=", "--no-via")
                    .contains("--tls-cert=", "--tls-key=", "--tls-client-ca=", "--tls-min=")
                    .contains("--allow-client=", "--deny-host=", "--source-address=")
                    .contains("--answer-timeout=", "--body-timeout=", "--keep-alive-timeout=")
                    .contains("--deny=", "--allow-ports=", "--report-only")
                    .contains("--auth=", "--socks", "--admin=", "--access-log")
                    .contains("--admin-token=", "--admin-token-file=", "--admin-host=")
                    .contains("--explain=", "--explain-user=", "--explain-client=")
                    .contains("--access-log-file=", "--log-file=", "--log-format=text|json")
                    .contains("--head-timeout", "--dial-timeout", "--max-connections", "--drain", "-v")
                    .contains("--max-per-client", "--rate=", "--rate-per-user=", "--max-lifetime", "--proxy-protocol=");
            assertThat(server.errLines()).isEmpty();
        }
    }

    @Test
    void versionIsTheProjects() throws Exception {
        try (JarProcess server = JarProcess.miniServer("--version")) {
            assertThat(server.exitCode()).isZero();
            assertThat(server.outLines()).containsExactly("broxy-mini-server " + System.getProperty("project.version"));
        }
    }

    // ------------------------------------------------------------------ logging

    @Test
    void verboseLogsEachTunnelOnStandardError() throws Exception {
        try (Origin origin = Origin.echo();
                JarProcess server = JarProcess.miniServer("--listen=127.0.0.1:0", "--allow-private", "-v")) {
            try (Peer client = tunnel(server.listening(), origin)) {
                client.send("12345").shutdownOutput();
                assertThat(client.readAll()).isEqualTo("12345");
            }
            server.terminate();

            assertThat(server.exitCode()).isZero();
            assertThat(server.errLines())
                    .anySatisfy(line -> assertThat(line)
                            .contains("DEBUG")
                            .contains("tunnel to " + origin.target())
                            .contains("5 bytes to the origin"));
            assertThat(server.outLines()).isEmpty();
        }
    }

    @Test
    void otherwiseItIsSilent() throws Exception {
        try (Origin origin = Origin.echo();
                JarProcess server = JarProcess.miniServer("--listen=127.0.0.1:0", "--allow-private")) {
            tunnel(server.listening(), origin).close();
            server.terminate();

            assertThat(server.exitCode()).isZero();
            assertThat(server.errLines()).isEmpty();
            assertThat(server.outLines()).isEmpty();
        }
    }

    // ------------------------------------------------------------------ ending

    @Test
    void sigtermLetsRunningTunnelsEndAndExitsWithZero() throws Exception {
        try (HeldPort held = HeldPort.open();
                Origin origin = Origin.echo();
                JarProcess server =
                        JarProcess.miniServer("--listen=" + held.target(), "--allow-private", "--drain=1h")) {
            HostPort address = server.listening();
            try (Peer client = tunnel(address, origin)) {
                server.terminate();
                awaitRefusal(address);

                assertThat(client.send("still here").readText(10)).isEqualTo("still here");
                assertThat(server.isAlive()).isTrue();
                client.shutdownOutput().expectEnd();
            }

            assertThat(server.exitCode()).isZero();
            assertThat(server.errLines()).isEmpty();
        }
    }

    @Test
    void tunnelsThatOutlastTheGraceTimeAreReset() throws Exception {
        try (Origin origin = Origin.echo();
                JarProcess server = JarProcess.miniServer("--listen=127.0.0.1:0", "--allow-private", "--drain=100ms");
                Peer client = tunnel(server.listening(), origin)) {
            server.terminate();

            client.expectReset();
            assertThat(server.exitCode()).isZero();
            assertThat(server.errLines())
                    .singleElement()
                    .satisfies(line -> assertThat(line).contains("WARN").contains("were reset"));
        }
    }

    @Test
    void aSecondSigtermEndsAtOnce() throws Exception {
        try (HeldPort held = HeldPort.open();
                Origin origin = Origin.echo();
                JarProcess server =
                        JarProcess.miniServer("--listen=" + held.target(), "--allow-private", "--drain=1h")) {
            HostPort address = server.listening();
            try (Peer client = tunnel(address, origin)) {
                server.terminate();
                awaitRefusal(address);
                assertThat(client.send("x").readText(1)).isEqualTo("x");
                server.terminate();

                assertThat(server.exitCode()).isEqualTo(143);
            }
        }
    }

    @Test
    void whereTheJvmLeavesSignalsAloneItSaysSoInALineEachAndEndsAtOnce() throws Exception {
        try (Origin origin = Origin.echo();
                JarProcess server =
                        JarProcess.miniServerWithoutSignals("--listen=127.0.0.1:0", "--allow-private", "--drain=1h");
                Peer client = tunnel(server.listening(), origin)) {
            server.terminate();

            assertThat(server.exitCode()).isEqualTo(143);
            client.expectEnd();
            assertThat(server.errLines())
                    .satisfiesExactly(
                            line -> assertThat(line).contains("WARN").contains("SIGTERM will not drain: "),
                            line -> assertThat(line).contains("WARN").contains("SIGINT will not drain: "),
                            line -> assertThat(line).contains("WARN").contains("SIGHUP will not reload: "));
        }
    }

    // ------------------------------------------------------------------ clients

    private static Peer client(HostPort proxy, Origin origin) throws IOException {
        return Peer.connect(proxy.port()).send(Proxy.connectHead(origin.target()));
    }

    private static Peer tunnel(HostPort proxy, Origin origin) throws IOException {
        Peer client = client(proxy, origin);
        assertThat(client.readHead()).isEqualTo("HTTP/1.1 200 OK\r\n\r\n");
        return client;
    }

    /** The first thing that a drain does is to free the port. */
    private static void awaitRefusal(HostPort address) {
        await().atMost(PATIENCE).until(() -> {
            try {
                Peer.connect(address.port()).close();
                return false;
            } catch (ConnectException e) {
                return true;
            }
        });
    }
}
