package io.broxy.core.dialing;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.broxy.AddressPolicy;
import io.broxy.Connection;
import io.broxy.DialException;
import io.broxy.DialRequest;
import io.broxy.DirectDialer;
import io.broxy.HostPort;
import io.broxy.LookUpStats;
import io.broxy.ProxyHandler;
import io.broxy.Resolver;
import io.broxy.core.Broxy;
import io.broxy.core.EngineTask;
import io.broxy.core.ProxyServer;
import io.broxy.core.testkit.LeakCheck;
import io.broxy.core.testkit.Origin;
import io.broxy.core.testkit.Peer;
import io.broxy.core.testkit.Proxy;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.UnknownHostException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Specifies that look-ups that hang delay no client but their own. */
@ExtendWith(LeakCheck.class)
class HangingLookUpsTest {
    private static final Duration PATIENCE = Duration.ofMillis(Peer.PATIENCE_MILLIS);
    private static final InetSocketAddress ANY_PORT = new InetSocketAddress(InetAddress.getLoopbackAddress(), 0);
    private static final int MANY = 300;
    /** More than one client's share on platform threads. */
    private static final int GONE = 40;

    private final CountDownLatch released = new CountDownLatch(1);
    private final AtomicInteger interrupted = new AtomicInteger();
    private final AtomicInteger hanging = new AtomicInteger();
    private final List<Peer> peers = new ArrayList<>();

    @AfterEach
    void release() throws IOException {
        released.countDown();
        for (Peer peer : peers) {
            peer.close();
        }
    }

    /** Hangs with some names, and leaves an interrupt aside where it is stubborn, as the JDK's does. */
    private Resolver resolver(boolean stubborn) {
        return host -> {
            if (host.endsWith("tarpit.example")) {
                hang(stubborn);
                throw new UnknownHostException(host);
            }
            return List.of(InetAddress.getLoopbackAddress());
        };
    }

    private void hang(boolean stubborn) {
        hanging.incrementAndGet();
        try {
            boolean again;
            do {
                again = false;
                try {
                    released.await();
                } catch (InterruptedException e) {
                    interrupted.incrementAndGet();
                    again = stubborn;
                }
            } while (again);
        } finally {
            hanging.decrementAndGet();
        }
    }

    private ProxyServer proxy(Broxy broxy, Resolver resolver, Duration dialTimeout) throws IOException {
        ProxyHandler handler = broxy.proxyHandler()
                .dialer(broxy.directDialer().resolver(resolver).build())
                .addressPolicy(AddressPolicy.any())
                .dialTimeout(dialTimeout)
                .build();
        return broxy.listen(ANY_PORT, handler);
    }

    private Peer client(ProxyServer server, String from) throws IOException {
        Socket socket = new Socket();
        socket.bind(new InetSocketAddress(from, 0));
        socket.connect(server.localAddress());
        Peer peer = new Peer(socket);
        peers.add(peer);
        return peer;
    }

    private static String get(String host, int port) {
        return "GET http://" + host + ":" + port + "/ HTTP/1.1\r\nHost: " + host + ":" + port + "\r\n\r\n";
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void aClientThatAsksForManyKeepsOnlyItselfWaiting(boolean plainHttp) throws Exception {
        try (Origin origin = Origin.greeting("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi");
                Broxy broxy = Broxy.builder().eventLoops(2).build()) {
            ProxyServer server = proxy(broxy, resolver(false), Duration.ofMinutes(1));
            for (int i = 0; i < MANY; i++) {
                String host = "n" + i + ".tarpit.example";
                client(server, "127.0.0.2").send(plainHttp ? get(host, 80) : Proxy.connectHead(HostPort.of(host, 443)));
            }
            await().atMost(PATIENCE)
                    .until(() -> broxy.lookUps().running() + broxy.lookUps().waiting() == MANY);
            assertThat(broxy.lookUps().running()).isGreaterThan(8).isLessThanOrEqualTo(48);

            Peer other = client(server, "127.0.0.3");
            if (plainHttp) {
                assertThat(other.send(get("good.example", origin.port())).readHead())
                        .startsWith("HTTP/1.1 200");
            } else {
                assertThat(other.send(Proxy.connectHead(HostPort.of("good.example", origin.port())))
                                .readHead())
                        .startsWith("HTTP/1.1 200");
            }
            try (Connection own = broxy.directDialer()
                    .resolver(resolver(false))
                    .build()
                    .dial(HostPort.of("good.example", origin.port()))) {
                assertThat(own.isOpen()).as("a dial without a client").isTrue();
            }
        }
    }

    @Test
    @Tag("slow")
    void aDialThatRunsOutOfTimeSaysHowLongItWaitedForWhat() throws Exception {
        try (Broxy broxy =
                Broxy.builder().eventLoops(1).threads(EngineTask.LOOK_UP, 1).build()) {
            DirectDialer dialer = broxy.directDialer().resolver(resolver(true)).build();
            CompletableFuture<Connection> first =
                    dialer.dialAsync(DialRequest.to(HostPort.parse("a.tarpit.example:1")), Runnable::run);
            await().atMost(PATIENCE).until(() -> hanging.get() == 1);

            for (boolean blocking : new boolean[] {true, false}) {
                DialException failure = failure(dialer, "b.tarpit.example", blocking);

                assertThat(failure.reason()).isEqualTo(DialException.Reason.TIMEOUT);
                assertThat(failure)
                        .hasMessageMatching(".*queued \\d+\\.\\d s for a look-up thread, and not started"
                                + " \\(1 look-ups are running, 1 wait\\).*");
            }
            first.cancel(false);
            DialException looked = failure(dialer, "c.tarpit.example", true);
            assertThat(looked)
                    .hasMessageMatching(
                            ".*queued \\d+\\.\\d s for a look-up thread, then looked up for \\d+\\.\\d s.*");
        }
    }

    private static DialException failure(DirectDialer dialer, String host, boolean blocking) {
        DialRequest request = DialRequest.builder(HostPort.of(host, 1))
                .timeout(Duration.ofMillis(100))
                .build();
        try {
            (blocking
                            ? dialer.dial(request)
                            : dialer.dialAsync(request, Runnable::run).join())
                    .close();
            throw new AssertionError("connected");
        } catch (DialException e) {
            return e;
        } catch (IOException e) {
            throw new AssertionError(e);
        } catch (CompletionException e) {
            return (DialException) Objects.requireNonNull(e.getCause());
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void lookUpsThatNothingWaitsForDelayNoOthers(boolean stubborn) throws Exception {
        try (Origin origin = Origin.echo();
                Broxy broxy = Broxy.builder()
                        .eventLoops(1)
                        .threads(EngineTask.LOOK_UP, 4)
                        .build()) {
            ProxyServer server = proxy(broxy, resolver(stubborn), Duration.ofMinutes(1));
            DirectDialer dialer =
                    broxy.directDialer().resolver(resolver(stubborn)).build();
            List<CompletableFuture<Connection>> dials = new ArrayList<>();
            for (int i = 0; i < 4; i++) {
                dials.add(dialer.dialAsync(DialRequest.to(HostPort.of(i + ".tarpit.example", 1)), Runnable::run));
            }
            await().atMost(PATIENCE).until(() -> broxy.lookUps().running() == 4);
            Peer client =
                    client(server, "127.0.0.2").send(Proxy.connectHead(HostPort.of("good.example", origin.port())));
            await().atMost(PATIENCE)
                    .until(() ->
                            broxy.lookUps().running() == 4 && broxy.lookUps().waiting() == 1);

            dials.forEach(dial -> dial.cancel(false));

            assertThat(client.readHead()).startsWith("HTTP/1.1 200");
            await().atMost(PATIENCE).until(() -> interrupted.get() == 4);
            LookUpStats now = broxy.lookUps();
            assertThat(now.running()).isZero();
            assertThat(now.waiting()).isZero();
            if (stubborn) {
                assertThat(now.abandoned()).isEqualTo(4);
                assertThat(now.threads()).isEqualTo(4);
            } else {
                await().atMost(PATIENCE).until(() -> broxy.lookUps().abandoned() == 0);
            }
            assertThat(now.maxRunning()).isEqualTo(4);
            released.countDown();
        }
    }

    /** An ended stream may be a half-close, so their dials go on. */
    @Test
    void clientsOfTheSameAddressThatHaveEndedTheirStreamsLeaveTheirPlaces() throws Exception {
        try (Origin origin = Origin.echo();
                Broxy broxy = Broxy.builder().eventLoops(1).build()) {
            ProxyServer server = proxy(broxy, resolver(true), Duration.ofMinutes(1));
            for (int i = 0; i < GONE; i++) {
                client(server, "127.0.0.2")
                        .send(Proxy.connectHead(HostPort.of("n" + i + ".tarpit.example", 443)))
                        .shutdownOutput();
            }
            await().atMost(PATIENCE)
                    .until(() -> hanging.get() == GONE && broxy.lookUps().abandoned() >= GONE / 3);

            Peer live = client(server, "127.0.0.2").send(Proxy.connectHead(HostPort.of("good.example", origin.port())));

            assertThat(live.readHead()).startsWith("HTTP/1.1 200");
            assertThat(interrupted).hasValue(0);
            released.countDown();
            assertThat(peers.get(0).readHead()).startsWith("HTTP/1.1 502");
            assertThat(peers.get(GONE - 1).readHead()).startsWith("HTTP/1.1 502");
        }
    }

    @Test
    void aClientThatIsResetEndsItsLookUpAndAnotherOneOfTheSameNameGoesOn() throws Exception {
        try (Broxy broxy = Broxy.builder().eventLoops(1).build()) {
            ProxyServer server = proxy(broxy, resolver(false), Duration.ofMinutes(1));
            HostPort shared = HostPort.parse("shared.tarpit.example:443");
            Peer first = client(server, "127.0.0.2").send(Proxy.connectHead(shared));
            Peer second = client(server, "127.0.0.3").send(Proxy.connectHead(shared));
            await().atMost(PATIENCE).until(() -> hanging.get() == 1);

            first.reset();
            Peer third = client(server, "127.0.0.2").send(Proxy.connectHead(HostPort.parse("x.tarpit.example:443")));
            await().atMost(PATIENCE).until(() -> hanging.get() == 2);
            assertThat(interrupted).hasValue(0);

            third.reset();
            await().atMost(PATIENCE).until(() -> interrupted.get() == 1);
            released.countDown();
            assertThat(second.readHead()).startsWith("HTTP/1.1 502");
        }
    }

    @Test
    void theQueueIsInTheHandlersStats() throws Exception {
        try (Broxy broxy =
                Broxy.builder().eventLoops(1).threads(EngineTask.LOOK_UP, 4).build()) {
            ProxyHandler handler = broxy.proxyHandler().build();
            DirectDialer dialer = broxy.directDialer().resolver(resolver(false)).build();
            for (int i = 0; i < 7; i++) {
                dialer.dialAsync(DialRequest.to(HostPort.of(i + ".tarpit.example", 1)), Runnable::run);
            }

            await().atMost(PATIENCE).until(() -> handler.stats().lookUps().waiting() == 3);
            assertThat(handler.stats().lookUps().running()).isEqualTo(4);
            assertThat(handler.stats().lookUps().threads()).isEqualTo(4);
        }
    }

    @Test
    void threadsAreMadeWhenNeededAndTheJdksResolverTakesPlatformThreadsOnly() throws Exception {
        try (Broxy broxy = Broxy.builder().eventLoops(1).build()) {
            assertThat(LeakCheck.engineThreads()).noneMatch(name -> name.startsWith("broxy-resolver-"));

            try (Origin origin = Origin.echo();
                    Connection connection =
                            broxy.directDialer().build().dial(HostPort.of("localhost", origin.port()))) {
                assertThat(connection.isOpen()).isTrue();
            }

            assertThat(LeakCheck.engineThreads()).contains("broxy-resolver-1");
        }
    }
}
