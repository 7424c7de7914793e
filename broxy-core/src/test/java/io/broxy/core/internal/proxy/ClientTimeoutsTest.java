package io.broxy.core.internal.proxy;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.broxy.CloseReason;
import io.broxy.ConnectionResult;
import io.broxy.ProxyHandler;
import io.broxy.RefusedException;
import io.broxy.Tunnel;
import io.broxy.core.testkit.Accepted;
import io.broxy.core.testkit.Ends;
import io.broxy.core.testkit.LeakCheck;
import io.broxy.core.testkit.Origin;
import io.broxy.core.testkit.Peer;
import io.broxy.core.testkit.Proxy;
import java.io.IOException;
import java.net.SocketException;
import java.nio.channels.SocketChannel;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** Specifies the timeouts and the lifetime of a client's connection, with a manual clock. */
@ExtendWith(LeakCheck.class)
class ClientTimeoutsTest {
    private static final Duration PATIENCE = Duration.ofMillis(Peer.PATIENCE_MILLIS);

    private ProxyRig rig;

    @BeforeEach
    void start() throws IOException {
        rig = new ProxyRig();
    }

    @AfterEach
    void stop() throws Exception {
        rig.close();
    }

    private static Peer connected(Accepted<SocketChannel> accepted, Origin origin) throws IOException {
        Peer client = accepted.client().send(Proxy.connectHead(origin.target()));
        assertThat(client.readHead()).startsWith("HTTP/1.1 200 ");
        return client;
    }

    private static <T> T get(CompletableFuture<T> future) throws Exception {
        return future.get(Peer.PATIENCE_MILLIS, TimeUnit.MILLISECONDS);
    }

    /** An origin that answers each request with an empty response. */
    private static Origin http() throws IOException {
        return Origin.start(peer -> {
            while (true) {
                peer.readHead();
                peer.send("HTTP/1.1 204 No Content\r\n\r\n");
            }
        });
    }

    private static String get(Origin origin) {
        return "GET http://" + origin.target() + "/ HTTP/1.1\r\nHost: " + origin.target() + "\r\n\r\n";
    }

    // ------------------------------------------------------------------ the head

    @Test
    void aByteASecondDoesNotKeepAConnectionAlive() throws Exception {
        ProxyHandler handler = rig.handler(settings -> settings.headTimeout(Duration.ofSeconds(10)));
        byte[] head = ("CONNECT somewhere.example:443 HTTP/1.1\r\nX: " + "x".repeat(1_000)).getBytes(ISO_8859_1);
        try (Accepted<SocketChannel> accepted = Accepted.channel()) {
            Tunnel tunnel = handler.handleConnect(accepted.end());
            int sent = 0;
            while (sent < 9) {
                accepted.client().send(new byte[] {head[sent++]});
                rig.pass(Duration.ofSeconds(1));
            }
            assertThat(handler.stats().openConnections()).isEqualTo(1);

            accepted.client().send(new byte[] {head[sent]});
            rig.pass(Duration.ofSeconds(1));

            assertThat(accepted.client().readHead()).startsWith("HTTP/1.1 408 ");
            accepted.client().close();
            Ends.assertRefused(get(tunnel.completion()), RefusedException.Reason.HEAD_TIMEOUT, 408);
        }
    }

    @Test
    void neitherDoesItBetweenRequests() throws Exception {
        ProxyHandler handler = rig.handler(settings -> settings.headTimeout(Duration.ofSeconds(10)));
        try (Origin origin = http();
                Accepted<SocketChannel> accepted = Accepted.channel()) {
            CompletableFuture<ConnectionResult> result =
                    handler.handle(accepted.end()).completion();
            assertThat(accepted.client().send(get(origin)).readHead()).startsWith("HTTP/1.1 204 ");
            await().atMost(PATIENCE).until(() -> handler.stats().openExchanges() == 0);
            byte[] head = get(origin).getBytes(ISO_8859_1);
            for (int sent = 0; sent < 10; sent++) {
                accepted.client().send(new byte[] {head[sent]});
                rig.pass(Duration.ofSeconds(1));
            }
            await().atMost(PATIENCE)
                    .until(
                            () -> { // the first byte may have been read a little later
                                rig.pass(Duration.ofSeconds(1));
                                return handler.stats().refused() == 1;
                            });

            assertThat(accepted.client().readHead()).startsWith("HTTP/1.1 408 ");
            accepted.client().close();
            assertThat(get(result).reason()).isEqualTo(CloseReason.REFUSED);
        }
    }

    // ------------------------------------------------------------------ the lifetime

    @Test
    void aTunnelIsResetWhenItsLifetimeIsOverThoughBytesGoOn() throws Exception {
        ProxyHandler handler = rig.handler(settings -> settings.maxLifetime(Duration.ofHours(1)));
        try (Origin origin = Origin.echo();
                Accepted<SocketChannel> accepted = Accepted.channel()) {
            Tunnel tunnel = handler.handleConnect(accepted.end());
            Peer client = connected(accepted, origin);
            for (int i = 0; i < 59; i++) {
                rig.pass(Duration.ofMinutes(1));
                assertThat(client.send("still").readText(5)).isEqualTo("still");
            }

            rig.pass(Duration.ofMinutes(1));

            client.expectReset();
            Ends.assertEnded(get(tunnel.completion()), CloseReason.EXPIRED);
            assertThat(get(tunnel.completion()).bytesToOrigin()).isEqualTo(5 * 59);
        }
    }

    @Test
    void aClientBetweenTwoRequestsIsClosedInOrderWhenItsLifetimeIsOver() throws Exception {
        ProxyHandler handler = rig.handler(
                settings -> settings.maxLifetime(Duration.ofHours(1)).keepAliveTimeout(Duration.ofHours(2)));
        try (Origin origin = http();
                Accepted<SocketChannel> accepted = Accepted.channel()) {
            CompletableFuture<ConnectionResult> result =
                    handler.handle(accepted.end()).completion();
            assertThat(accepted.client().send(get(origin)).readHead()).startsWith("HTTP/1.1 204 ");
            await().atMost(PATIENCE).until(() -> handler.stats().openExchanges() == 0);
            rig.turns(2);

            rig.pass(Duration.ofHours(1));

            accepted.client().expectEnd();
            assertThat(get(result).reason()).isEqualTo(CloseReason.EXPIRED);
            assertThat(get(result).exchanges()).isEqualTo(1);
        }
    }

    @Test
    void aClientThatIsBeingServedIsResetWhenItsLifetimeIsOver() throws Exception {
        ProxyHandler handler = rig.handler(
                settings -> settings.maxLifetime(Duration.ofHours(1)).responseTimeout(Duration.ofHours(2)));
        CompletableFuture<Boolean> asked = new CompletableFuture<>();
        try (Origin origin = Origin.start(peer -> {
                    peer.readHead();
                    asked.complete(true);
                    peer.readAll();
                });
                Accepted<SocketChannel> accepted = Accepted.channel()) {
            CompletableFuture<ConnectionResult> result =
                    handler.handle(accepted.end()).completion();
            accepted.client().send(get(origin));
            get(asked);

            rig.pass(Duration.ofHours(1));

            accepted.client().expectReset();
            assertThat(get(result).reason()).isEqualTo(CloseReason.EXPIRED);
            assertThat(handler.stats().openExchanges()).isZero();
        }
    }

    @Test
    void aConnectionThatEndsTakesTheTimerOfItsLifetimeWithIt() throws Exception {
        ProxyHandler handler = rig.handler(settings -> settings.maxLifetime(Duration.ofDays(1)));
        int before = rig.timers();
        try (Origin origin = Origin.echo()) {
            for (int i = 0; i < 20; i++) {
                try (Accepted<SocketChannel> accepted = Accepted.channel()) {
                    Tunnel tunnel = handler.handleConnect(accepted.end());
                    connected(accepted, origin).shutdownOutput().expectEnd();
                    assertThat(get(tunnel.completion()).reason()).isEqualTo(CloseReason.FINISHED);
                }
            }
        }
        assertThat(rig.timers()).isEqualTo(before);
    }

    // ------------------------------------------------------------------ jumps

    @Test
    void whenTheClockJumpsByDaysWhatIsIdleEndsAndNothingSpins() throws Exception {
        ProxyHandler handler = rig.handler(settings -> settings.rateLimit(1_000));
        List<Tunnel> idle = new ArrayList<>();
        try (Origin origin = Origin.echo();
                Accepted<SocketChannel> inTunnel = Accepted.channel();
                Accepted<SocketChannel> inHead = Accepted.channel();
                Accepted<SocketChannel> next = Accepted.channel()) {
            idle.add(handler.handleConnect(inTunnel.end()));
            connected(inTunnel, origin);
            idle.add(handler.handleConnect(inHead.end()));
            inHead.client().send("CONN");
            rig.turns(2);

            rig.pass(Duration.ofDays(3));

            inTunnel.client().expectReset();
            assertThat(get(idle.get(0).completion()).reason()).isEqualTo(CloseReason.IDLE);
            assertThat(inHead.client().readHead()).startsWith("HTTP/1.1 408 ");
            inHead.client().close();
            assertThat(get(idle.get(1).completion()).reason()).isEqualTo(CloseReason.REFUSED);

            Tunnel after = handler.handleConnect(next.end());
            Peer client = connected(next, origin);
            assertThat(client.send("as before").readText(9)).isEqualTo("as before");
            long cpu = rig.loopCpuNanos();
            await().pollDelay(Duration.ofMillis(300)).until(() -> true);
            assertThat(rig.loopCpuNanos() - cpu)
                    .as("CPU time of the loop")
                    .isLessThan(Duration.ofMillis(100).toNanos());
            assertThat(after.completion().isDone()).isFalse();
        }
    }

    @Test
    void aTunnelStuckInOneDirectionIsStalledAfterItsTime() throws Exception {
        ProxyHandler handler = rig.handler(
                settings -> settings.writeStallTimeout(Duration.ofMinutes(1)).idleTimeout(Duration.ofDays(1)));
        try (Origin origin = Origin.start(peer -> {
                    peer.send(new byte[64 << 20]);
                });
                Accepted<SocketChannel> accepted = Accepted.channel()) {
            Tunnel tunnel = handler.handleConnect(accepted.end());
            Peer client = connected(accepted, origin);
            await().atMost(PATIENCE).until(() -> rig.buffers.heldBytes() > 0);

            await().atMost(PATIENCE)
                    .ignoreExceptionsInstanceOf(SocketException.class)
                    .until(() -> {
                        if (!tunnel.completion().isDone()) {
                            client.send("x"); // does not help
                            rig.pass(Duration.ofSeconds(30));
                        }
                        return tunnel.completion().isDone();
                    });

            assertThat(get(tunnel.completion()).reason()).isEqualTo(CloseReason.STALLED);
            client.expectReset();
        }
    }
}
