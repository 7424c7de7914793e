package io.broxy.core.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;
import static org.awaitility.Awaitility.await;

import io.broxy.AddressPolicy;
import io.broxy.Authenticator;
import io.broxy.ConnectionResult;
import io.broxy.Credentials;
import io.broxy.DialRequest;
import io.broxy.HostPort;
import io.broxy.LocalResponse;
import io.broxy.ProxyHandler;
import io.broxy.ProxyListener;
import io.broxy.core.Broxy;
import io.broxy.core.ProxyServer;
import io.broxy.core.testkit.LeakCheck;
import io.broxy.core.testkit.Origin;
import io.broxy.core.testkit.Peer;
import io.broxy.core.testkit.Proxy;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.channels.ServerSocketChannel;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Specifies that an engine can be closed on its own threads, and by several threads at once. */
@ExtendWith(LeakCheck.class)
class CloseFromInsideTest {
    private static final Duration PATIENCE = Duration.ofMillis(Peer.PATIENCE_MILLIS);
    private static final InetSocketAddress ANY_PORT = new InetSocketAddress(InetAddress.getLoopbackAddress(), 0);
    /** An end that waits for its own caller takes 10 s. */
    private static final Duration NO_WAIT = Duration.ofSeconds(4);

    /** A place where the engine runs the embedder's code. */
    private enum Place {
        LISTENER,
        AUTHENTICATOR,
        RESOLVER,
        DIALER,
        AUTHORIZATION,
        OWN_REQUEST,
        COMPLETION,
        ADDRESS_POLICY
    }

    private final CompletableFuture<Duration> closing = new CompletableFuture<>();
    private final AtomicInteger calls = new AtomicInteger();

    private void close(Broxy broxy) {
        if (calls.getAndIncrement() == 0) {
            long start = System.nanoTime();
            broxy.close();
            closing.complete(Duration.ofNanos(System.nanoTime() - start));
        }
    }

    private ProxyHandler handler(Broxy broxy, Place place) {
        ProxyHandler.Builder handler = broxy.proxyHandler().addressPolicy(AddressPolicy.any());
        switch (place) {
            case LISTENER ->
                handler.listener(new ProxyListener() {
                    @Override
                    public void connectionClosed(Client client, ConnectionResult result) {
                        close(broxy);
                    }
                });
            case AUTHENTICATOR ->
                handler.authenticator(Authenticator.basic("close", (user, password) -> {
                    close(broxy);
                    return true;
                }));
            case RESOLVER ->
                handler.dialer(broxy.directDialer()
                        .resolver(host -> {
                            close(broxy);
                            return List.of(InetAddress.getLoopbackAddress());
                        })
                        .build());
            case DIALER -> {
                var direct = broxy.directDialer().build();
                handler.dialer(request -> {
                    close(broxy);
                    return direct.dial(request);
                });
            }
            case AUTHORIZATION ->
                handler.dialer(broxy.httpProxyDialer(HostPort.parse("127.0.0.1:1"))
                        .over(broxy.directDialer().build())
                        .authorization(target -> {
                            close(broxy);
                            return null;
                        })
                        .build());
            case OWN_REQUEST ->
                handler.localRequests(request -> {
                    close(broxy);
                    return LocalResponse.builder(200).build();
                });
            case ADDRESS_POLICY ->
                handler.addressPolicy(address -> {
                    close(broxy);
                    return true;
                });
            case COMPLETION -> {}
        }
        return handler.build();
    }

    private void closeWhenConnected(Broxy broxy, Origin origin) {
        CountDownLatch added = new CountDownLatch(1);
        broxy.directDialer()
                .resolver(host -> {
                    try {
                        added.await();
                    } catch (InterruptedException e) {
                        throw new AssertionError(e);
                    }
                    return List.of(InetAddress.getLoopbackAddress());
                })
                .build()
                .dialAsync(DialRequest.to(HostPort.of("db.example", origin.port())), Runnable::run)
                .thenAccept(connection -> {
                    close(broxy);
                    connection.abort();
                });
        added.countDown();
    }

    private void send(ProxyServer server, Place place, int port) throws Exception {
        try (Peer client = Peer.connect(server.localAddress())) {
            client.send(
                    place == Place.OWN_REQUEST
                            ? "GET /health HTTP/1.1\r\nHost: a\r\n\r\n"
                            : "CONNECT localhost:" + port + " HTTP/1.1\r\nHost: localhost:" + port
                                    + "\r\nProxy-Authorization: "
                                    + Credentials.basic("user", "secret").authorization() + "\r\n\r\n");
            if (place == Place.LISTENER) {
                client.reset();
            }
            assertThat(closing).succeedsWithin(PATIENCE);
        }
    }

    @ParameterizedTest
    @EnumSource
    void aCloseFromInsideDoesNotWaitForItself(Place place) throws Exception {
        try (Origin origin = Origin.start(Peer::readAll);
                Broxy broxy = Broxy.builder().eventLoops(1).build()) {
            ProxyServer server = broxy.listen(ANY_PORT, handler(broxy, place));
            if (place == Place.COMPLETION) {
                closeWhenConnected(broxy, origin);
            } else {
                send(server, place, origin.port());
            }
            assertThat(closing)
                    .succeedsWithin(PATIENCE)
                    .satisfies(took -> assertThat(took).isLessThan(NO_WAIT));
            assertThatIllegalStateException().isThrownBy(broxy::directDialer);

            broxy.close(); // from outside: waits for the end that has begun

            assertThat(LeakCheck.engineThreads()).isEmpty();
        }
    }

    @Test
    void severalAtOnceAllWaitForTheSameEnd() throws Exception {
        CountDownLatch goOn = new CountDownLatch(1);
        CountDownLatch asked = new CountDownLatch(1);
        ExecutorService threads = Executors.newFixedThreadPool(4);
        try {
            Broxy broxy = Broxy.builder().eventLoops(1).build();
            ProxyHandler handler = broxy.proxyHandler()
                    .localRequests(request -> {
                        asked.countDown();
                        try {
                            goOn.await();
                        } catch (InterruptedException e) {
                            Thread.currentThread().interrupt();
                        }
                        return LocalResponse.builder(200).build();
                    })
                    .build();
            ProxyServer server = broxy.listen(ANY_PORT, handler);
            try (Peer client = Peer.connect(server.localAddress())) {
                client.send("GET /health HTTP/1.1\r\nHost: a\r\n\r\n");
                asked.await();
                List<CompletableFuture<List<String>>> closes = Stream.generate(() -> CompletableFuture.supplyAsync(
                                () -> {
                                    broxy.close();
                                    return LeakCheck.engineThreads();
                                },
                                threads))
                        .limit(4)
                        .toList();
                await().atMost(PATIENCE).until(() -> handler.stats().openConnections() == 0);
                assertThat(closes).noneMatch(CompletableFuture::isDone);

                goOn.countDown();

                assertThat(closes)
                        .allSatisfy(close ->
                                assertThat(close).succeedsWithin(PATIENCE).isEqualTo(List.of()));
            }
        } finally {
            goOn.countDown();
            threads.shutdown();
        }
    }

    /** What the end completes on the closing thread may close, too. */
    @Test
    void aDependentOfWhatTheEndEndsMayCloseToo() throws Exception {
        try (Origin origin = Origin.echo()) {
            Broxy broxy = Broxy.builder().eventLoops(1).build();
            ProxyHandler handler =
                    broxy.proxyHandler().addressPolicy(AddressPolicy.any()).build();
            ProxyServer server = broxy.listen(ANY_PORT, handler);
            CompletableFuture<Void> closed;
            try (Peer client = Peer.connect(server.localAddress());
                    ServerSocketChannel own = ServerSocketChannel.open().bind(ANY_PORT);
                    Peer handed = Peer.connect(own.getLocalAddress())) {
                CompletableFuture<ConnectionResult> result =
                        handler.handle(own.accept()).completion();
                closed = result.thenRun(broxy::close);
                handed.send(Proxy.connectHead(origin.target()));
                assertThat(handed.readHead()).startsWith("HTTP/1.1 200");
                assertThat(client.socket().isConnected()).isTrue();
                long start = System.nanoTime();

                broxy.close();

                assertThat(Duration.ofNanos(System.nanoTime() - start)).isLessThan(NO_WAIT);
                assertThat(closed).succeedsWithin(PATIENCE);
            }
        }
    }
}
