package io.broxy.examples;

import static org.assertj.core.api.Assertions.assertThat;

import io.broxy.core.testkit.HeldPort;
import io.broxy.core.testkit.LeakCheck;
import io.broxy.core.testkit.Origin;
import io.broxy.core.testkit.Peer;
import io.broxy.core.testkit.Proxy;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** Specifies the short programs beside the mini-server, run from its jar. */
@ExtendWith(LeakCheck.class)
class ProgramsIT {

    @Test
    void embeddedProxyMakesItsClientsTunnels() throws Exception {
        try (Origin origin = Origin.echo();
                JarProcess proxy = JarProcess.program("EmbeddedProxy", "0", "127.0.0.0/8")) {
            int port = proxy.listening().port();
            for (int i = 0; i < 2; i++) {
                try (Peer client = Peer.connect(port)) {
                    client.send(Proxy.connectHead(origin.target()));
                    assertThat(client.readHead()).isEqualTo("HTTP/1.1 200 OK\r\n\r\n");
                    client.send("12345").shutdownOutput();
                    assertThat(client.readAll()).isEqualTo("12345");
                }

                assertThat(proxy.nextLine())
                        .isEqualTo(origin.target() + ": FINISHED, 5 bytes to the origin, 5 to the client");
            }
        }
    }

    @Test
    void dialExampleTalksToAServer() throws Exception {
        try (Origin origin = Origin.start(peer -> {
                    assertThat(peer.readHead()).startsWith("HEAD / HTTP/1.1\r\nHost: 127.0.0.1:");
                    peer.send("HTTP/1.1 204 No Content\r\nServer: test\r\n\r\n");
                });
                JarProcess client =
                        JarProcess.program("DialExample", origin.target().toString())) {
            assertThat(client.exitCode()).isZero();
            assertThat(client.nextLine()).startsWith("connected to " + origin.target());
            assertThat(client.outLines()).containsExactly("HTTP/1.1 204 No Content", "Server: test", "");
        }
    }

    @Test
    void dialExampleTellsWhyItCannotConnect() throws Exception {
        int port = HeldPort.refusing().port();
        try (JarProcess client = JarProcess.program("DialExample", "127.0.0.1:" + port)) {
            assertThat(client.exitCode()).isEqualTo(1);
            assertThat(client.outLines())
                    .first()
                    .satisfies(line -> assertThat(line).startsWith("REFUSED: ").contains("127.0.0.1:" + port));
        }
    }
}
