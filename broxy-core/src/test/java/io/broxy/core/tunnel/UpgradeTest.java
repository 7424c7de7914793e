package io.broxy.core.tunnel;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.broxy.CloseReason;
import io.broxy.ConnectionResult;
import io.broxy.TunnelResult;
import io.broxy.core.testkit.Accepted;
import io.broxy.core.testkit.Http;
import io.broxy.core.testkit.LeakCheck;
import io.broxy.core.testkit.Origin;
import io.broxy.core.testkit.Peer;
import io.broxy.core.testkit.Proxy;
import java.io.IOException;
import java.nio.channels.SocketChannel;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Specifies that a switch of protocols turns the client's connection into a tunnel (RFC 9110, section 7.8). */
@ExtendWith(LeakCheck.class)
class UpgradeTest {
    private static final String SWITCH =
            "HTTP/1.1 101 Switching Protocols\r\nUpgrade: echo\r\nConnection: upgrade\r\n\r\n";

    private static String ask(Origin origin) {
        return Http.get(origin.target(), "/", "Connection: Upgrade", "Upgrade: echo");
    }

    private static Origin switching(CompletableFuture<String> head) throws IOException {
        return Origin.start(peer -> {
            head.complete(peer.readHead());
            assertThat(head.join()).contains("\r\nUpgrade: echo\r\n", "\r\nConnection: upgrade\r\n");
            peer.send(SWITCH + "greeting");
            peer.socket().getInputStream().transferTo(peer.socket().getOutputStream());
            peer.shutdownOutput();
        });
    }

    @Test
    void allBytesAfterTheHeadsPassThroughTheTunnel() throws Exception {
        CompletableFuture<String> head = new CompletableFuture<>();
        try (Origin origin = switching(head);
                Proxy proxy = Proxy.start(settings -> settings.viaPseudonym(null));
                Accepted<SocketChannel> accepted = Accepted.channel()) {
            CompletableFuture<ConnectionResult> result =
                    proxy.handler().handle(accepted.end()).completion();
            Peer client = accepted.client();
            client.send(ask(origin) + "early");

            assertThat(client.readHead()).isEqualTo(SWITCH);
            assertThat(client.readText(13)).isEqualTo("greetingearly");
            assertThat(client.send("GET / HTTP/1.1\r\n\r\n").readText(18)).isEqualTo("GET / HTTP/1.1\r\n\r\n");
            assertThat(proxy.handler().stats().openTunnels()).isEqualTo(1);
            assertThat(proxy.handler().stats().establishedTunnels()).isEqualTo(1);
            assertThat(proxy.handler().stats().openExchanges()).isZero();
            client.shutdownOutput().expectEnd();

            ConnectionResult end = result.get(Peer.PATIENCE_MILLIS, TimeUnit.MILLISECONDS);
            assertThat(end.reason()).isEqualTo(CloseReason.FINISHED);
            assertThat(end.exchanges()).isEqualTo(1);
            TunnelResult tunnel = end.tunnel();
            assertThat(tunnel).isNotNull();
            assertThat(tunnel.target()).isEqualTo(origin.target());
            long toOrigin = head.join().length() + 5L + 18;
            long toClient = SWITCH.length() + 8L + 5 + 18;
            assertThat(tunnel.bytesToOrigin()).isEqualTo(toOrigin);
            assertThat(tunnel.bytesToClient()).isEqualTo(toClient);
            assertThat(proxy.handler().stats().bytesToOrigin()).isEqualTo(toOrigin);
            assertThat(proxy.handler().stats().bytesToClient()).isEqualTo(toClient);
            assertThat(proxy.handler().stats().openTunnels()).isZero();
        }
    }

    @Test
    void aConnectionThatWasUsedBeforeMayBeSwitched() throws Exception {
        try (Origin origin = Origin.start(peer -> {
                    peer.readHead();
                    peer.send(Http.ok("first"));
                    peer.readHead();
                    peer.send(SWITCH);
                    assertThat(peer.readText(4)).isEqualTo("ping");
                    peer.send("pong");
                    peer.expectEnd();
                });
                Proxy proxy = Proxy.start();
                Peer client = proxy.client()) {
            client.send(Http.get(origin.target(), "/"));
            assertThat(Http.read(client).body()).isEqualTo("first");
            client.send(ask(origin));
            assertThat(client.readHead()).startsWith("HTTP/1.1 101 ");
            assertThat(client.send("ping").readText(4)).isEqualTo("pong");
            assertThat(origin.accepted()).isEqualTo(1);
        }
    }

    @Test
    void aResetOfOneSideIsOneOfTheOther() throws Exception {
        CompletableFuture<Boolean> originReset = new CompletableFuture<>();
        try (Origin origin = Origin.start(peer -> {
                    peer.readHead();
                    peer.send(SWITCH);
                    peer.expectReset();
                    originReset.complete(true);
                });
                Proxy proxy = Proxy.start();
                Peer client = proxy.client()) {
            client.send(ask(origin));
            client.readHead();
            client.reset();

            assertThat(originReset.get(Peer.PATIENCE_MILLIS, TimeUnit.MILLISECONDS))
                    .isTrue();
            await().atMost(Duration.ofMillis(Peer.PATIENCE_MILLIS))
                    .until(() -> proxy.handler().stats().openTunnels() == 0);
        }
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                SWITCH,
                "HTTP/1.1 101 Switching Protocols\r\nUpgrade: other\r\nConnection: upgrade\r\n\r\n",
                "HTTP/1.1 101 Switching Protocols\r\n\r\n",
            })
    void anUnrequestedSwitchIsABadGateway(String answer) throws Exception {
        try (Origin origin = Origin.start(peer -> {
                    peer.readHead();
                    peer.send(answer + Http.ok("smuggled"));
                    peer.readAll();
                });
                Proxy proxy = Proxy.start();
                Peer client = proxy.client()) {
            client.send(answer.equals(SWITCH) ? Http.get(origin.target(), "/") : ask(origin));

            Http.Message message = Http.read(client);
            assertThat(message.head())
                    .startsWith("HTTP/1.1 502 Bad Gateway\r\nProxy-Status: Broxy; error=http_protocol_error\r\n");
            try (Origin other = Http.echo()) {
                client.send(Http.get(other.target(), "/"));
                assertThat(Http.read(client).body()).isEqualTo("GET / ");
            }
        }
    }

    @Test
    void aSwitchWithinTheRequestIsABadGateway() throws Exception {
        try (Origin origin = Origin.start(peer -> {
                    peer.readHead();
                    peer.send(SWITCH);
                    peer.readAll();
                });
                Proxy proxy = Proxy.start();
                Peer client = proxy.client()) {
            client.send(Http.request(
                    "POST", origin.target(), "/", "Content-Length: 4", "Connection: upgrade", "Upgrade: echo"));

            assertThat(Http.read(client).status()).isEqualTo(502);
            client.expectEnd();
        }
    }

    @Test
    void aSwitchThatIsRefusedLeavesHttp() throws Exception {
        try (Origin origin = Origin.start(peer -> {
                    assertThat(peer.readHead()).contains("\r\nUpgrade: echo\r\n");
                    peer.send(Http.ok("no"));
                    assertThat(peer.readHead()).doesNotContain("Upgrade");
                    peer.send(Http.ok("still HTTP"));
                    peer.expectEnd();
                });
                Proxy proxy = Proxy.start();
                Peer client = proxy.client()) {
            client.send(ask(origin) + Http.get(origin.target(), "/"));

            assertThat(Http.read(client).body()).isEqualTo("no");
            assertThat(Http.read(client).body()).isEqualTo("still HTTP");
            assertThat(origin.accepted()).isEqualTo(1);
        }
    }
}
