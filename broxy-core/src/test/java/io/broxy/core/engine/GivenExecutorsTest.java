package io.broxy.core.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatNullPointerException;
import static org.assertj.core.api.InstanceOfAssertFactories.type;

import io.broxy.AddressPolicy;
import io.broxy.Authenticator;
import io.broxy.Connection;
import io.broxy.ConnectionResult;
import io.broxy.Credentials;
import io.broxy.DialException;
import io.broxy.DialRequest;
import io.broxy.Dialer;
import io.broxy.DirectDialer;
import io.broxy.HostPort;
import io.broxy.LocalResponse;
import io.broxy.ProxyHandler;
import io.broxy.ProxyListener;
import io.broxy.core.Broxy;
import io.broxy.core.BroxyBuilder;
import io.broxy.core.EngineTask;
import io.broxy.core.testkit.LeakCheck;
import io.broxy.core.testkit.Origin;
import io.broxy.core.testkit.Peer;
import io.broxy.core.testkit.Proxy;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executor;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Specifies how an engine runs its tasks on executors that the embedder supplies or sizes. */
@ExtendWith(LeakCheck.class)
class GivenExecutorsTest {
    private static final Duration PATIENCE = Duration.ofMillis(Peer.PATIENCE_MILLIS);
    private static final InetSocketAddress ANY_PORT = new InetSocketAddress(InetAddress.getLoopbackAddress(), 0);
    private static final Executor FULL = task -> {
        throw new RejectedExecutionException("full");
    };

    private final ExecutorService given = Executors.newCachedThreadPool(task -> new Thread(task, "given"));
    private final AtomicInteger used = new AtomicInteger();

    @AfterEach
    void end() {
        given.shutdownNow();
    }

    private Executor counting() {
        return task -> {
            used.incrementAndGet();
            given.execute(task);
        };
    }

    private static Broxy engine(EngineTask task, Executor executor) {
        return Broxy.builder().eventLoops(1).executor(task, executor).build();
    }

    private static void await(CountDownLatch latch) {
        try {
            latch.await();
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
    }

    private static String thread() {
        return Thread.currentThread().getName();
    }

    private static Connection dialed(Dialer dialer, HostPort target) {
        return dialer.dialAsync(DialRequest.to(target), Runnable::run)
                .orTimeout(Peer.PATIENCE_MILLIS, TimeUnit.MILLISECONDS)
                .join();
    }

    @Test
    void lookUpsRunOnTheGivenExecutorWhichOutlivesTheEngine() throws Exception {
        CompletableFuture<String> name = new CompletableFuture<>();
        try (Origin origin = Origin.discard()) {
            try (Broxy broxy = engine(EngineTask.LOOK_UP, counting())) {
                DirectDialer dialer = broxy.directDialer()
                        .resolver(host -> {
                            name.complete(thread());
                            return List.of(InetAddress.getLoopbackAddress());
                        })
                        .build();
                dialer.dial(HostPort.of("db.example", origin.port())).close();
                broxy.directDialer()
                        .build()
                        .dial(HostPort.of("localhost", origin.port()))
                        .close();
            }
            assertThat(name).isCompletedWithValue("given");
            assertThat(used).hasValue(2);
            assertThat(given.isShutdown()).isFalse();
        }
    }

    @Test
    void callbacksAndCompletionsRunOnTheGivenExecutor() throws Exception {
        CompletableFuture<String> event = new CompletableFuture<>();
        CompletableFuture<String> request = new CompletableFuture<>();
        try (Origin origin = Origin.discard();
                Broxy broxy = Broxy.builder()
                        .eventLoops(1)
                        .executor(EngineTask.CALLBACK, counting())
                        .executor(EngineTask.COMPLETION, counting())
                        .build()) {
            ProxyHandler handler = broxy.proxyHandler()
                    .listener(new ProxyListener() {
                        @Override
                        public void connectionClosed(Client client, ConnectionResult result) {
                            event.complete(thread());
                        }
                    })
                    .localRequests(own -> {
                        request.complete(thread());
                        return LocalResponse.builder(200).build();
                    })
                    .build();
            try (Peer client = Peer.connect(broxy.listen(ANY_PORT, handler).localAddress())) {
                client.send("GET /health HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
                assertThat(client.readAll()).startsWith("HTTP/1.1 200");
            }
            assertThat(request).succeedsWithin(PATIENCE).isEqualTo("given");
            assertThat(event).succeedsWithin(PATIENCE).isEqualTo("given");
            CompletableFuture<String> dependent = new CompletableFuture<>();
            CountDownLatch added = new CountDownLatch(1);
            broxy.directDialer()
                    .resolver(host -> {
                        await(added);
                        return List.of(InetAddress.getLoopbackAddress());
                    })
                    .build()
                    .dialAsync(DialRequest.to(HostPort.of("db.example", origin.port())), Runnable::run)
                    .thenAccept(connection -> {
                        connection.abort();
                        dependent.complete(thread());
                    });
            added.countDown();
            assertThat(dependent).succeedsWithin(PATIENCE).isEqualTo("given");
        }
        assertThat(used.get()).isGreaterThanOrEqualTo(3);
    }

    @Test
    void closeWaitsForTheEnginesTasksThereAndInterruptsThem() throws Exception {
        CountDownLatch begun = new CountDownLatch(1);
        CompletableFuture<Boolean> interrupted = new CompletableFuture<>();
        Broxy broxy = engine(EngineTask.LOOK_UP, given);
        DirectDialer dialer = broxy.directDialer()
                .resolver(host -> {
                    begun.countDown();
                    try {
                        new CountDownLatch(1).await();
                    } catch (InterruptedException e) {
                        interrupted.complete(true);
                    }
                    return List.of();
                })
                .build();
        CompletableFuture<Connection> dial =
                dialer.dialAsync(DialRequest.to(HostPort.parse("db.example:1")), Runnable::run);
        begun.await();

        broxy.close();

        assertThat(interrupted).isCompleted();
        assertThat(dial).isCompletedExceptionally();
        CompletableFuture<Boolean> flag = new CompletableFuture<>();
        given.execute(() -> flag.complete(Thread.currentThread().isInterrupted()));
        assertThat(flag).succeedsWithin(PATIENCE).isEqualTo(false);
    }

    // ------------------------------------------------------------------ executors that do not do as they must

    @Test
    void aLookUpThatIsRejectedFailsTheDial() {
        for (Executor bad : List.of(FULL, failing())) {
            try (Broxy broxy = engine(EngineTask.LOOK_UP, bad)) {
                DirectDialer dialer = broxy.directDialer().build();
                for (int i = 0; i < 2; i++) {
                    assertThatExceptionOfType(DialException.class)
                            .isThrownBy(() -> dialer.dial(HostPort.parse("localhost:1")))
                            .satisfies(e -> assertThat(e.reason()).isEqualTo(DialException.Reason.RESOLVE));
                }
                assertThat(broxy.lookUps().running()).isZero();
            }
        }
    }

    private static Executor failing() {
        return task -> {
            throw new IllegalStateException("a broken executor");
        };
    }

    @Test
    void aDialerThatIsRejectedOrWouldRunOnTheLoopFailsTheDial() {
        for (Executor bad : List.<Executor>of(FULL, failing(), Runnable::run)) {
            try (Broxy broxy = engine(EngineTask.CALLBACK, bad)) {
                Dialer dialer = broxy.routingDialer()
                        .direct(request -> {
                            throw new AssertionError("it runs on " + thread());
                        })
                        .build();

                assertThat(dialer.dialAsync(DialRequest.to(HostPort.parse("a.example:1")), Runnable::run))
                        .failsWithin(PATIENCE)
                        .withThrowableOfType(ExecutionException.class)
                        .havingCause()
                        .asInstanceOf(type(DialException.class))
                        .extracting(DialException::reason)
                        .isEqualTo(DialException.Reason.LOCAL);
            }
        }
    }

    @Test
    void clientsOfCallbacksThatAreRejectedGetAnAnswer() throws Exception {
        try (Broxy broxy = engine(EngineTask.CALLBACK, FULL)) {
            ProxyHandler handler = broxy.proxyHandler()
                    .authenticator(Authenticator.basic("given", Credentials.basic("user", "secret")))
                    .localRequests(own -> LocalResponse.builder(200).build())
                    .build();
            ProxyHandler open = broxy.proxyHandler()
                    .listener(new ProxyListener() {})
                    .localRequests(own -> LocalResponse.builder(200).build())
                    .build();
            try (Peer client = Peer.connect(broxy.listen(ANY_PORT, handler).localAddress());
                    Peer other = Peer.connect(broxy.listen(ANY_PORT, open).localAddress())) {
                client.send(Proxy.connectHead(HostPort.parse("a.example:1")));
                assertThat(client.readHead()).startsWith("HTTP/1.1 503");
                other.send("GET /health HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
                assertThat(other.readAll()).startsWith("HTTP/1.1 503");
            }
            Awaitility.await().atMost(PATIENCE).until(() -> open.stats().droppedEvents() >= 2);
        }
    }

    @Test
    void aFutureIsCompletedNonethelessAndNotOnALoop() throws Exception {
        for (Executor bad : List.<Executor>of(FULL, failing(), Runnable::run)) {
            try (Origin origin = Origin.discard();
                    Broxy broxy = engine(EngineTask.COMPLETION, bad)) {
                CompletableFuture<String> dependent = new CompletableFuture<>();
                CountDownLatch added = new CountDownLatch(1);
                DirectDialer slow = broxy.directDialer()
                        .resolver(host -> {
                            await(added);
                            return List.of(InetAddress.getLoopbackAddress());
                        })
                        .build();
                slow.dialAsync(DialRequest.to(HostPort.of("db.example", origin.port())), Runnable::run)
                        .thenAccept(connection -> {
                            connection.abort();
                            dependent.complete(thread());
                        });
                added.countDown();

                assertThat(dependent).succeedsWithin(PATIENCE).asString().startsWith("broxy-closer-");
            }
        }
    }

    @Test
    void aClientWithoutAChannelIsClosedIfNothingReadsIt() throws Exception {
        try (Broxy broxy = engine(EngineTask.STREAM, FULL);
                ServerSocket server = new ServerSocket(0, 1, InetAddress.getLoopbackAddress());
                Peer client = Peer.connect(server.getLocalPort())) {
            ProxyHandler handler = broxy.proxyHandler().build();

            assertThat(handler.handle(server.accept()).completion()).succeedsWithin(PATIENCE);
            client.expectReset();
        }
    }

    // ------------------------------------------------------------------ sizes

    @ParameterizedTest
    @EnumSource
    @SuppressWarnings("NullAway") // what a caller without a checker may do
    void anyKindHasAtLeastOneThreadAndNoNullForAnExecutor(EngineTask task) {
        BroxyBuilder builder = Broxy.builder();

        assertThatIllegalArgumentException()
                .isThrownBy(() -> builder.threads(task, 0))
                .withMessageContaining("0");
        assertThatNullPointerException().isThrownBy(() -> builder.executor(task, null));
    }

    @Test
    void theSmallestEngineStillDialsWithinDials() throws Exception {
        BroxyBuilder builder = Broxy.builder().eventLoops(1);
        for (EngineTask task : EngineTask.values()) {
            builder.threads(task, task == EngineTask.STREAM ? 2 : 1);
        }
        try (Origin origin = Origin.discard();
                Broxy broxy = builder.build()) {
            DirectDialer direct = broxy.directDialer().build();
            Dialer inner = broxy.routingDialer()
                    .direct(request -> dialed(direct, request.target()))
                    .build();
            Dialer outer = broxy.routingDialer()
                    .direct(request -> dialed(inner, request.target()))
                    .build();
            ProxyHandler handler = broxy.proxyHandler()
                    .dialer(outer)
                    .addressPolicy(AddressPolicy.any())
                    .build();
            try (Peer client = Peer.connect(broxy.listen(ANY_PORT, handler).localAddress())) {
                client.send(Proxy.connectHead(HostPort.of("localhost", origin.port())));
                assertThat(client.readHead()).startsWith("HTTP/1.1 200");
            }
        }
    }
}
