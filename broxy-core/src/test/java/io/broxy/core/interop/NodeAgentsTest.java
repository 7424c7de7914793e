package io.broxy.core.interop;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.broxy.HostPort;
import io.broxy.core.testkit.Certificates;
import io.broxy.core.testkit.Daemon;
import io.broxy.core.testkit.LeakCheck;
import io.broxy.core.testkit.Origin;
import io.broxy.core.testkit.Program;
import io.broxy.core.testkit.Proxy;
import io.broxy.core.testkit.TlsProxy;
import io.broxy.core.testkit.WebServer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * Specifies that the agents of Node's users work: {@code https-proxy-agent} with a proxy that speaks TLS, and {@code
 * socks-proxy-agent}. Skipped where Node, npm or the registry is missing.
 */
@ExtendWith(LeakCheck.class)
class NodeAgentsTest {
    private static final String SECONDS = "45";
    private static final String SCRIPT = """
            const fs = require('fs'), http = require('http'), https = require('https');
            const {HttpsProxyAgent} = require('https-proxy-agent');
            const {SocksProxyAgent} = require('socks-proxy-agent');
            const [proxy, url] = process.argv.slice(2);
            const ca = fs.readFileSync('trusted.pem');
            const agent = proxy.startsWith('socks') ? new SocksProxyAgent(proxy) : new HttpsProxyAgent(proxy, {ca});
            const fail = error => { console.log(error.message); process.exit(1); };
            (url.startsWith('https') ? https : http).get(url, {agent, ca, servername: 'localhost'}, response => {
                let size = 0;
                response.on('data', piece => size += piece.length);
                response.on('end', () => console.log(response.statusCode + ' ' + size));
            }).on('error', fail);
            """;

    private static Path folder;

    @BeforeAll
    static void install(@TempDir Path made) throws Exception {
        folder = made;
        Daemon.program("node");
        Program npm = Program.run(
                folder,
                "timeout",
                SECONDS,
                Daemon.program("npm"),
                "install",
                "--prefix=" + folder,
                "--cache=" + folder.resolve("cache"),
                "--no-audit",
                "--no-fund",
                "--no-update-notifier",
                "--fetch-retries=0",
                "--fetch-timeout=10000",
                "https-proxy-agent@7.0.6",
                "socks-proxy-agent@8.0.5");
        assumeTrue(npm.exitCode() == 0, () -> "npm cannot install the agents: " + npm.output());
        Files.writeString(folder.resolve("client.js"), SCRIPT);
        Certificates.loopback().writePem(folder.resolve("trusted.pem"), folder.resolve("trusted-key.pem"));
    }

    private static String get(String proxy, String url) throws Exception {
        return Program.run(folder, "node", "client.js", proxy, url).output();
    }

    private static Origin sealed() throws Exception {
        return Origin.startTls(Certificates.loopback(), peer -> {
            peer.readHead();
            peer.send("HTTP/1.1 200 OK\r\nContent-Length: 6\r\nConnection: close\r\n\r\nsealed");
        });
    }

    @Test
    void httpsIsTunneledThroughAProxyThatSpeaksTls() throws Exception {
        try (Origin origin = sealed();
                TlsProxy proxy = TlsProxy.start(settings -> {})) {
            assertThat(get("https://localhost:" + proxy.port(), "https://" + origin.target() + "/"))
                    .isEqualTo("200 6\n");
            assertThat(proxy.stats().establishedTunnels()).isEqualTo(1);
        }
    }

    @Test
    void httpsIsTunneledThroughSocks() throws Exception {
        try (Origin origin = sealed();
                Proxy proxy = Proxy.start(settings -> settings.socks(true))) {
            assertThat(get("socks5h://127.0.0.1:" + proxy.address().getPort(), "https://" + origin.target() + "/"))
                    .isEqualTo("200 6\n");
        }
    }

    /** The agent itself resolves names for the two schemes without an ending. */
    @ParameterizedTest
    @CsvSource({"socks5h, localhost", "socks5, 127.0.0.1", "socks4a, localhost", "socks4, 127.0.0.1"})
    void everyVersionOfSocksCarriesARequest(String scheme, String seen) throws Exception {
        Queue<HostPort> targets = new ConcurrentLinkedQueue<>();
        try (WebServer web = WebServer.start();
                Proxy proxy = Proxy.start(
                        settings -> settings.socks(true).accessPolicy(request -> targets.add(request.target())))) {
            String url = "http://" + seen + ":" + web.port() + "/bytes/1000/1";

            assertThat(get(scheme + "://127.0.0.1:" + proxy.address().getPort(), url))
                    .isEqualTo("200 1000\n");
            assertThat(targets).containsExactly(HostPort.of(seen, web.port()));
        }
    }
}
