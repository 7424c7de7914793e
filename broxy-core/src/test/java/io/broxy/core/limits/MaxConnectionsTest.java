package io.broxy.core.limits;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.broxy.CloseReason;
import io.broxy.RefusedException;
import io.broxy.Tunnel;
import io.broxy.core.testkit.Accepted;
import io.broxy.core.testkit.Ends;
import io.broxy.core.testkit.LeakCheck;
import io.broxy.core.testkit.Origin;
import io.broxy.core.testkit.Peer;
import io.broxy.core.testkit.Proxy;
import java.net.Socket;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** Specifies that connections past the limit get 503 at once and take no place of those that are served. */
@ExtendWith(LeakCheck.class)
class MaxConnectionsTest {
    private static final Duration PATIENCE = Duration.ofMillis(Peer.PATIENCE_MILLIS);

    @Test
    void beyondTheCapClientsAreRefusedImmediately() throws Exception {
        try (Origin origin = Origin.echo();
                Proxy proxy = Proxy.start(settings -> settings.maxConnections(1));
                Peer first = proxy.connect(origin.target());
                Peer second = proxy.client()) {
            assertThat(second.readHead()).startsWith("HTTP/1.1 503 Service Unavailable\r\n");

            assertThat(first.send("still served").readText(12)).isEqualTo("still served");
            assertThat(proxy.handler().stats().openTunnels()).isEqualTo(1);
        }
    }

    @Test
    void lingeringRefusedClientsDoNotBlockOthers() throws Exception {
        try (Origin origin = Origin.echo();
                Proxy proxy = Proxy.start(settings -> settings.maxConnections(1))) {
            Peer first = proxy.connect(origin.target());
            List<Peer> refused = new ArrayList<>();
            for (int i = 0; i < 5; i++) {
                refused.add(proxy.client());
                refused.get(i).readHead();
            }

            first.close();
            await().atMost(PATIENCE).until(() -> proxy.handler().stats().openTunnels() == 0);
            try (Peer next = proxy.connect(origin.target())) {
                assertThat(next.send("in").readText(2)).isEqualTo("in");
            }

            for (Peer peer : refused) {
                peer.close();
            }
        }
    }

    @Test
    void clientsWithoutAChannelHaveACapOfTheirOwn() throws Exception {
        CountDownLatch served = new CountDownLatch(1);
        try (Origin origin = Origin.start(peer -> {
                    served.countDown();
                    peer.readAll();
                });
                Proxy proxy = Proxy.start(settings -> settings.maxStreamClients(1));
                Accepted<Socket> first = Accepted.socket();
                Accepted<Socket> second = Accepted.socket()) {
            proxy.handler().handleConnect(first.end());
            first.client().send(Proxy.connectHead(origin.target())).readHead();
            served.await();
            Tunnel refused = proxy.handler().handleConnect(second.end());

            assertThat(second.client().readAll()).startsWith("HTTP/1.1 503 ");
            second.client().close();

            Ends.assertRefused(refused.join(), RefusedException.Reason.LIMIT, 503);
            try (Peer withChannel = proxy.connect(origin.target())) {
                assertThat(proxy.handler().stats().openTunnels()).isEqualTo(2);
            }
        }
    }

    @Test
    void aThreadedClientThatEndsMakesRoomForTheNext() throws Exception {
        try (Origin origin = Origin.echo();
                Proxy proxy = Proxy.start(settings -> settings.maxStreamClients(1))) {
            for (int i = 0; i < 3; i++) {
                try (Accepted<Socket> client = Accepted.socket()) {
                    Tunnel tunnel = proxy.handler().handleConnect(client.end());
                    client.client().send(Proxy.connectHead(origin.target()));
                    assertThat(client.client().readHead()).startsWith("HTTP/1.1 200 ");
                    client.client().shutdownOutput().expectEnd();
                    assertThat(tunnel.join().reason()).isEqualTo(CloseReason.FINISHED);
                }
            }
        }
    }
}
