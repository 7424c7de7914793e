package io.broxy.core.interop;

import static org.assertj.core.api.Assertions.assertThat;

import io.broxy.core.testkit.Certificates;
import io.broxy.core.testkit.LeakCheck;
import io.broxy.core.testkit.Origin;
import io.broxy.core.testkit.Program;
import io.broxy.core.testkit.TlsProxy;
import io.broxy.core.testkit.WebServer;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

/** Specifies that Node works with a proxy that speaks TLS. Skipped where it is missing. */
@ExtendWith(LeakCheck.class)
class NodeOverTlsTest {
    private static final String SCRIPT = """
            const fs = require('fs'), https = require('https'), tls = require('tls');
            const [proxyPort, kind, target] = process.argv.slice(2);
            const ca = fs.readFileSync('trusted.pem');
            const proxy = {host: 'localhost', port: proxyPort, ca, agent: false};
            const show = response => {
                let text = '';
                response.on('data', piece => text += piece);
                response.on('end', () => console.log(response.statusCode + ' ' + text));
            };
            const fail = error => { console.log(error); process.exit(1); };
            if (kind === 'plain') {
                https.get({...proxy, path: target}, show).on('error', fail);
            } else {
                https.request({...proxy, method: 'CONNECT', path: target})
                    .on('connect', (response, socket) => {
                        console.log('CONNECT ' + response.statusCode);
                        const within = tls.connect({socket, ca, servername: 'localhost'});
                        https.get({createConnection: () => within, path: '/', headers: {Host: target}}, show)
                            .on('error', fail);
                    })
                    .on('error', fail)
                    .end();
            }
            """;

    private final Path folder;

    NodeOverTlsTest(@TempDir Path folder) {
        this.folder = folder;
    }

    private Program node(TlsProxy proxy, String kind, String target) throws Exception {
        Certificates.loopback().writePem(folder.resolve("trusted.pem"), folder.resolve("trusted-key.pem"));
        Path script = Files.writeString(folder.resolve("client.js"), SCRIPT);
        return Program.run(folder, "node", script.toString(), String.valueOf(proxy.port()), kind, target);
    }

    @Test
    void plainHttpIsForwarded() throws Exception {
        try (WebServer origin = WebServer.start();
                TlsProxy proxy = TlsProxy.start(settings -> {})) {
            assertThat(node(proxy, "plain", origin.url("/bytes/0/1"))).isEqualTo(new Program(0, "200 \n"));
            assertThat(origin.asked()).hasSize(1);
        }
    }

    @Test
    void httpsIsTunneled() throws Exception {
        try (Origin origin = Origin.startTls(Certificates.loopback(), peer -> {
                    peer.readHead();
                    peer.send("HTTP/1.1 200 OK\r\nContent-Length: 6\r\nConnection: close\r\n\r\nsealed");
                });
                TlsProxy proxy = TlsProxy.start(settings -> {})) {
            assertThat(node(proxy, "tunnel", origin.target().toString()))
                    .isEqualTo(new Program(0, "CONNECT 200\n200 sealed\n"));
            assertThat(proxy.stats().establishedTunnels()).isEqualTo(1);
        }
    }
}
