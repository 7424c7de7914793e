package io.broxy.core.internal.proxy;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.broxy.CloseReason;
import io.broxy.ConnectRequest;
import io.broxy.ConnectionResult;
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
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.BooleanSupplier;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Specifies that forwarded requests with a vanished peer use up no rate and end soon, over real sockets with a manual clock.
 */
@ExtendWith(LeakCheck.class)
class ExchangeRatesTest {
    private static final Duration PATIENCE = Duration.ofMillis(Peer.PATIENCE_MILLIS);
    private static final Duration STEP = Duration.ofMillis(25);
    private static final int RATE = 2_000;
    private static final int QUANTUM = RATE / 20;
    private static final int BODY = 4 << 20;

    private final List<AutoCloseable> open = new ArrayList<>();
    private ProxyRig rig;
    private ProxyHandler handler;

    @BeforeEach
    void start() throws IOException {
        rig = new ProxyRig();
        handler = rig.handler(settings -> settings.rateLimitPerClient(RATE));
    }

    @AfterEach
    void stop() throws Exception {
        for (AutoCloseable client : open) {
            client.close();
        }
        rig.close();
    }

    private record Client(Peer peer, CompletableFuture<ConnectionResult> result) {}

    private Client client() throws IOException {
        Accepted<SocketChannel> accepted = Accepted.channel();
        open.add(accepted.client());
        return new Client(accepted.client(), handler.handle(accepted.end()).completion());
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

    /** The next one of the same client has the whole rate at once. */
    private void assertNothingIsOwed() throws Exception {
        try (Origin origin = Origin.start(peer -> peer.send(new byte[BODY]))) {
            Accepted<SocketChannel> accepted = Accepted.channel();
            open.add(accepted.client());
            Tunnel tunnel = handler.handleConnect(accepted.end(), ConnectRequest.to(origin.target()));
            passUntil(() -> tunnel.bytesToClient() >= 4 * QUANTUM);

            long before = tunnel.bytesToClient();
            pass(Duration.ofSeconds(2));
            assertThat(tunnel.bytesToClient() - before).isGreaterThanOrEqualTo(2L * RATE - 2 * QUANTUM);
            tunnel.close();
            tunnel.join();
        }
    }

    private static String get(Origin origin) {
        return "GET http://" + origin.target() + "/ HTTP/1.1\r\nHost: " + origin.target() + "\r\n\r\n";
    }

    private static Origin downloads() throws IOException {
        return Origin.start(peer -> {
            peer.readHead();
            peer.send("HTTP/1.1 200 OK\r\nContent-Length: " + BODY + "\r\n\r\n").send(new byte[BODY]);
        });
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void aDownloadThatIsCancelledEndsSoonAndOwesNothing(boolean orderly) throws Exception {
        try (Origin origin = downloads()) {
            Client client = client();
            client.peer().send(get(origin) + (orderly ? "" : get(origin))); // the second waits, and hides a reset
            passUntil(() -> available(client.peer()) > 0);
            client.peer().readHead();

            if (orderly) {
                client.peer().close();
            } else {
                client.peer().reset();
            }
            passUntil(client.result()::isDone);

            assertThat(client.result().join().reason()).isEqualTo(CloseReason.CLIENT_GONE);
            assertNothingIsOwed();
        }
    }

    @Test
    void aResetIsNoticedThoughTheRequestsBodyWaitsForItsTurn() throws Exception {
        CountDownLatch cut = new CountDownLatch(1);
        try (Origin origin = Origin.start(peer -> {
            peer.readHead();
            try {
                peer.readAll();
            } finally {
                cut.countDown();
            }
        })) {
            Client client = client();
            client.peer()
                    .send("POST http://" + origin.target() + "/ HTTP/1.1\r\nHost: " + origin.target()
                            + "\r\nContent-Length: " + BODY + "\r\n\r\n")
                    .send(new byte[100 * RATE]);
            passUntil(() -> origin.accepted() == 1);
            AtomicLong steps = new AtomicLong();

            client.peer().reset();
            passUntil(() -> {
                steps.incrementAndGet();
                return client.result().isDone();
            });

            assertThat(STEP.multipliedBy(steps.get())).as("100 s at the rate").isLessThan(Duration.ofSeconds(50));
            assertThat(client.result().join().reason()).isEqualTo(CloseReason.CLIENT_GONE);
            assertThat(cut.await(Peer.PATIENCE_MILLIS, java.util.concurrent.TimeUnit.MILLISECONDS))
                    .isTrue();
            assertNothingIsOwed();
        }
    }

    @Test
    void aBodyAfterAnEarlyAnswerIsDiscardedAtNoRate() throws Exception {
        try (Origin origin = Origin.start(peer -> {
            peer.readHead();
            peer.send("HTTP/1.1 413 Content Too Large\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
        })) {
            Client client = client();
            client.peer()
                    .send("POST http://" + origin.target() + "/ HTTP/1.1\r\nHost: " + origin.target()
                            + "\r\nContent-Length: " + BODY + "\r\n\r\n");
            Background.run(() -> client.peer().send(new byte[BODY])).exceptionally(reset -> null);
            passUntil(() -> available(client.peer()) > 0);

            assertThat(client.peer().readHead()).startsWith("HTTP/1.1 413 ");
            passUntil(client.result()::isDone);
            assertNothingIsOwed();
        }
    }

    private static int available(Peer peer) {
        try {
            return peer.socket().getInputStream().available();
        } catch (IOException e) {
            throw new AssertionError(e);
        }
    }
}
