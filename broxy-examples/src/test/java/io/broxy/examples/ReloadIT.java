package io.broxy.examples;

import static org.assertj.core.api.Assertions.assertThat;

import io.broxy.HostPort;
import io.broxy.core.testkit.LeakCheck;
import io.broxy.core.testkit.Origin;
import io.broxy.core.testkit.Peer;
import io.broxy.core.testkit.Proxy;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

/** Specifies what SIGHUP does to the packaged mini-server, and what a file of rules without a default does. */
@ExtendWith(LeakCheck.class)
class ReloadIT {
    private final Path folder;
    private final Path rules;
    private final Path users;

    ReloadIT(@TempDir Path folder) {
        this.folder = folder;
        this.rules = folder.resolve("rules.yaml");
        this.users = folder.resolve("users");
    }

    private static void expectStatus(HostPort proxy, String head, int status) throws IOException {
        try (Peer client = Peer.connect(proxy.port()).send(head)) {
            assertThat(client.readHead()).startsWith("HTTP/1.1 " + status + " ");
        }
    }

    private static List<String> reloads(List<String> lines) {
        return lines.stream().filter(line -> line.contains("SIGHUP")).toList();
    }

    @Test
    void sighupReadsRulesAndUsersAgainAndLogsALine() throws Exception {
        Files.writeString(rules, "rules: [{match: default, proxy: direct}]\n");
        Files.writeString(users, "\uFEFFalice:" + UserFileTest.hash("2y", "sesame") + "\r\n\r\n");
        try (JarProcess server = JarProcess.miniServer("--listen=127.0.0.1:0", "--rules=" + rules, "--auth=" + users)) {
            HostPort proxy = server.listening();
            server.hangUp();
            server.awaitErr("INFO RunningServer - SIGHUP: " + rules
                    + ": reloaded: Rules[0, otherwise direct], 0 proxies; " + users + ": reloaded: 1 users");
            Files.writeString(rules, "rules: [{match: regex, value: x, proxy: direct}]\n");
            server.hangUp();
            server.awaitErr("WARN RunningServer - SIGHUP: " + rules
                    + ":1:17: match must be domain, ip or default, found 'regex'; the old rules stay; " + users
                    + ": reloaded: 1 users");
            expectStatus(proxy, Proxy.connectHead(HostPort.of("example.org", 443)), 407);
            assertThat(server.isAlive()).isTrue();
            server.terminate();

            assertThat(server.exitCode()).isZero();
            assertThat(reloads(server.errLines())).hasSize(2);
        }
    }

    @Test
    void withoutFilesSighupHasNothingToReload() throws Exception {
        try (Origin origin = Origin.echo();
                JarProcess server = JarProcess.miniServer("--listen=127.0.0.1:0", "--allow-private")) {
            HostPort proxy = server.listening();
            server.hangUp();
            server.awaitErr("SIGHUP: nothing to reload without --rules, --auth or --tls-cert");
            expectStatus(proxy, Proxy.connectHead(origin.target()), 200);
            server.terminate();

            assertThat(server.exitCode()).isZero();
            assertThat(server.errLines()).hasSize(1);
        }
    }

    @Test
    void whatNoRuleMatchesIsRefusedWithoutADefault() throws Exception {
        try (Origin origin = Origin.start(peer -> {
            peer.readHead();
            peer.send("HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n");
        })) {
            Files.writeString(rules, "rules: [{match: ip, value: 127.0.0.1, proxy: direct}]\n");
            try (JarProcess server =
                    JarProcess.miniServer("--listen=127.0.0.1:0", "--allow-private", "--rules=" + rules)) {
                HostPort proxy = server.listening();
                server.awaitErr(
                        "there is no default rule (match: default), so targets that no rule matches are refused with 403");
                HostPort other = HostPort.of("localhost", origin.port());
                expectStatus(proxy, Proxy.connectHead(other), 403);
                expectStatus(proxy, "GET http://" + other + "/ HTTP/1.1\r\nHost: " + other + "\r\n\r\n", 403);
                assertThat(origin.accepted()).isZero();
                expectStatus(
                        proxy,
                        "GET http://" + origin.target() + "/ HTTP/1.1\r\nHost: " + origin.target() + "\r\n\r\n",
                        204);
                expectStatus(proxy, Proxy.connectHead(origin.target()), 200);
            }
        }
    }

    @Test
    void aFileOfUsersInUtf16IsOneLineAndOne() throws Exception {
        Files.write(folder.resolve("utf-16"), new byte[] {(byte) 0xFF, (byte) 0xFE, 'a', 0, ':', 0});
        try (JarProcess server = JarProcess.miniServer("--listen=127.0.0.1:0", "--auth=" + folder.resolve("utf-16"))) {
            assertThat(server.exitCode()).isEqualTo(1);
            assertThat(server.errLines())
                    .containsExactly("broxy-mini-server: " + folder.resolve("utf-16")
                            + ":1: its byte order mark says UTF-16; it must be UTF-8");
        }
    }
}
