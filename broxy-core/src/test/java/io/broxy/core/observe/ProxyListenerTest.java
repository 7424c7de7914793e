package io.broxy.core.observe;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.broxy.AccessPolicy;
import io.broxy.Authenticator;
import io.broxy.Connection;
import io.broxy.ConnectionResult;
import io.broxy.Credentials;
import io.broxy.DialException;
import io.broxy.HostPort;
import io.broxy.ProxyListener;
import io.broxy.RefusedException;
import io.broxy.TunnelResult;
import io.broxy.core.testkit.Accepted;
import io.broxy.core.testkit.Events;
import io.broxy.core.testkit.HeldPort;
import io.broxy.core.testkit.LeakCheck;
import io.broxy.core.testkit.Origin;
import io.broxy.core.testkit.Peer;
import io.broxy.core.testkit.Proxy;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.channels.SocketChannel;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Specifies the events that a listener receives, and that it cannot disturb the proxy. */
@ExtendWith(LeakCheck.class)
class ProxyListenerTest {
    private static final Duration PATIENCE = Duration.ofMillis(Peer.PATIENCE_MILLIS);

    private final Events events = new Events();

    private static Origin pages() throws IOException {
        return Origin.start(peer -> {
            while (peer.readHead().startsWith("GET ")) {
                peer.send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi");
            }
        });
    }

    private static String get(HostPort target, String fields) {
        return "GET http://" + target + "/secret?path HTTP/1.1\r\nHost: x\r\n" + fields + "\r\n";
    }

    @Test
    void aTunnelIsReportedFromItsOpeningToItsClose() throws IOException {
        try (Origin origin = Origin.echo();
                Proxy proxy = Proxy.start(settings -> settings.listener(events))) {
            try (Peer client = proxy.connect(origin.target())) {
                client.send("12345").shutdownOutput();
                assertThat(client.readAll()).isEqualTo("12345");
            }

            String request = "CONNECT " + origin.target() + " by null";
            assertThat(events.untilClosed())
                    .containsExactly(
                            "opened",
                            "established " + request,
                            "tunnel ended " + request + ": FINISHED, 5 up, 5 down",
                            "closed: FINISHED, exchanges 0");
            assertThat(events.threads()).allSatisfy(name -> assertThat(name).startsWith("broxy-callback-"));
        }
    }

    @Test
    void eachExchangeIsReportedSeparately() throws IOException {
        HostPort nobody = HeldPort.refusing();
        try (Origin origin = pages();
                Proxy proxy = Proxy.start(settings -> settings.listener(events))) {
            try (Peer client = proxy.client()) {
                client.send(get(origin.target(), ""));
                assertThat(client.readHead()).startsWith("HTTP/1.1 200 ");
                assertThat(client.readText(2)).isEqualTo("hi");
                client.send(get(nobody, "Connection: close\r\n"));
                assertThat(client.readHead()).startsWith("HTTP/1.1 502 ");
            }

            assertThat(events.untilClosed())
                    .containsExactly(
                            "opened",
                            "exchange ended GET " + origin.target() + " by null: 200 FINISHED",
                            "dial failed GET " + nobody + " by null: REFUSED",
                            "exchange ended GET " + nobody + " by null: 502 DIAL_FAILED",
                            "closed: DIAL_FAILED, exchanges 2");
        }
    }

    @Test
    void aFailedDialIsReportedBeforeTheEndOfItsTunnel() throws IOException {
        HostPort nobody = HeldPort.refusing();
        try (Proxy proxy = Proxy.start(settings -> settings.listener(events))) {
            try (Peer client = proxy.client()) {
                client.send(Proxy.connectHead(nobody));
                assertThat(client.readHead()).startsWith("HTTP/1.1 502 ");
            }

            assertThat(events.untilClosed())
                    .containsExactly(
                            "opened",
                            "dial failed CONNECT " + nobody + " by null: REFUSED",
                            "tunnel ended CONNECT " + nobody + " by null: DIAL_FAILED, 0 up, 0 down",
                            "closed: DIAL_FAILED, exchanges 0");
            assertThat(proxy.handler().stats().dialFailures(DialException.Reason.REFUSED))
                    .isEqualTo(1);
            assertThat(proxy.handler().stats().dialFailures()).isEqualTo(1);
        }
    }

    @Test
    void aHeadThatBreaksTheProtocolIsRefusedWithoutATarget() throws IOException {
        try (Proxy proxy = Proxy.start(settings -> settings.listener(events))) {
            try (Peer client = proxy.client()) {
                client.send("CONNECT nonsense\r\n\r\n");
                assertThat(client.readHead()).startsWith("HTTP/1.1 400 ");
            }

            assertThat(events.untilClosed())
                    .containsExactly(
                            "opened", "refused null null by null: BAD_REQUEST", "closed: REFUSED, exchanges 0");
            assertThat(proxy.handler().stats().refused(RefusedException.Reason.BAD_REQUEST))
                    .isEqualTo(1);
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"CONNECT", "GET"})
    void aRequestThatTheAccessPolicyRefusesIsReportedOnce(String method) throws IOException {
        HostPort target = HostPort.of("somewhere.example", 80);
        try (Proxy proxy = Proxy.start(settings ->
                settings.listener(events).accessPolicy(AccessPolicy.any().negate()))) {
            try (Peer client = proxy.client()) {
                client.send(method.equals("GET") ? get(target, "") : Proxy.connectHead(target));
                assertThat(client.readHead()).startsWith("HTTP/1.1 403 ");
            }

            assertThat(events.untilClosed())
                    .containsExactly(
                            "opened",
                            "refused " + method + " " + target + " by null: ACCESS_DENIED",
                            "closed: REFUSED, exchanges 0");
        }
    }

    @Test
    void wrongCredentialsAreReportedAndRightOnesNameTheIdentity() throws IOException {
        try (Origin origin = Origin.echo();
                Proxy proxy = Proxy.start(settings -> settings.listener(events)
                        .authenticator(Authenticator.basic("here", Credentials.basic("alice", "right"))))) {
            try (Peer client = proxy.client()) {
                client.send(Proxy.connectHead(origin.target()));
                assertThat(client.readHead()).startsWith("HTTP/1.1 407 ");
                client.readText("407 the proxy needs valid credentials\n".length());
                client.send(authorized(origin.target(), Credentials.basic("alice", "wrong")));
                assertThat(client.readHead()).startsWith("HTTP/1.1 407 ");
                client.readText("407 the proxy needs valid credentials\n".length());
                client.send(authorized(origin.target(), Credentials.basic("alice", "right")));
                assertThat(client.readHead()).startsWith("HTTP/1.1 200 ");
                client.shutdownOutput().expectEnd();
            }

            String request = "CONNECT " + origin.target() + " by ";
            assertThat(events.untilClosed())
                    .containsExactly(
                            "opened",
                            "refused " + request + "null: AUTHENTICATION_REQUIRED",
                            "authentication failed " + request + "null",
                            "refused " + request + "null: AUTHENTICATION_REQUIRED",
                            "established " + request + "alice",
                            "tunnel ended " + request + "alice: FINISHED, 0 up, 0 down",
                            "closed: FINISHED, exchanges 0");
            assertThat(proxy.handler().stats().refused(RefusedException.Reason.AUTHENTICATION_REQUIRED))
                    .isEqualTo(2);
        }
    }

    private static String authorized(HostPort target, Credentials credentials) {
        return "CONNECT " + target + " HTTP/1.1\r\nHost: " + target + "\r\nProxy-Authorization: "
                + credentials.authorization() + "\r\n\r\n";
    }

    @Test
    void aClientBeyondTheCapIsRefused() throws IOException {
        try (Origin origin = Origin.echo();
                Proxy proxy = Proxy.start(settings -> settings.listener(events).maxConnections(1));
                Peer first = proxy.connect(origin.target())) {
            try (Peer second = proxy.client()) {
                assertThat(second.readHead()).startsWith("HTTP/1.1 503 ");
            }

            assertThat(events.untilClosed())
                    .contains("refused null null by null: LIMIT", "closed: REFUSED, exchanges 0");
            first.shutdownOutput().expectEnd();
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void aClientThatIsClosedWithoutAResponseHasAnAddressNonetheless(boolean channels) throws Exception {
        // No set: two clients may have one port, for their servers differ.
        List<InetSocketAddress> closed = new CopyOnWriteArrayList<>();
        ProxyListener listener = new ProxyListener() {
            @Override
            public void connectionClosed(Client client, ConnectionResult result) {
                closed.add(Objects.requireNonNull(client.address()));
            }
        };
        int many = 40; // more than receive a refusal
        Set<InetSocketAddress> clients = new HashSet<>();
        List<AutoCloseable> open = new ArrayList<>();
        try (Proxy proxy = Proxy.start(settings -> settings.listener(listener).maxConnectionsPerClient(1))) {
            for (int i = 0; i < many; i++) {
                Accepted<?> accepted = channels ? Accepted.channel() : Accepted.socket();
                open.add(accepted);
                clients.add((InetSocketAddress) accepted.client().socket().getLocalSocketAddress());
                if (accepted.end() instanceof SocketChannel channel) {
                    proxy.handler().handle(channel);
                } else if (accepted.end() instanceof Socket socket) {
                    proxy.handler().handle(socket);
                }
            }

            await().atMost(PATIENCE)
                    .until(() ->
                            closed.size() + proxy.handler().stats().openConnections() == many && closed.size() > 1);
            assertThat(clients).containsAll(closed);
        } finally {
            for (AutoCloseable client : open) {
                client.close();
            }
        }
    }

    @Test
    void aSwitchOfProtocolsBecomesATunnelAndNoExchange() throws IOException {
        CompletableFuture<String> request = new CompletableFuture<>();
        int answer;
        try (Origin origin = Origin.start(peer -> {
                    request.complete(peer.readHead());
                    peer.send("HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: echo\r\n\r\n");
                    peer.send(peer.readText(3));
                });
                Proxy proxy = Proxy.start(settings -> settings.listener(events))) {
            try (Peer client = proxy.client()) {
                client.send(get(origin.target(), "Connection: upgrade\r\nUpgrade: echo\r\n"));
                String head = client.readHead();
                assertThat(head).startsWith("HTTP/1.1 101 ");
                answer = head.length();
                assertThat(client.send("abc").readText(3)).isEqualTo("abc");
                client.shutdownOutput().expectEnd();
            }

            String told = "GET " + origin.target() + " by null";
            int up = request.join().length() + 3;
            assertThat(events.untilClosed())
                    .containsExactly(
                            "opened",
                            "established " + told,
                            "tunnel ended " + told + ": FINISHED, " + up + " up, " + (answer + 3) + " down",
                            "closed: FINISHED, exchanges 1");
        }
    }

    @Test
    void aClientThatLeavesWhileItsTargetIsDialedHasATunnelNonetheless() throws IOException {
        CountDownLatch dialing = new CountDownLatch(1);
        try (Proxy proxy = Proxy.start(settings -> settings.listener(events).dialer(request -> {
            dialing.countDown();
            return waitForever(request.target());
        }))) {
            Peer client = proxy.client().send(Proxy.connectHead(HostPort.of("somewhere.example", 443)));
            await().atMost(PATIENCE).until(() -> dialing.getCount() == 0);
            client.reset();

            assertThat(events.untilClosed())
                    .containsExactly(
                            "opened",
                            "tunnel ended CONNECT somewhere.example:443 by null: CLIENT_GONE, 0 up, 0 down",
                            "closed: CLIENT_GONE, exchanges 0");
        }
    }

    private static Connection waitForever(HostPort target) throws DialException {
        try {
            new CountDownLatch(1).await();
            throw new AssertionError("the latch is not counted down");
        } catch (InterruptedException e) {
            throw DialException.builder(DialException.Reason.CANCELLED, target).build();
        }
    }

    // ------------------------------------------------------------------ a listener of little use

    @Test
    void aListenerThatThrowsAffectsNoClientAndKeepsReceivingEvents() throws IOException {
        ProxyListener thrower = new ProxyListener() {
            @Override
            public void connectionOpened(Client client) {
                throw new IllegalStateException("thrown on purpose");
            }

            @Override
            public void tunnelEstablished(Request request) {
                throw new StackOverflowError("thrown on purpose");
            }

            @Override
            public void tunnelEnded(Request request, TunnelResult result) {
                events.tunnelEnded(request, result);
            }
        };
        try (Origin origin = Origin.echo();
                Proxy proxy = Proxy.start(settings -> settings.listener(thrower));
                Peer client = proxy.connect(origin.target())) {
            client.send("x").shutdownOutput();

            assertThat(client.readAll()).isEqualTo("x");
            await().atMost(PATIENCE)
                    .untilAsserted(() -> assertThat(events.all()).hasSize(1));
        }
    }

    @Test
    void aListenerThatBlocksDelaysNoClient() throws Exception {
        CountDownLatch release = new CountDownLatch(1);
        CompletableFuture<Void> blocked = new CompletableFuture<>();
        ProxyListener blocker = new ProxyListener() {
            @Override
            public void connectionOpened(Client client) {
                blocked.complete(null);
                try {
                    release.await();
                } catch (InterruptedException e) {
                    Thread.currentThread().interrupt();
                }
            }

            @Override
            public void tunnelEnded(Request request, TunnelResult result) {
                events.tunnelEnded(request, result);
            }
        };
        try (Origin origin = Origin.echo();
                Proxy proxy = Proxy.start(settings -> settings.listener(blocker))) {
            for (int i = 0; i < 5; i++) {
                try (Peer client = proxy.connect(origin.target())) {
                    client.send("x").shutdownOutput();
                    assertThat(client.readAll()).isEqualTo("x");
                }
            }
            blocked.join();
            assertThat(events.all()).isEmpty();
            release.countDown();

            await().atMost(PATIENCE)
                    .untilAsserted(() -> assertThat(events.all()).hasSize(5));
            assertThat(proxy.handler().stats().droppedEvents()).isZero();
        }
    }
}
