package io.broxy.core.internal.proxy;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.broxy.Authenticator;
import io.broxy.ConnectRequest;
import io.broxy.Credentials;
import io.broxy.ProxyHandler;
import io.broxy.Tunnel;
import io.broxy.core.testkit.Accepted;
import io.broxy.core.testkit.Background;
import io.broxy.core.testkit.LeakCheck;
import io.broxy.core.testkit.Origin;
import io.broxy.core.testkit.Peer;
import java.io.IOException;
import java.nio.channels.SocketChannel;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/**
 * Specifies that a user has one rate for all of its connections, CONNECT and plain HTTP, which it shares with no other
 * user. Real sockets, with a manual clock.
 */
@ExtendWith(LeakCheck.class)
class UserRatesTest {
    private static final Duration PATIENCE = Duration.ofMillis(Peer.PATIENCE_MILLIS);
    private static final int RATE = 20_000;
    private static final int QUANTUM = RATE / 20;
    private static final Duration STEP = Duration.ofMillis(25);
    private static final int DOWNLOAD = 8 << 20;

    private final List<AutoCloseable> open = new ArrayList<>();
    private ProxyRig rig;
    private Origin endless;

    @BeforeEach
    void start() throws IOException {
        rig = new ProxyRig();
        endless = Origin.start(peer -> {
            while (true) {
                int bytes = peer.readHead().contains(" /small ") ? 10 : DOWNLOAD;
                peer.send("HTTP/1.1 200 OK\r\nContent-Length: " + bytes + "\r\n\r\n")
                        .send(new byte[bytes]);
            }
        });
    }

    @AfterEach
    void stop() throws Exception {
        for (AutoCloseable client : open) {
            client.close();
        }
        rig.close();
        endless.close();
    }

    private ProxyHandler handler(Consumer<ProxyHandler.Builder> settings) {
        return rig.handler(builder -> {
            builder.authenticator(
                    Authenticator.basic("test", Credentials.basic("alice", "a"), Credentials.basic("bob", "b")));
            settings.accept(builder);
        });
    }

    private static String authorization(String user) {
        String credentials = Base64.getEncoder().encodeToString((user + ":" + user.charAt(0)).getBytes(ISO_8859_1));
        return "Proxy-Authorization: Basic " + credentials + "\r\n";
    }

    private String get(String user, String path) {
        return "GET http://" + endless.target() + path + " HTTP/1.1\r\nHost: " + endless.target() + "\r\n"
                + authorization(user) + "\r\n";
    }

    /** A client that reads on and on, and counts. */
    private static final class Reader {
        final Peer peer;
        final Tunnel tunnel;
        private final AtomicLong read = new AtomicLong();

        Reader(Peer peer, Tunnel tunnel) {
            this.peer = peer;
            this.tunnel = tunnel;
        }

        Reader readOn() {
            Background.run(() -> {
                        byte[] buffer = new byte[64 << 10];
                        for (int count; (count = peer.socket().getInputStream().read(buffer)) > 0; ) {
                            read.addAndGet(count);
                        }
                    })
                    .exceptionally(closed -> null);
            return this;
        }

        long bytes() {
            return read.get();
        }
    }

    private Peer client(Consumer<SocketChannel> handOver) throws IOException {
        Accepted<SocketChannel> accepted = Accepted.channel();
        open.add(accepted.client());
        handOver.accept(accepted.end());
        return accepted.client();
    }

    /** A tunnel over which its origin sends on and on. */
    private Reader download(ProxyHandler handler, String user) throws IOException {
        List<Tunnel> tunnels = new ArrayList<>();
        Peer client = client(end -> tunnels.add(handler.handleConnect(end)));
        client.send("CONNECT " + endless.target() + " HTTP/1.1\r\nHost: " + endless.target() + "\r\n"
                + authorization(user) + "\r\n");
        assertThat(client.readHead()).startsWith("HTTP/1.1 200 ");
        client.send("GET / HTTP/1.1\r\n\r\n");
        return new Reader(client, tunnels.get(0)).readOn();
    }

    /** Lets the time pass in steps, slowly enough for the threads of the test at the other ends of the sockets. */
    private void passUntil(BooleanSupplier condition) {
        await().atMost(PATIENCE)
                .pollDelay(Duration.ZERO)
                .pollInterval(Duration.ofMillis(3))
                .until(() -> {
                    rig.pass(STEP);
                    rig.turns(6);
                    return condition.getAsBoolean();
                });
    }

    private void pass(Duration time) {
        AtomicLong steps = new AtomicLong(time.toNanos() / STEP.toNanos());
        passUntil(() -> steps.decrementAndGet() == 0);
    }

    /** More than the head that a download begins with, so that its body flows. */
    private static boolean flows(long bytes) {
        return bytes >= 4 * QUANTUM;
    }

    private static long sum(List<Reader> readers) {
        return readers.stream()
                .mapToLong(reader -> reader.tunnel.bytesToClient())
                .sum();
    }

    @Test
    void theTunnelsOfOneUserShareOneRateEvenly() throws Exception {
        ProxyHandler handler = handler(settings -> settings.rateLimitPerIdentity(RATE));
        List<Reader> alice = new ArrayList<>();
        for (int i = 0; i < 4; i++) {
            alice.add(download(handler, "alice"));
        }
        passUntil(() -> alice.stream().allMatch(reader -> flows(reader.tunnel.bytesToClient())));

        List<Long> before =
                alice.stream().map(reader -> reader.tunnel.bytesToClient()).toList();
        pass(Duration.ofSeconds(4));

        long moved = sum(alice) - before.stream().mapToLong(Long::longValue).sum();
        assertThat(moved).isBetween(4L * RATE - 4 * QUANTUM, 4L * RATE + 4 * QUANTUM);
        for (int i = 0; i < alice.size(); i++) {
            assertThat(alice.get(i).tunnel.bytesToClient() - before.get(i)).isBetween(moved / 8, moved / 2);
        }
    }

    @Test
    void plainHttpCountsWithTheTunnelsOfItsUserAndNotWithThoseOfAnother() throws Exception {
        ProxyHandler handler = handler(settings -> settings.rateLimitPerIdentity(RATE));
        Reader tunnel = download(handler, "alice");
        Peer peer = client(handler::handle).send(get("alice", "/"));
        Reader exchange = new Reader(peer, tunnel.tunnel).readOn();
        passUntil(() -> flows(tunnel.tunnel.bytesToClient()) && flows(exchange.bytes()));

        long before = tunnel.tunnel.bytesToClient() + exchange.bytes();
        pass(Duration.ofSeconds(3));
        long both = tunnel.tunnel.bytesToClient() + exchange.bytes() - before;
        assertThat(both).isBetween(RATE * 3L / 2, 3L * RATE + 4 * QUANTUM);

        Reader bob = download(handler, "bob");
        passUntil(() -> flows(bob.tunnel.bytesToClient()));
        long bobBefore = bob.tunnel.bytesToClient();
        pass(Duration.ofSeconds(2));
        assertThat(bob.tunnel.bytesToClient() - bobBefore).isGreaterThanOrEqualTo(2L * RATE - 2 * QUANTUM);
    }

    @Test
    void requestsWithoutAnIdentityAreNotLimited() throws Exception {
        ProxyHandler handler = rig.handler(settings -> settings.rateLimitPerIdentity(RATE));
        List<Tunnel> tunnels = new ArrayList<>();
        Peer client = client(end -> tunnels.add(handler.handleConnect(end, ConnectRequest.to(endless.target()))));
        client.readHead();
        new Reader(client.send("GET / HTTP/1.1\r\n\r\n"), tunnels.get(0)).readOn();

        await().atMost(PATIENCE)
                .untilAsserted(() -> assertThat(tunnels.get(0).bytesToClient()).isGreaterThanOrEqualTo(DOWNLOAD));
    }

    @Test
    void theIdentityThatTheHostServerNamesCounts() throws Exception {
        ProxyHandler handler = rig.handler(settings -> settings.rateLimitPerIdentity(RATE));
        List<Reader> carol = new ArrayList<>();
        for (int i = 0; i < 2; i++) {
            List<Tunnel> tunnels = new ArrayList<>();
            Peer client = client(end -> tunnels.add(handler.handleConnect(
                    end,
                    ConnectRequest.builder(endless.target())
                            .authenticated("carol")
                            .build())));
            client.readHead();
            carol.add(new Reader(client.send("GET / HTTP/1.1\r\n\r\n"), tunnels.get(0)).readOn());
        }
        passUntil(() -> carol.stream().allMatch(reader -> flows(reader.tunnel.bytesToClient())));

        long before = sum(carol);
        pass(Duration.ofSeconds(2));

        assertThat(sum(carol) - before).isBetween(2L * RATE - 2 * QUANTUM, 2L * RATE + 2 * QUANTUM);
    }

    @Test
    void onOneConnectionEachRequestCountsForItsOwnUser() throws Exception {
        ProxyHandler handler = handler(settings -> settings.rateLimitPerIdentity(RATE));
        Reader alice = download(handler, "alice");
        passUntil(() -> flows(alice.tunnel.bytesToClient()));
        Peer both = client(handler::handle).send(get("alice", "/small"));
        passUntil(() -> available(both) > 0);
        both.readHead();
        both.read(10);

        both.send(get("bob", "/"));
        Reader bob = new Reader(both, alice.tunnel).readOn();
        passUntil(() -> flows(bob.bytes()));
        long aliceBefore = alice.tunnel.bytesToClient();
        long bobBefore = bob.bytes();
        pass(Duration.ofSeconds(3));

        assertThat(alice.tunnel.bytesToClient() - aliceBefore)
                .isBetween(3L * RATE - 2 * QUANTUM, 3L * RATE + 2 * QUANTUM);
        await().atMost(PATIENCE).until(() -> bob.bytes() - bobBefore >= 2L * RATE);
        assertThat(bob.bytes() - bobBefore).isLessThanOrEqualTo(3L * RATE + 4 * QUANTUM);
    }

    private static int available(Peer peer) {
        try {
            return peer.socket().getInputStream().available();
        } catch (IOException e) {
            throw new AssertionError(e);
        }
    }

    @Test
    void theSmallestOfTheRatesDecides() throws Exception {
        ProxyHandler handler = handler(settings -> settings.rateLimitPerIdentity(4 * RATE)
                .rateLimitPerClient(2 * RATE)
                .rateLimit(RATE));
        Reader one = download(handler, "alice");
        Reader other = download(handler, "alice");
        Reader third = download(handler, "alice");
        List<Reader> all = List.of(one, other, third);
        passUntil(() -> all.stream().allMatch(reader -> flows(reader.tunnel.bytesToClient())));

        long before = sum(all);
        pass(Duration.ofSeconds(2));
        assertThat(sum(all) - before).as("a client's rate").isBetween(3L * RATE, 4L * RATE + 6 * QUANTUM);
        other.tunnel.close();
        third.tunnel.close();
        other.tunnel.join();
        third.tunnel.join();
        long alone = one.tunnel.bytesToClient();
        pass(Duration.ofSeconds(2));
        assertThat(one.tunnel.bytesToClient() - alone)
                .as("a connection's rate, and what it left of the last second")
                .isBetween(2L * RATE - 2 * QUANTUM, 3L * RATE + 2 * QUANTUM);
    }

    @Test
    void aRateBelowOneIsRefused() {
        assertThatThrownBy(() -> rig.handler(settings -> settings.rateLimitPerIdentity(0)))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("the rate of an identity must be at least 1, not 0");
    }
}
