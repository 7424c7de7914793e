package io.broxy.core.frontend;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.broxy.AccessPolicy;
import io.broxy.AccessRequest;
import io.broxy.AddressPolicy;
import io.broxy.CloseReason;
import io.broxy.Connection;
import io.broxy.DialException;
import io.broxy.DialRequest;
import io.broxy.Dialer;
import io.broxy.HostPort;
import io.broxy.ProxyHandler;
import io.broxy.RefusedException;
import io.broxy.core.testkit.Accepted;
import io.broxy.core.testkit.Background;
import io.broxy.core.testkit.BlackHole;
import io.broxy.core.testkit.Ends;
import io.broxy.core.testkit.Events;
import io.broxy.core.testkit.HeldPort;
import io.broxy.core.testkit.LeakCheck;
import io.broxy.core.testkit.Origin;
import io.broxy.core.testkit.Peer;
import io.broxy.core.testkit.Proxy;
import io.broxy.core.testkit.SocksClient;
import io.broxy.core.testkit.SocksServer;
import java.io.IOException;
import java.net.Socket;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.function.Consumer;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/** Specifies the replies to SOCKS clients that get no tunnel, and that these are counted and reported as those of HTTP are. */
@ExtendWith(LeakCheck.class)
class SocksRefusalsTest {
    private static final Duration PATIENCE = Duration.ofMillis(Peer.PATIENCE_MILLIS);
    private static final HostPort SOMEWHERE = HostPort.of("somewhere.example", 443);

    private final Events events = new Events();

    private Proxy proxy(Consumer<ProxyHandler.Builder> more) throws IOException {
        return Proxy.start(settings -> {
            settings.socks(true).listener(events);
            more.accept(settings);
        });
    }

    /** Asks, and expects a reply with this code and then the end. */
    private static void assertReply(Proxy proxy, HostPort target, int code) throws IOException {
        try (Peer client = proxy.client()) {
            SocksClient.Reply reply = SocksClient.ask(client, target);
            assertThat(reply.code()).isEqualTo(code);
            assertThat(reply.bound().getAddress().isAnyLocalAddress()).isTrue();
            assertThat(reply.bound().getPort()).isZero();
            client.expectEnd();
        }
    }

    private static void assertReply4(Proxy proxy, HostPort target, int code) throws IOException {
        try (Peer client = proxy.client().send(SocksClient.connect4(target))) {
            assertThat(SocksClient.reply4(client).code()).isEqualTo(code);
            client.expectEnd();
        }
    }

    private void assertRefused(Proxy proxy, RefusedException.Reason reason, String request) {
        assertThat(events.untilClosed())
                .containsExactly("opened", "refused " + request + ": " + reason, "closed: REFUSED, exchanges 0");
        assertThat(proxy.handler().stats().refused(reason)).isEqualTo(1);
    }

    // ------------------------------------------------------------------ requests

    @ParameterizedTest
    @CsvSource({"2, 7", "3, 7", "9, 7"})
    void commandsOtherThanConnectAreNotSupported(int command, int code) throws Exception {
        try (Proxy proxy = proxy(settings -> {})) {
            try (Peer client = proxy.client().send(SocksClient.greeting())) {
                assertThat(client.read(2)).containsExactly(5, 0);
                client.send(SocksClient.request(command, SOMEWHERE));
                assertThat(SocksClient.reply(client).code()).isEqualTo(code);
                client.expectEnd();
            }
            assertRefused(proxy, RefusedException.Reason.NOT_IMPLEMENTED, "null null by null");
        }
    }

    @ParameterizedTest
    @CsvSource({
        "05 00, 05 ff, BAD_REQUEST",
        "05 01 01, 05 ff, AUTHENTICATION_REQUIRED",
        "05 01 00 04, 05 00 05 01 00 01 00 00 00 00 00 00, BAD_REQUEST",
        "05 01 00 05 01 00 02, 05 00 05 08 00 01 00 00 00 00 00 00, BAD_TARGET",
        "05 01 00 05 01 00 01 7f 00 00 01 00 00, 05 00 05 01 00 01 00 00 00 00 00 00, BAD_TARGET",
        "05 01 02 05, 05 02 01 01, BAD_REQUEST",
        "04 02, 00 5b 00 00 00 00 00 00, NOT_IMPLEMENTED",
        "04 01 00 00 7f 00 00 01 00, 00 5b 00 00 00 00 00 00, BAD_TARGET",
    })
    void whatBreaksTheProtocolGetsTheAnswerThatTheClientWaitsFor(
            String sent, String answer, RefusedException.Reason reason) throws Exception {
        try (Proxy proxy = proxy(settings -> {})) {
            try (Peer client = proxy.client().send(SocksServer.hex(sent))) {
                byte[] expected = SocksServer.hex(answer);
                assertThat(client.read(expected.length)).isEqualTo(expected);
                client.expectEnd();
            }
            assertRefused(proxy, reason, "null null by null");
        }
    }

    @Test
    void theAccessPolicyHoldsForBothVersions() throws Exception {
        AccessPolicy nowhere = AccessRequest::hasTarget;
        try (Proxy proxy = proxy(settings -> settings.accessPolicy(request -> !nowhere.admits(request)))) {
            assertReply(proxy, SOMEWHERE, 2);
            assertRefused(proxy, RefusedException.Reason.ACCESS_DENIED, "CONNECT " + SOMEWHERE + " by null");
            assertReply4(proxy, SOMEWHERE, 91);
            await().atMost(PATIENCE).until(() -> proxy.handler().stats().refused() == 2);
        }
    }

    // ------------------------------------------------------------------ dials

    @Test
    void anAddressThatIsDeniedIsNotDialed() throws Exception {
        try (Origin origin = Origin.echo();
                Proxy proxy = proxy(settings -> settings.addressPolicy(AddressPolicy.publicOnly()))) {
            assertReply(proxy, origin.target(), 2);
            assertThat(events.untilClosed()).contains("dial failed CONNECT " + origin.target() + " by null: DENIED");
            assertThat(origin.accepted()).isZero();
        }
    }

    @Test
    void aTargetMayRefuseOrStaySilent() throws Exception {
        try (HeldPort held = HeldPort.open();
                BlackHole silent = BlackHole.open();
                Proxy proxy = proxy(settings -> settings.dialTimeout(Duration.ofMillis(200)))) {
            assertReply(proxy, held.target(), 5);
            assertReply4(proxy, held.target(), 91);
            assertReply(proxy, silent.target(), 6);
            await().atMost(PATIENCE).until(() -> proxy.handler().stats().openConnections() == 0);
            assertThat(proxy.handler().stats().dialFailures(DialException.Reason.REFUSED))
                    .isEqualTo(2);
            assertThat(proxy.handler().stats().dialFailures(DialException.Reason.TIMEOUT))
                    .isEqualTo(1);
        }
    }

    private record Failing(DialException.Reason reason) implements Dialer {
        @Override
        public Connection dial(DialRequest request) throws DialException {
            throw DialException.builder(reason, request.target()).build();
        }
    }

    @ParameterizedTest
    @EnumSource
    void everyFailureOfADialHasItsReply(DialException.Reason reason) throws Exception {
        int code = switch (reason) {
            case DENIED -> 2;
            case UNREACHABLE -> 3;
            case RESOLVE -> 4;
            case REFUSED -> 5;
            case TIMEOUT -> 6;
            case PROXY_REFUSED, PROXY_AUTH, PROTOCOL, POOL_EXHAUSTED, LOCAL, CANCELLED -> 1;
        };
        try (Proxy proxy = proxy(settings -> settings.dialer(new Failing(reason)))) {
            assertReply(proxy, SOMEWHERE, code);
            String request = "CONNECT " + SOMEWHERE + " by null";
            assertThat(events.untilClosed())
                    .containsExactly(
                            "opened",
                            "dial failed " + request + ": " + reason,
                            "tunnel ended " + request + ": DIAL_FAILED, 0 up, 0 down",
                            "closed: DIAL_FAILED, exchanges 0");
        }
    }

    @Test
    void aDialerThatBreaksItsContractIsAGeneralFailure() throws Exception {
        Dialer broken = request -> {
            throw new IllegalStateException("a fault of the dialer");
        };
        try (Proxy proxy = proxy(settings -> settings.dialer(broken))) {
            assertReply(proxy, SOMEWHERE, 1);
            assertThat(events.untilClosed()).endsWith("closed: FAILED, exchanges 0");
        }
    }

    // ------------------------------------------------------------------ limits and ends

    @Test
    void pastTheLimitOfConnectionsClientsAreRefusedInTheirProtocol() throws Exception {
        try (Origin origin = Origin.echo();
                Proxy proxy = proxy(settings -> settings.maxConnections(1).headTimeout(Duration.ofSeconds(1)));
                Peer first = SocksClient.open(proxy.client(), origin.target())) {
            assertReply(proxy, origin.target(), 1);
            assertReply4(proxy, origin.target(), 91);
            try (Peer client = proxy.client().send(SocksClient.greetingWithPassword())) {
                assertThat(client.read(2)).containsExactly(5, 2);
                assertThat(client.send(SocksClient.login("u", "p")).read(2)).containsExactly(1, 0);
                client.send(SocksClient.connect(origin.target()));
                assertThat(SocksClient.reply(client).code()).isEqualTo(1);
            }
            try (Peer client = proxy.client().send(Proxy.connectHead(origin.target()))) {
                assertThat(client.readHead()).startsWith("HTTP/1.1 503 ");
            }
            try (Peer silent = proxy.client()) {
                assertThat(silent.readHead()).startsWith("HTTP/1.1 503 ");
            }
            try (Peer slow = proxy.client().send(SocksClient.greeting())) {
                assertThat(slow.read(2)).containsExactly(5, 0);
                assertThat(SocksClient.reply(slow).code()).isEqualTo(1);
            }
            assertThat(first.send("still").readText(5)).isEqualTo("still");
            await().atMost(PATIENCE).until(() -> proxy.handler().stats().openConnections() == 1);
            assertThat(proxy.handler().stats().refused(RefusedException.Reason.LIMIT))
                    .isEqualTo(6);
            assertThat(origin.accepted()).isEqualTo(1);
        }
    }

    /** The places of clients that are refused are few, and a client that says nothing keeps others from an answer. */
    @Test
    @Tag("slow")
    void aSilentClientPastTheLimitIsRefusedLongBeforeTheHeadTimeout() throws Exception {
        try (Origin origin = Origin.echo();
                Proxy proxy = proxy(settings -> settings.maxConnections(1).headTimeout(Duration.ofMinutes(5)));
                Peer first = SocksClient.open(proxy.client(), origin.target());
                Peer silent = proxy.client();
                Peer slow = proxy.client().send(SocksClient.greeting())) {
            assertThat(slow.read(2)).containsExactly(5, 0);
            assertThat(SocksClient.reply(slow).code()).isEqualTo(1);
            assertThat(silent.readHead()).startsWith("HTTP/1.1 503 ");
            assertThat(first.send("still").readText(5)).isEqualTo("still");
        }
    }

    @Test
    void soAreThoseOfOneAddress() throws Exception {
        try (Origin origin = Origin.echo();
                Proxy proxy = proxy(settings -> settings.maxConnectionsPerClient(1));
                Peer first = SocksClient.open(proxy.client(), origin.target())) {
            assertReply(proxy, origin.target(), 1);
            assertThat(first.send("still").readText(5)).isEqualTo("still");
            assertThat(origin.accepted()).isEqualTo(1);
        }
    }

    @Test
    void soAreThoseWithoutAChannel() throws Exception {
        try (Origin origin = Origin.echo();
                Proxy proxy = proxy(settings -> settings.maxStreamClients(1));
                Accepted<Socket> first = Accepted.socket();
                Accepted<Socket> second = Accepted.socket()) {
            proxy.handler().handleConnect(first.end());
            SocksClient.open(first.client(), origin.target());
            var refused = proxy.handler().handleConnect(second.end());

            assertThat(SocksClient.ask(second.client(), origin.target()).code()).isEqualTo(1);
            second.client().close();
            Ends.assertRefused(refused.join(), RefusedException.Reason.LIMIT, 503);
        }
    }

    @Test
    void aDrainingHandlerRefusesTunnels() throws Exception {
        try (Origin origin = Origin.echo();
                Proxy proxy = proxy(settings -> {});
                Peer running = SocksClient.open(proxy.client(), origin.target())) {
            CompletableFuture<?> drain = Background.run(() -> proxy.handler().drain(PATIENCE));
            await().atMost(PATIENCE).until(() -> {
                try (Peer client = proxy.client()) {
                    return SocksClient.ask(client, origin.target()).code() == 1;
                }
            });
            await().atMost(PATIENCE)
                    .until(() -> proxy.handler().stats().refused(RefusedException.Reason.DRAINING) == 1);
            assertThat(running.send("still").readText(5)).isEqualTo("still");
            running.shutdownOutput().expectEnd();
            drain.join();
        }
    }

    @Test
    void aClosedHandlerResetsClients() throws Exception {
        try (Proxy proxy = proxy(settings -> {});
                Peer client = proxy.client().send(SocksClient.greeting())) {
            assertThat(client.read(2)).containsExactly(5, 0);
            proxy.handler().close();
            assertThatThrownBy(() -> client.read(1)).isInstanceOf(IOException.class);
            assertThat(events.untilClosed()).endsWith("closed: " + CloseReason.CLOSED + ", exchanges 0");
        }
    }
}
