package io.broxy.core.tunnel;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.broxy.ProxyStats;
import io.broxy.core.testkit.LeakCheck;
import io.broxy.core.testkit.Origin;
import io.broxy.core.testkit.Peer;
import io.broxy.core.testkit.Proxy;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** Specifies that hundreds of tunnels at once, and thousands in a row, work and leave no descriptor open. */
@Tag("sweep")
@ExtendWith(LeakCheck.class)
class ManyTunnelsTest {
    private static final Duration PATIENCE = Duration.ofMillis(Peer.PATIENCE_MILLIS);

    @Test
    void fiveHundredAtOnce() throws Exception {
        int count = 500;
        List<Peer> clients = new ArrayList<>();
        try (Origin origin = Origin.echo();
                Proxy proxy = Proxy.start()) {
            for (int i = 0; i < count; i++) {
                clients.add(proxy.client().send(Proxy.connectHead(origin.target()) + "tunnel " + i));
            }
            for (int i = 0; i < count; i++) {
                Peer client = clients.get(i);
                assertThat(client.readHead()).isEqualTo("HTTP/1.1 200 OK\r\n\r\n");
                String expected = "tunnel " + i;
                assertThat(client.readText(expected.length())).isEqualTo(expected);
            }
            assertThat(proxy.handler().stats().openTunnels()).isEqualTo(count);
            for (Peer client : clients) {
                client.send("bye").shutdownOutput();
            }
            for (Peer client : clients) {
                assertThat(client.readAll()).isEqualTo("bye");
                client.close();
            }
            awaitRest(proxy);
            assertThat(proxy.handler().stats().openTunnels()).isZero();
            assertThat(proxy.handler().stats().establishedTunnels()).isEqualTo(count);
        }
    }

    @Test
    void twoThousandInARowLeaveNoDescriptor() throws Exception {
        int count = 2_000;
        try (Origin origin = Origin.start(peer -> peer.send(peer.readText(4)));
                Proxy proxy = Proxy.start()) {
            run(100, origin, proxy);
            awaitRest(proxy);
            List<String> before = LeakCheck.descriptors();

            run(count - 100, origin, proxy);

            awaitRest(proxy);
            await().atMost(PATIENCE)
                    .untilAsserted(
                            () -> assertThat(LeakCheck.openedSince(before)).isEmpty());
            ProxyStats stats = proxy.handler().stats();
            assertThat(stats.totalConnections()).isEqualTo(count);
            assertThat(stats.establishedTunnels()).isEqualTo(count);
            assertThat(stats.bytesToOrigin()).isEqualTo(4L * count);
            assertThat(stats.bytesToClient()).isEqualTo(4L * count);
        }
    }

    private static void run(int count, Origin origin, Proxy proxy) throws Exception {
        for (int i = 0; i < count; i++) {
            try (Peer client = proxy.client().send(Proxy.connectHead(origin.target()) + "ping")) {
                client.readHead();
                assertThat(client.readAll()).isEqualTo("ping");
            }
        }
    }

    private static void awaitRest(Proxy proxy) {
        await().atMost(PATIENCE).until(() -> proxy.handler().stats().openConnections() == 0);
    }
}
