package io.broxy.core.tunnel;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.broxy.CloseReason;
import io.broxy.ProxyHandler;
import io.broxy.Tunnel;
import io.broxy.TunnelResult;
import io.broxy.core.testkit.Background;
import io.broxy.core.testkit.LeakCheck;
import io.broxy.core.testkit.Origin;
import io.broxy.core.testkit.Payload;
import io.broxy.core.testkit.Peer;
import io.broxy.core.testkit.Proxy;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.nio.channels.ServerSocketChannel;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Specifies an open tunnel as seen from both its ends and by the holder of its {@link Tunnel}. */
@ExtendWith(LeakCheck.class)
class TunnelTest {
    private static final int MEBIBYTE = 1 << 20;

    /** How the proxy got its client. */
    private enum Form {
        CHANNEL,
        SOCKET
    }

    /** The actions on a tunnel: of its client, its origin, and the embedder. */
    @FunctionalInterface
    private interface Play {
        void play(Peer client, Peer origin, Tunnel tunnel) throws Exception;
    }

    private static void withTunnel(Form form, Consumer<ProxyHandler.Builder> settings, Play play) throws Exception {
        CompletableFuture<Peer> originComes = new CompletableFuture<>();
        CompletableFuture<Boolean> over = new CompletableFuture<>();
        try (Origin server = Origin.start(peer -> {
                    originComes.complete(peer);
                    over.get(60, TimeUnit.SECONDS);
                });
                Proxy proxy = Proxy.start(settings);
                Front front = Front.open(form, proxy.handler())) {
            Peer client = front.client.send(Proxy.connectHead(server.target()));
            assertThat(client.readHead()).isEqualTo("HTTP/1.1 200 OK\r\n\r\n");
            try {
                play.play(client, originComes.get(60, TimeUnit.SECONDS), front.tunnel);
            } finally {
                over.complete(true);
            }
        }
    }

    /** A client and the tunnel that the proxy makes of it. */
    private record Front(Peer client, Tunnel tunnel) implements AutoCloseable {
        static Front open(Form form, ProxyHandler handler) throws Exception {
            InetSocketAddress any = new InetSocketAddress(InetAddress.getLoopbackAddress(), 0);
            if (form == Form.CHANNEL) {
                try (ServerSocketChannel server = ServerSocketChannel.open().bind(any)) {
                    Peer client = Peer.connect(server.getLocalAddress());
                    return new Front(client, handler.handleConnect(server.accept()));
                }
            }
            try (ServerSocket server = new ServerSocket()) {
                server.bind(any);
                Peer client = Peer.connect(server.getLocalSocketAddress());
                return new Front(client, handler.handleConnect(server.accept()));
            }
        }

        @Override
        public void close() throws Exception {
            client.close();
        }
    }

    private static TunnelResult result(Tunnel tunnel) throws Exception {
        return tunnel.completion().get(Peer.PATIENCE_MILLIS, TimeUnit.MILLISECONDS);
    }

    @ParameterizedTest
    @EnumSource
    void clientThatHasEndedStillGetsTheOriginsMebibyte(Form form) throws Exception {
        byte[] answer = Payload.bytes(MEBIBYTE, 1);
        withTunnel(form, settings -> {}, (client, origin, tunnel) -> {
            client.send("question").shutdownOutput();
            assertThat(origin.readText(8)).isEqualTo("question");
            origin.expectEnd();
            CompletableFuture<?> answering =
                    Background.run(() -> origin.send(answer).shutdownOutput());
            assertThat(client.read(MEBIBYTE)).isEqualTo(answer);
            client.expectEnd();
            answering.get();

            TunnelResult result = result(tunnel);
            assertThat(result.reason()).isEqualTo(CloseReason.FINISHED);
            assertThat(result.bytesToOrigin()).isEqualTo(8);
            assertThat(result.bytesToClient())
                    .as("without the proxy's own answer")
                    .isEqualTo(MEBIBYTE);
        });
    }

    @ParameterizedTest
    @EnumSource
    void originThatHasEndedStillGetsTheClientsMebibyte(Form form) throws Exception {
        byte[] upload = Payload.bytes(MEBIBYTE, 2);
        withTunnel(form, settings -> {}, (client, origin, tunnel) -> {
            origin.send("bye").shutdownOutput();
            assertThat(client.readText(3)).isEqualTo("bye");
            client.expectEnd();
            CompletableFuture<?> uploading =
                    Background.run(() -> client.send(upload).shutdownOutput());
            assertThat(origin.read(MEBIBYTE)).isEqualTo(upload);
            origin.expectEnd();
            uploading.get();

            assertThat(result(tunnel).reason()).isEqualTo(CloseReason.FINISHED);
        });
    }

    @ParameterizedTest
    @EnumSource
    void bytesSoFarAreCountedWhileItRuns(Form form) throws Exception {
        withTunnel(form, settings -> {}, (client, origin, tunnel) -> {
            client.send(new byte[1_000]);
            origin.read(1_000);
            origin.send(new byte[2_000]);
            client.read(2_000);

            await().until(() -> tunnel.bytesToOrigin() == 1_000 && tunnel.bytesToClient() == 2_000);
        });
    }

    @ParameterizedTest
    @EnumSource
    void resetOfTheClientReachesTheOrigin(Form form) throws Exception {
        withTunnel(form, settings -> {}, (client, origin, tunnel) -> {
            client.reset();

            origin.expectReset();
            assertThat(result(tunnel).reason()).isEqualTo(CloseReason.CLIENT_RESET);
        });
    }

    @ParameterizedTest
    @EnumSource
    void resetOfTheOriginReachesTheClient(Form form) throws Exception {
        withTunnel(form, settings -> {}, (client, origin, tunnel) -> {
            origin.send("half an ans").reset();

            client.expectReset();
            assertThat(result(tunnel).reason()).isEqualTo(CloseReason.ORIGIN_RESET);
        });
    }

    @ParameterizedTest
    @EnumSource
    void silentTunnelIsCutAtItsIdleTimeout(Form form) throws Exception {
        withTunnel(form, settings -> settings.idleTimeout(Duration.ofMillis(300)), (client, origin, tunnel) -> {
            client.expectReset();
            origin.expectReset();
            assertThat(result(tunnel).reason()).isEqualTo(CloseReason.IDLE);
            assertThat(result(tunnel).duration()).isGreaterThanOrEqualTo(Duration.ofMillis(300));
        });
    }

    @ParameterizedTest
    @EnumSource
    void halfClosedTunnelIsCutAtItsOwnTimeout(Form form) throws Exception {
        withTunnel(form, settings -> settings.halfCloseTimeout(Duration.ofMillis(200)), (client, origin, tunnel) -> {
            client.shutdownOutput();
            origin.expectEnd();

            client.expectReset();
            assertThat(result(tunnel).reason()).isEqualTo(CloseReason.IDLE);
        });
    }

    @ParameterizedTest
    @EnumSource
    void closeByItsHolderResetsBothSides(Form form) throws Exception {
        withTunnel(form, settings -> {}, (client, origin, tunnel) -> {
            client.send("x");
            origin.read(1);

            tunnel.close();
            tunnel.close();

            client.expectReset();
            origin.expectReset();
            assertThat(result(tunnel).reason()).isEqualTo(CloseReason.CLOSED);
        });
    }

    @Test
    void completeAnswerReachesAClientWhoseUploadGoesIntoTheVoid() throws Exception {
        withTunnel(Form.CHANNEL, settings -> {}, (client, origin, tunnel) -> {
            origin.send("413, and no more").shutdownOutput();
            await().until(() -> tunnel.bytesToClient() == 16);
            origin.reset();
            CompletableFuture<?> uploading =
                    Background.run(() -> client.send(new byte[MEBIBYTE]).shutdownOutput());

            assertThat(client.readAll()).isEqualTo("413, and no more");
            uploading.get();
            assertThat(result(tunnel).reason()).isEqualTo(CloseReason.ORIGIN_RESET);
        });
    }

    @ParameterizedTest
    @EnumSource(Form.class)
    @Tag("slow")
    void originThatSendsOnAndOnToAClientThatHasGoneIsReset(Form form) throws Exception {
        withTunnel(form, settings -> {}, (client, origin, tunnel) -> {
            client.send("bye").close();
            assertThat(origin.readAll()).isEqualTo("bye");

            byte[] endless = new byte[64 << 10];
            assertThatThrownBy(() -> {
                        while (true) {
                            origin.send(endless);
                        }
                    })
                    .isInstanceOf(IOException.class);
            TunnelResult end = tunnel.join();
            assertThat(end.reason()).isEqualTo(CloseReason.CLIENT_RESET);
            assertThat(end.bytesToOrigin()).isEqualTo(3);
        });
    }
}
