package io.broxy.core.internal.proxy;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.broxy.AccessRequest;
import io.broxy.Authenticator;
import io.broxy.CloseReason;
import io.broxy.ProxyHandler;
import io.broxy.RefusedException;
import io.broxy.Tunnel;
import io.broxy.core.testkit.Accepted;
import io.broxy.core.testkit.Ends;
import io.broxy.core.testkit.LeakCheck;
import io.broxy.core.testkit.Origin;
import io.broxy.core.testkit.Peer;
import io.broxy.core.testkit.SocksClient;
import io.broxy.core.testkit.SocksServer;
import java.io.IOException;
import java.nio.channels.SocketChannel;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Specifies how long a SOCKS client has for its request, with a manual clock. */
@ExtendWith(LeakCheck.class)
class SocksStepTest {
    private static final Duration HEAD_TIMEOUT = Duration.ofSeconds(10);

    private final CountDownLatch asked = new CountDownLatch(1);
    private final CountDownLatch decides = new CountDownLatch(1);

    /** Takes its time. */
    private final Authenticator slow = new Authenticator() {
        @Override
        public String authenticate(AccessRequest request, @Nullable String authorization) throws InterruptedException {
            asked.countDown();
            assertThat(decides.await(Peer.PATIENCE_MILLIS, TimeUnit.MILLISECONDS))
                    .isTrue();
            return "alice";
        }

        @Override
        public List<String> challenges() {
            return List.of("Basic realm=here");
        }
    };

    private ProxyRig rig;

    @BeforeEach
    void start() throws IOException {
        rig = new ProxyRig();
    }

    @AfterEach
    void stop() throws Exception {
        decides.countDown();
        rig.close();
    }

    private ProxyHandler handler() {
        return rig.handler(settings -> settings.socks(true).headTimeout(HEAD_TIMEOUT));
    }

    private ProxyHandler guarded() {
        return rig.handler(settings -> settings.socks(true)
                .headTimeout(HEAD_TIMEOUT)
                .authenticationTimeout(Duration.ofMinutes(1))
                .authenticator(slow));
    }

    private static void assertTimedOut(Tunnel tunnel) throws Exception {
        Ends.assertRefused(
                tunnel.completion().get(Peer.PATIENCE_MILLIS, TimeUnit.MILLISECONDS),
                RefusedException.Reason.HEAD_TIMEOUT,
                408);
    }

    @ParameterizedTest
    @CsvSource({
        "05, '', 05 ff",
        "05 02 00, '', 05 ff",
        "05 01 00, 05 00, 05 01 00 01 00 00 00 00 00 00",
        "05 01 00 05 01 00 03 05, 05 00, 05 01 00 01 00 00 00 00 00 00",
        "05 01 02 01 01, 05 02, 01 01",
        "04, '', 00 5b 00 00 00 00 00 00",
        "04 01 00 50 7f 00 00 01 6d, '', 00 5b 00 00 00 00 00 00",
    })
    void aClientThatStopsGetsTheAnswerItWaitsFor(String sent, String said, String last) throws Exception {
        try (Accepted<SocketChannel> accepted = Accepted.channel()) {
            Tunnel tunnel = handler().handleConnect(accepted.end());
            accepted.client().send(SocksServer.hex(sent));
            byte[] before = SocksServer.hex(said);
            assertThat(accepted.client().read(before.length)).isEqualTo(before);
            rig.turns(10); // in which the rest is read

            rig.pass(HEAD_TIMEOUT);

            byte[] expected = SocksServer.hex(last);
            assertThat(accepted.client().read(expected.length)).isEqualTo(expected);
            accepted.client().expectEnd();
            accepted.client().close();
            assertTimedOut(tunnel);
        }
    }

    @Test
    void aSilentClientGetsAResponseOfHttp() throws Exception {
        try (Accepted<SocketChannel> accepted = Accepted.channel()) {
            Tunnel tunnel = handler().handleConnect(accepted.end());
            rig.pass(HEAD_TIMEOUT);

            assertThat(accepted.client().readHead()).startsWith("HTTP/1.1 408 ");
            accepted.client().close();
            assertTimedOut(tunnel);
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void aByteASecondDoesNotKeepAConnectionAlive(boolean socks) throws Exception {
        byte[] sent =
                socks ? SocksServer.hex("04 01 00 50 7f 00 00 01 6d 65 6d 65") : "CONNECT some".getBytes(US_ASCII);
        try (Accepted<SocketChannel> accepted = Accepted.channel()) {
            Tunnel tunnel = handler().handleConnect(accepted.end());
            for (int i = 0; i < 10; i++) {
                accepted.client().send(new byte[] {sent[i]});
                rig.pass(Duration.ofSeconds(1));
            }

            assertThat(accepted.client().read(1)).isEqualTo(new byte[] {(byte) (socks ? 0 : 'H')});
            accepted.client().close();
            assertTimedOut(tunnel);
        }
    }

    @Test
    void theTimeOfTheAuthenticatorIsNotTheClients() throws Exception {
        try (Origin origin = Origin.echo();
                Accepted<SocketChannel> accepted = Accepted.channel()) {
            Tunnel tunnel = guarded().handleConnect(accepted.end());
            Peer client = accepted.client().send(SocksClient.greetingWithPassword());
            assertThat(client.read(2)).containsExactly(5, 2);
            rig.pass(Duration.ofSeconds(9));
            client.send(SocksClient.login("alice", "secret"));
            assertThat(asked.await(Peer.PATIENCE_MILLIS, TimeUnit.MILLISECONDS)).isTrue();
            rig.pass(Duration.ofSeconds(50));
            decides.countDown();
            assertThat(client.read(2)).containsExactly(1, 0);
            rig.pass(Duration.ofMillis(900));

            client.send(SocksClient.connect(origin.target()));

            assertThat(SocksClient.reply(client).code()).isZero();
            assertThat(client.send("hello").readText(5)).isEqualTo("hello");
            client.shutdownOutput().expectEnd();
            assertThat(tunnel.completion()
                            .get(Peer.PATIENCE_MILLIS, TimeUnit.MILLISECONDS)
                            .reason())
                    .isEqualTo(CloseReason.FINISHED);
        }
    }

    @Test
    void whatIsLeftOfTheClientsTimeIsAllItHasAfterTheLogin() throws Exception {
        try (Accepted<SocketChannel> accepted = Accepted.channel()) {
            Tunnel tunnel = guarded().handleConnect(accepted.end());
            Peer client = accepted.client().send(SocksClient.greetingWithPassword());
            assertThat(client.read(2)).containsExactly(5, 2);
            rig.pass(Duration.ofSeconds(9));
            client.send(SocksClient.login("alice", "secret"));
            assertThat(asked.await(Peer.PATIENCE_MILLIS, TimeUnit.MILLISECONDS)).isTrue();
            rig.pass(Duration.ofSeconds(5));
            decides.countDown();
            assertThat(client.read(2)).containsExactly(1, 0);

            rig.pass(Duration.ofSeconds(1));

            assertThat(SocksClient.reply(client).code()).isEqualTo(1);
            client.close();
            assertTimedOut(tunnel);
        }
    }

    @Test
    void anAuthenticatorThatIsLateRefuses() throws Exception {
        try (Accepted<SocketChannel> accepted = Accepted.channel()) {
            Tunnel tunnel = guarded().handleConnect(accepted.end());
            Peer client = accepted.client().send(SocksClient.greetingWithPassword());
            client.send(SocksClient.login("alice", "secret"));
            assertThat(client.read(2)).containsExactly(5, 2);
            assertThat(asked.await(Peer.PATIENCE_MILLIS, TimeUnit.MILLISECONDS)).isTrue();

            rig.pass(Duration.ofMinutes(1));

            assertThat(client.read(2)).containsExactly(1, 1);
            client.close();
            Ends.assertRefused(
                    tunnel.completion().get(Peer.PATIENCE_MILLIS, TimeUnit.MILLISECONDS),
                    RefusedException.Reason.AUTHENTICATION_FAILED,
                    503);
        }
    }

    @Test
    void aTunnelMayBeClosedWhileItsLoginIsChecked() throws Exception {
        ProxyHandler handler = guarded();
        try (Accepted<SocketChannel> accepted = Accepted.channel()) {
            Tunnel tunnel = handler.handleConnect(accepted.end());
            accepted.client().send(SocksClient.greetingWithPassword()).send(SocksClient.login("alice", "secret"));
            assertThat(accepted.client().read(2)).containsExactly(5, 2);
            assertThat(asked.await(Peer.PATIENCE_MILLIS, TimeUnit.MILLISECONDS)).isTrue();

            tunnel.close();

            accepted.client().expectReset();
            decides.countDown();
            await().until(() -> handler.stats().openConnections() == 0);
            assertThat(tunnel.completion()
                            .get(Peer.PATIENCE_MILLIS, TimeUnit.MILLISECONDS)
                            .reason())
                    .isEqualTo(CloseReason.CLOSED);
        }
    }
}
