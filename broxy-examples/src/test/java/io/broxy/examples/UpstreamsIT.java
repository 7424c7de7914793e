package io.broxy.examples;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.net.httpserver.HttpServer;
import io.broxy.HostPort;
import io.broxy.core.testkit.LeakCheck;
import io.broxy.core.testkit.Origin;
import io.broxy.core.testkit.Payload;
import io.broxy.core.testkit.Peer;
import io.broxy.core.testkit.Proxy;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Specifies packaged mini-servers, one of which goes through another. */
@ExtendWith(LeakCheck.class)
class UpstreamsIT {
    private static final byte[] PAGE = Payload.bytes(3 << 20, 2);

    private final Path folder;
    private final Path file;

    UpstreamsIT(@TempDir Path folder) {
        this.folder = folder;
        this.file = folder.resolve("rules.yaml");
    }

    /** A server that others go through; it logs its tunnels. */
    private static JarProcess upstream() throws IOException {
        return JarProcess.miniServer("--listen=127.0.0.1:0", "--allow-private", "-v");
    }

    private void write(String content) throws IOException {
        Path next = Files.writeString(folder.resolve("next"), content);
        Files.move(next, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
    }

    private static String proxy(HostPort upstream) {
        return "proxies: [{name: next, type: http, host: '%s', port: %d}]\n"
                .formatted(upstream.host(), upstream.port());
    }

    private static void expectPage(Curl curl, JarProcess server, String url) throws Exception {
        assertThat(curl.get(server.listening(), "--proxytunnel", url)).isEqualTo(new Curl.End(0, "200 200"));
        assertThat(Files.readAllBytes(curl.page())).isEqualTo(PAGE);
    }

    @Test
    void curlGoesThroughAnUpstream() throws Exception {
        HttpServer origin = HttpsOrigin.http(PAGE);
        int port = origin.getAddress().getPort();
        try (JarProcess next = upstream();
                JarProcess server =
                        JarProcess.miniServer("--listen=127.0.0.1:0", "--upstream=http://" + next.listening())) {
            expectPage(Curl.in(folder), server, "http://localhost:" + port + "/");
            next.awaitErr("tunnel to localhost:" + port);
        } finally {
            origin.stop(0);
        }
    }

    @Test
    void curlGoesByRules() throws Exception {
        HttpServer origin = HttpsOrigin.http(PAGE);
        int port = origin.getAddress().getPort();
        try (JarProcess next = upstream()) {
            write(proxy(next.listening()) + "rules:\n- {match: domain, value: localhost, proxy: next}\n"
                    + "- {match: default, proxy: direct}\n");
            try (JarProcess server =
                    JarProcess.miniServer("--listen=127.0.0.1:0", "--allow=127.0.0.1", "--rules=" + file)) {
                HostPort address = server.listening();
                Curl curl = Curl.in(folder);
                for (String host : new String[] {"127.0.0.1", "localhost"}) {
                    String url = "http://" + host + ":" + port + "/";
                    assertThat(curl.get(address, "--proxytunnel", url)).isEqualTo(new Curl.End(0, "200 200"));
                    assertThat(Files.readAllBytes(curl.page())).isEqualTo(PAGE);
                }
            }
            next.awaitErr("tunnel to localhost:" + port);
            next.terminate();
            assertThat(next.exitCode()).isZero();
            assertThat(next.errLines()).noneSatisfy(line -> assertThat(line).contains("tunnel to 127.0.0.1:" + port));
        } finally {
            origin.stop(0);
        }
    }

    @Test
    void aReloadChangesTheRouteOfNewTunnelsOnly() throws Exception {
        try (Origin origin = Origin.echo();
                JarProcess next = upstream()) {
            HostPort target = HostPort.of("localhost", origin.port());
            String proxies = proxy(next.listening());
            write(proxies + "rules: [{match: default, proxy: next}]\npool: {max_idle_total: 5}\n");
            try (JarProcess server = JarProcess.miniServer("--listen=127.0.0.1:0", "--rules=" + file)) {
                HostPort address = server.listening();
                try (Peer running = ask(address, target)) {
                    assertThat(running.readHead()).isEqualTo("HTTP/1.1 200 OK\r\n\r\n");

                    write("rules: [{match: default, proxy: deny}]\n");
                    server.awaitErr("INFO");
                    expectStatus(address, target, 403);
                    assertThat(running.send("old way").readText(7)).isEqualTo("old way");

                    write(proxies + "rules: [{match: domain, value: localhost, proxy: nxt}]\n");
                    server.awaitErr("rules.yaml:2:50: unknown proxy \"nxt\"; the old rules stay");
                    expectStatus(address, target, 403);
                    assertThat(running.send("still here").readText(10)).isEqualTo("still here");

                    write(proxies + "rules: [{match: domain, value: localhost, proxy: [next, direct]}]\n");
                    server.awaitErr("Rules[1, otherwise denied], 1 proxies; there is no default");
                    expectStatus(address, target, 200);
                }
                server.terminate();
                assertThat(server.exitCode()).isZero();
                assertThat(server.errLines()).hasSize(3);
            }
        }
    }

    private static Peer ask(HostPort proxy, HostPort target) throws IOException {
        return Peer.connect(proxy.port()).send(Proxy.connectHead(target));
    }

    private static void expectStatus(HostPort proxy, HostPort target, int status) throws IOException {
        try (Peer client = ask(proxy, target)) {
            assertThat(client.readHead()).startsWith("HTTP/1.1 " + status + " ");
        }
    }

    // ------------------------------------------------------------------ telling what is wrong

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "rules: [{match: default, proxy: corp}]      |:1:33: unknown proxy \"corp\"",
                "rules: [{match: ip, value: 10.0.0.1/8, proxy: deny}]|:1:28: not a block",
                "server: {port: 70000}                       |:1:16: port must be a whole number of 0 to 65535",
                "rules: [                                    |:1:",
                "''                                          |:1:1: the file is empty",
            })
    void aWrongFileIsOneLineAndOne(String content, String problem) throws Exception {
        write(content);
        try (JarProcess server = JarProcess.miniServer("--listen=127.0.0.1:0", "--rules=" + file)) {
            assertThat(server.exitCode()).isEqualTo(1);
            assertThat(server.errLines()).singleElement().asString().startsWith("broxy-mini-server: " + file + problem);
            assertThat(server.outLines()).isEmpty();
        }
    }

    @Test
    void aMissingFileIsOneLineAndOne() throws Exception {
        try (JarProcess server = JarProcess.miniServer("--rules", file.toString())) {
            assertThat(server.exitCode()).isEqualTo(1);
            assertThat(server.errLines()).containsExactly("broxy-mini-server: " + file + ": no such file");
        }
    }

    @Test
    void anUpstreamBesideRulesIsOneLineAndTwo() throws Exception {
        try (JarProcess server =
                JarProcess.miniServer("--rules=" + file, "--upstream=http://u:sesame@proxy.example:1")) {
            assertThat(server.exitCode()).isEqualTo(2);
            assertThat(server.errLines())
                    .singleElement()
                    .asString()
                    .contains("--upstream", "--rules", "mutually exclusive")
                    .doesNotContain("sesame");
        }
    }
}
