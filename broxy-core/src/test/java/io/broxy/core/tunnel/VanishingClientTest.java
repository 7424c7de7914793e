package io.broxy.core.tunnel;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.broxy.CloseReason;
import io.broxy.Connection;
import io.broxy.DialException;
import io.broxy.DialRequest;
import io.broxy.Dialer;
import io.broxy.HostPort;
import io.broxy.TunnelResult;
import io.broxy.core.Broxy;
import io.broxy.core.testkit.Client;
import io.broxy.core.testkit.Client.Form;
import io.broxy.core.testkit.Ends;
import io.broxy.core.testkit.LeakCheck;
import io.broxy.core.testkit.Origin;
import io.broxy.core.testkit.Payload;
import io.broxy.core.testkit.Peer;
import io.broxy.core.testkit.Proxy;
import java.io.IOException;
import java.net.UnknownHostException;
import java.nio.channels.SocketChannel;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Specifies what happens when a client disconnects before its tunnel is open. */
@ExtendWith(LeakCheck.class)
class VanishingClientTest {
    private static final HostPort SOMEWHERE = HostPort.of("somewhere.example", 443);

    /** Connects to an origin on request. */
    private static final class HeldDialer implements Dialer {
        final CountDownLatch dialing = new CountDownLatch(1);
        final CountDownLatch go = new CountDownLatch(1);
        final CountDownLatch interrupted = new CountDownLatch(1);
        private final Origin origin;
        private final CompletableFuture<Broxy> broxy = new CompletableFuture<>();

        HeldDialer(Origin origin) {
            this.origin = origin;
        }

        Proxy startProxy() throws IOException {
            return Proxy.start((engine, settings) -> {
                broxy.complete(engine);
                settings.dialer(this);
            });
        }

        @Override
        public Connection dial(DialRequest request) throws DialException {
            dialing.countDown();
            try {
                go.await();
                return broxy.join().asConnection(SocketChannel.open(origin.address()));
            } catch (InterruptedException e) {
                interrupted.countDown();
                throw failed(request, DialException.Reason.CANCELLED, e);
            } catch (IOException e) {
                throw failed(request, DialException.Reason.UNREACHABLE, e);
            }
        }

        private static DialException failed(DialRequest request, DialException.Reason reason, Exception cause) {
            return new DialException(reason, request.target(), Duration.ZERO, List.of(), cause);
        }
    }

    private static void assertGone(TunnelResult result) {
        assertThat(result.reason()).isEqualTo(CloseReason.CLIENT_GONE);
        assertThat(result.bytesToOrigin()).isZero();
        assertThat(result.bytesToClient()).isZero();
    }

    @ParameterizedTest
    @EnumSource
    void beforeItsFirstByte(Form form) throws Exception {
        try (Proxy proxy = Proxy.start();
                Client client = form.come(proxy.handler())) {
            client.close();

            assertGone(client.tunnel().join());
            assertThat(client.tunnel().join().target()).isNull();
        }
    }

    @ParameterizedTest
    @EnumSource
    void withinItsHead(Form form) throws Exception {
        try (Proxy proxy = Proxy.start();
                Client client = form.come(proxy.handler())) {
            client.peer().send("CONNECT exam").close();

            assertGone(client.tunnel().join());
        }
    }

    @ParameterizedTest
    @EnumSource(names = {"CHANNEL", "SOCKET"})
    void byAResetWithinItsHead(Form form) throws Exception {
        try (Proxy proxy = Proxy.start();
                Client client = form.come(proxy.handler())) {
            client.peer().send("CONNECT exam").reset();

            assertGone(client.tunnel().join());
        }
    }

    @Test
    void byAResetWhileItsTargetIsDialedWhichEndsTheDial() throws Exception {
        try (Origin origin = Origin.echo()) {
            HeldDialer dialer = new HeldDialer(origin);
            try (Proxy proxy = dialer.startProxy();
                    Client client = Form.CHANNEL.ask(proxy.handler(), SOMEWHERE)) {
                dialer.dialing.await();

                client.peer().reset();

                assertGone(client.tunnel().join());
                assertThat(dialer.interrupted.await(Peer.PATIENCE_MILLIS, TimeUnit.MILLISECONDS))
                        .isTrue();
                assertThat(proxy.handler().stats().openTunnels()).isZero();
                assertThat(proxy.handler().stats().establishedTunnels()).isZero();
            }
        }
    }

    @Test
    void byAResetWhileADirectDialIsInProgress() throws Exception {
        CountDownLatch resolving = new CountDownLatch(1);
        CountDownLatch go = new CountDownLatch(1);
        try (Proxy proxy = Proxy.start((broxy, settings) -> settings.dialer(broxy.directDialer()
                        .resolver(host -> {
                            resolving.countDown();
                            awaitQuietly(go);
                            throw new UnknownHostException(host);
                        })
                        .build()));
                Client client = Form.CHANNEL.ask(proxy.handler(), SOMEWHERE)) {
            resolving.await();

            client.peer().reset();

            assertGone(client.tunnel().join());
            go.countDown();
        }
    }

    @ParameterizedTest
    @EnumSource(names = {"CHANNEL", "SOCKET"})
    void anEndOfItsStreamWhileDialingIsOnlyAHalfClose(Form form) throws Exception {
        try (Origin origin = Origin.start(peer -> peer.send("got " + peer.readAll()))) {
            HeldDialer dialer = new HeldDialer(origin);
            try (Proxy proxy = dialer.startProxy();
                    Client client = form.ask(proxy.handler(), SOMEWHERE)) {
                dialer.dialing.await();
                client.peer().shutdownOutput();

                dialer.go.countDown();

                assertThat(client.peer().readHead()).isEqualTo("HTTP/1.1 200 OK\r\n\r\n");
                assertThat(client.peer().readAll()).isEqualTo("got ");
                Ends.assertEnded(client.tunnel().join(), CloseReason.FINISHED);
            }
        }
    }

    @ParameterizedTest
    @EnumSource(names = {"CHANNEL", "SOCKET"})
    void whatItSendsWhileDialingReachesTheOriginInOrder(Form form) throws Exception {
        byte[] much = Payload.bytes(300_000, 7);
        CompletableFuture<byte[]> received = new CompletableFuture<>();
        try (Origin origin = Origin.start(
                peer -> received.complete(peer.socket().getInputStream().readAllBytes()))) {
            HeldDialer dialer = new HeldDialer(origin);
            try (Proxy proxy = dialer.startProxy();
                    Client client = form.ask(proxy.handler(), SOMEWHERE)) {
                dialer.dialing.await();
                client.peer().send(Arrays.copyOf(much, 10));
                Thread sender = new Thread(() -> {
                    try {
                        client.peer()
                                .send(Arrays.copyOfRange(much, 10, much.length))
                                .shutdownOutput();
                    } catch (IOException e) {
                        received.completeExceptionally(e);
                    }
                });
                sender.start();

                dialer.go.countDown();

                client.peer().readHead();
                assertThat(received.get(Peer.PATIENCE_MILLIS, TimeUnit.MILLISECONDS))
                        .isEqualTo(much);
                sender.join();
                client.peer().expectEnd();
                TunnelResult result = client.tunnel().join();
                Ends.assertEnded(result, CloseReason.FINISHED);
                assertThat(result.bytesToOrigin()).isEqualTo(much.length);
            }
        }
    }

    @Test
    void aClientThatVanishesWhileDialingWithBytesInFlightResetsTheOriginOnceItIsConnected() throws Exception {
        CompletableFuture<String> end = new CompletableFuture<>();
        try (Origin origin = Origin.start(peer -> {
            try {
                end.complete(peer.readAll());
            } catch (IOException e) {
                end.complete("reset");
            }
        })) {
            HeldDialer dialer = new HeldDialer(origin);
            try (Proxy proxy = dialer.startProxy();
                    Client client = Form.CHANNEL.come(proxy.handler())) {
                client.peer().send(Proxy.connectHead(SOMEWHERE) + "early");
                dialer.dialing.await();
                client.peer().reset(); // not seen: the client is not read while early bytes are held

                dialer.go.countDown();

                assertThat(client.tunnel().join().reason()).isEqualTo(CloseReason.CLIENT_RESET);
                assertThat(end.get(Peer.PATIENCE_MILLIS, TimeUnit.MILLISECONDS)).isEqualTo("reset");
            }
        }
    }

    @Test
    void countersAddUpWhenAllHaveVanished() throws Exception {
        try (Proxy proxy = Proxy.start()) {
            for (int i = 0; i < 20; i++) {
                proxy.client().send("CONNECT ").close();
            }
            await().atMost(Duration.ofMillis(Peer.PATIENCE_MILLIS)).untilAsserted(() -> {
                assertThat(proxy.handler().stats().totalConnections()).isEqualTo(20);
                assertThat(proxy.handler().stats().openConnections()).isZero();
            });
            assertThat(proxy.handler().stats().openTunnels()).isZero();
            assertThat(proxy.handler().stats().refused()).isZero();
        }
    }

    private static void awaitQuietly(CountDownLatch latch) {
        try {
            latch.await();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
