package io.broxy.core.tunnel;

import static io.broxy.core.tunnel.HostServer.CLIENT;
import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.broxy.CloseReason;
import io.broxy.ConnectRequest;
import io.broxy.ConnectResponse;
import io.broxy.Copier;
import io.broxy.RefusedException;
import io.broxy.Tunnel;
import io.broxy.TunnelResult;
import io.broxy.core.testkit.Background;
import io.broxy.core.testkit.CapturedLog;
import io.broxy.core.testkit.Client;
import io.broxy.core.testkit.Ends;
import io.broxy.core.testkit.Events;
import io.broxy.core.testkit.LeakCheck;
import io.broxy.core.testkit.Origin;
import io.broxy.core.testkit.Proxy;
import io.broxy.core.tunnel.HostServer.Kind;
import io.broxy.core.tunnel.HostServer.Pair;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Specifies tunnels whose client a host server passes on once it has written the response. */
@ExtendWith(LeakCheck.class)
class OpenedTunnelTest {
    // ------------------------------------------------------------------ a tunnel

    @ParameterizedTest
    @EnumSource(Kind.class)
    void aTunnelIsRelayedWithItsEarlyBytesFirst(Kind kind) throws Exception {
        try (Origin origin = Origin.echo();
                Proxy proxy = Proxy.start();
                Pair pair = kind.come(proxy)) {
            ConnectResponse response = HostServer.open(
                    proxy,
                    ConnectRequest.builder(origin.target())
                            .earlyBytes(ByteBuffer.wrap("early ".getBytes(ISO_8859_1)))
                            .build());
            assertThat(proxy.handler().activeTunnels()).isEmpty();
            assertThat(proxy.handler().stats().openTunnels()).isEqualTo(1);
            Background.run(() -> pair.end().write(response.message())); // a TLS client shakes hands when it reads
            assertThat(pair.client().readHead()).isEqualTo("HTTP/1.1 200 OK\r\n\r\n");
            assertThat(response.fields()).isEmpty();
            assertThat(response.body().hasRemaining()).isFalse();

            Tunnel tunnel = response.relay(pair.end(), ByteBuffer.wrap("and ".getBytes(ISO_8859_1)));

            pair.client().send("late");
            assertThat(pair.client().readText(14)).isEqualTo("early and late");
            assertThat(proxy.handler().activeTunnels()).singleElement().satisfies(active -> {
                assertThat(active.target()).isEqualTo(origin.target());
                assertThat(active.client()).isEqualTo(CLIENT);
            });
            pair.client().shutdownOutput().expectEnd();
            TunnelResult result = tunnel.join();
            Ends.assertEnded(result, CloseReason.FINISHED);
            assertThat(result.bytesToOrigin()).isEqualTo(14);
            assertThat(result.bytesToClient()).isEqualTo(14);
            assertThat(proxy.handler().stats().establishedTunnels()).isEqualTo(1);
            assertThat(proxy.handler().stats().openConnections()).isZero();
        }
    }

    @ParameterizedTest
    @EnumSource(Kind.class)
    void anOriginThatSpeaksFirstIsHeard(Kind kind) throws Exception {
        try (Origin origin = Origin.greeting("welcome");
                Proxy proxy = Proxy.start();
                Pair pair = kind.come(proxy)) {
            ConnectResponse response = HostServer.open(proxy, origin.target());

            Tunnel tunnel = response.relay(pair.end());

            assertThat(pair.client().readText(7)).isEqualTo("welcome");
            pair.client().shutdownOutput().expectEnd();
            Ends.assertEnded(tunnel.join(), CloseReason.FINISHED);
        }
    }

    @Test
    void aHalfCloseAndAResetPassThrough() throws Exception {
        try (Origin origin = Origin.start(peer -> peer.send("all of it: " + peer.readAll()));
                Origin resetting = Origin.start(peer -> {
                    peer.read(1);
                    peer.reset();
                });
                Proxy proxy = Proxy.start();
                Pair whole = Kind.CHANNEL.come(proxy);
                Pair cut = Kind.CHANNEL.come(proxy)) {
            HostServer.open(proxy, origin.target()).relay(whole.end());
            whole.client().send("sent").shutdownOutput();
            assertThat(whole.client().readAll()).isEqualTo("all of it: sent");

            Tunnel tunnel = HostServer.open(proxy, resetting.target()).relay(cut.end());
            cut.client().send("x").expectReset();
            assertThat(tunnel.join().reason()).isEqualTo(CloseReason.ORIGIN_RESET);
        }
    }

    @Test
    void recordsAreThoseOfAClientThatIsHandedOver() throws Exception {
        try (Origin origin = Origin.echo()) {
            ConnectRequest request = ConnectRequest.builder(origin.target())
                    .earlyBytes(ByteBuffer.wrap("hello".getBytes(ISO_8859_1)))
                    .authenticated("alice")
                    .build();
            List<String> handedOver = records(proxy -> {
                Client client = Client.Form.CHANNEL.serve(proxy.handler(), request);
                client.peer().readHead();
                return client;
            });

            List<String> opened = records(proxy -> {
                Pair pair = Kind.CHANNEL.come(proxy);
                return new Client(pair.client(), HostServer.open(proxy, request).relay(pair.end()));
            });

            assertThat(opened).isEqualTo(handedOver);
        }
    }

    /** Makes a client whose tunnel is open. */
    private interface Opening {
        Client open(Proxy proxy) throws Exception;
    }

    private static List<String> records(Opening opening) throws Exception {
        Events events = new Events();
        try (CapturedLog log = CapturedLog.startWithAccess();
                Proxy proxy = Proxy.start(builder -> builder.listener(events));
                Client client = opening.open(proxy)) {
            assertThat(client.peer().readText(5)).isEqualTo("hello");
            client.peer().shutdownOutput().expectEnd();
            client.tunnel().join();
            events.untilClosed();
            await().until(() -> !log.lines("kind=").isEmpty());
            String line = log.lines("kind=").get(0);
            return List.of(
                    events.all().toString(),
                    line.substring(line.indexOf("kind="))
                            .replaceAll("client=[^ ]+", "client=C")
                            .replaceAll("ms=\\d+", "ms=N"),
                    proxy.handler().stats().bytesToOrigin() + " "
                            + proxy.handler().stats().bytesToClient());
        }
    }

    @Test
    void theRatesAndTimeoutsOfTheHandlerHold() throws Exception {
        try (Origin origin = Origin.echo();
                Proxy proxy = Proxy.start(builder -> builder.idleTimeout(Duration.ofMillis(100)));
                Pair pair = Kind.CHANNEL.come(proxy)) {
            Tunnel tunnel = HostServer.open(proxy, origin.target()).relay(pair.end());

            assertThat(tunnel.join().reason()).isEqualTo(CloseReason.IDLE);
            pair.client().expectReset();
        }
    }

    // ------------------------------------------------------------------ no tunnel

    @Test
    void closeFreesTheTarget() throws Exception {
        Events events = new Events();
        try (Origin origin = Origin.discard();
                Proxy proxy = Proxy.start(builder -> builder.listener(events));
                Pair pair = Kind.CHANNEL.come(proxy)) {
            ConnectResponse response = HostServer.open(proxy, origin.target());
            await().until(() -> origin.open() == 1);

            response.close();
            response.close();

            await().until(() -> origin.open() == 0);
            assertThat(events.untilClosed())
                    .contains("tunnel ended CONNECT " + origin.target() + " by null: CLOSED, 0 up, 0 down");
            assertThat(proxy.handler().stats().openTunnels()).isZero();
            assertThat(proxy.handler().stats().establishedTunnels()).isZero();

            Tunnel tunnel = response.relay(pair.end());

            Ends.assertEnded(tunnel.join(), CloseReason.CLOSED);
            pair.client().expectReset();
        }
    }

    @Test
    void aTunnelThatIsNeverRelayedEndsAfterTheHeadTimeout() throws Exception {
        try (Origin origin = Origin.discard();
                Proxy proxy = Proxy.start(builder -> builder.headTimeout(Duration.ofMillis(100)));
                Pair pair = Kind.FOREIGN.come(proxy)) {
            ConnectResponse response = HostServer.open(proxy, origin.target());

            await().until(() -> origin.accepted() == 1 && origin.open() == 0);
            await().until(() -> proxy.handler().stats().openConnections() == 0);

            Tunnel tunnel = response.relay(pair.end());
            Ends.assertEnded(tunnel.join(), CloseReason.IDLE);
            pair.client().expectReset();
        }
    }

    @Test
    void aTunnelIsRelayedOnce() throws Exception {
        try (Origin origin = Origin.echo();
                Proxy proxy = Proxy.start();
                Pair pair = Kind.CHANNEL.come(proxy);
                Pair other = Kind.CHANNEL.come(proxy)) {
            ConnectResponse response = HostServer.open(proxy, origin.target());
            response.relay(pair.end());

            assertThatThrownBy(() -> response.relay(other.end()))
                    .isInstanceOf(IllegalStateException.class)
                    .hasMessageContaining("before");
            response.close();

            other.client().send("still mine");
            assertThat(other.end().read(ByteBuffer.allocate(99))).isEqualTo(10);
            pair.client().send("relayed");
            assertThat(pair.client().readText(7)).isEqualTo("relayed");
        }
    }

    @Test
    void aConnectionThatHasPassedToAnotherOwnerIsMisuse() throws Exception {
        try (Origin origin = Origin.echo();
                Proxy proxy = Proxy.start();
                Pair given = Kind.CHANNEL.come(proxy);
                Pair away = Kind.CHANNEL.come(proxy);
                Pair pair = Kind.CHANNEL.come(proxy)) {
            Copier copier = proxy.broxy().copier();
            copier.relay(given.end(), away.end());
            ConnectResponse response = HostServer.open(proxy, origin.target());

            assertThatThrownBy(() -> response.relay(given.end())).isInstanceOf(IllegalStateException.class);

            response.relay(pair.end());
            pair.client().send("relayed");
            assertThat(pair.client().readText(7)).isEqualTo("relayed");
        }
    }

    @ParameterizedTest
    @EnumSource(Kind.class)
    void aClientThatIsClosedEndsTheTunnel(Kind kind) throws Exception {
        try (Origin origin = Origin.discard();
                Proxy proxy = Proxy.start();
                Pair pair = kind.come(proxy)) {
            ConnectResponse response = HostServer.open(proxy, origin.target());
            pair.end().close();

            TunnelResult result = response.relay(pair.end()).join();

            assertThat(result.reason()).isEqualTo(CloseReason.CLIENT_GONE);
            assertThat(result.cause()).isInstanceOf(IOException.class);
            await().until(() -> origin.open() == 0);
        }
    }

    @Test
    void aClientThatTakesThreadsCountsTowardsTheirLimit() throws Exception {
        try (Origin origin = Origin.echo();
                Proxy proxy = Proxy.start(builder -> builder.maxStreamClients(1));
                Pair first = Kind.SOCKET.come(proxy);
                Pair second = Kind.SOCKET.come(proxy);
                Pair third = Kind.SOCKET.come(proxy)) {
            Tunnel relayed = HostServer.open(proxy, origin.target()).relay(first.end());
            first.client().send("first");
            assertThat(first.client().readText(5)).isEqualTo("first"); // so that it has its threads

            Tunnel refused = HostServer.open(proxy, origin.target()).relay(second.end());

            Ends.assertRefused(refused.join(), RefusedException.Reason.LIMIT, 503);
            second.client().expectReset();
            assertThat(proxy.handler().stats().refused(RefusedException.Reason.LIMIT))
                    .isEqualTo(1);
            relayed.close();
            relayed.join();
            HostServer.open(proxy, origin.target()).relay(third.end());
            third.client().send("relayed");
            assertThat(third.client().readText(7)).isEqualTo("relayed");
        }
    }
}
