package io.broxy.examples;

import static org.assertj.core.api.Assertions.assertThat;

import io.broxy.HostPort;
import io.broxy.core.testkit.Http;
import io.broxy.core.testkit.LeakCheck;
import io.broxy.core.testkit.Peer;
import io.broxy.core.testkit.Proxy;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Specifies that neither port of a mini-server is a target of its clients, whatever its options allow. */
@ExtendWith(LeakCheck.class)
class OwnPortsTest {

    private static int status(int proxy, String request) throws IOException {
        try (Peer client = Peer.connect(proxy)) {
            return Http.read(client.send(request)).status();
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"127.0.0.1", "0.0.0.0"})
    void theProxyAndTheAdminServerAreRefused(String listening) throws Exception {
        ServerOptions options = ServerOptions.parse(
                "--listen=" + listening + ":0",
                "--admin=" + listening + ":0",
                "--allow-private",
                "--allow=0.0.0.0/0",
                "--allow=::/0",
                "--report-only");
        try (RunningServer server = RunningServer.start(options)) {
            int proxy = HostPort.parse(server.address()).port();
            ListenAddress admin = server.adminAddress();
            assertThat(admin).isNotNull();
            List<Integer> statuses = new ArrayList<>();
            for (String host : List.of("127.0.0.1", "localhost", "::ffff:127.0.0.1", "0.0.0.0")) {
                for (int port : new int[] {proxy, admin.port()}) {
                    HostPort target = HostPort.of(host, port);
                    statuses.add(status(proxy, Proxy.connectHead(target)));
                    statuses.add(status(proxy, Http.get(target, "/metrics")));
                }
            }
            assertThat(statuses).hasSize(16).containsOnly(403);
            try (Peer operator = Peer.connect(admin.port())) {
                operator.send("GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
                assertThat(operator.readHead()).startsWith("HTTP/1.1 200 ");
            }
        }
    }
}
