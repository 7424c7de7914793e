package io.broxy.core.internal.dial;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;
import static org.awaitility.Awaitility.await;

import io.broxy.AddressPolicy;
import io.broxy.Connection;
import io.broxy.DialException;
import io.broxy.DialException.Attempt;
import io.broxy.DialException.Reason;
import io.broxy.DialRequest;
import io.broxy.DirectDialer;
import io.broxy.HostPort;
import io.broxy.core.Broxy;
import io.broxy.core.internal.net.OwnAddresses;
import io.broxy.core.testkit.BlackHole;
import io.broxy.core.testkit.HeldPort;
import io.broxy.core.testkit.LeakCheck;
import io.broxy.core.testkit.Origin;
import io.broxy.core.testkit.Peer;
import io.broxy.core.testkit.Threads;
import java.io.IOException;
import java.net.ConnectException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.net.StandardSocketOptions;
import java.net.UnknownHostException;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Specifies how a direct dialer resolves, connects, times out, is cancelled, and reports failures. */
@ExtendWith(LeakCheck.class)
class DirectDialerTest {
    /** A target that does not answer for long: only the test may end the dial. */
    private static final Duration LONG = Duration.ofMillis(2L * Peer.PATIENCE_MILLIS);

    private Broxy broxy;

    @BeforeEach
    void start() {
        broxy = Broxy.builder().eventLoops(2).build();
    }

    @AfterEach
    void stop() {
        broxy.close();
    }

    /** How a dial is called; the outcome must be the same. */
    private interface Way {
        Connection dial(DirectDialer dialer, DialRequest request) throws DialException;
    }

    private record NamedWay(String name, Way way) implements Way {
        @Override
        public Connection dial(DirectDialer dialer, DialRequest request) throws DialException {
            return way.dial(dialer, request);
        }

        @Override
        public String toString() {
            return name;
        }
    }

    static Stream<Way> ways() {
        Way async = (dialer, request) -> get(dialer.dialAsync(request, task -> {
            throw new AssertionError("a built-in dialer needs no executor");
        }));
        return Stream.concat(
                Threads.available().stream()
                        .map(threads -> new NamedWay(
                                "dial on a " + threads + " thread",
                                (dialer, request) -> get(dialOn(threads, dialer, request)))),
                Stream.of(new NamedWay("dialAsync", async)));
    }

    // ------------------------------------------------------------------ it connects

    @ParameterizedTest
    @MethodSource("ways")
    void literalIsConnectedTo(Way way) throws Exception {
        try (Origin origin = Origin.echo();
                Connection connection = way.dial(broxy.directDialer().build(), DialRequest.to(origin.target()))) {
            assertThat(connection.remoteAddress()).isEqualTo(origin.address());
            assertEchoes(connection);
        }
    }

    @ParameterizedTest
    @MethodSource("ways")
    void nameIsLookedUpAndConnectedTo(Way way) throws Exception {
        try (Origin origin = Origin.echo();
                Connection connection = way.dial(dialer("127.0.0.1"), named(origin.port()))) {
            assertThat(connection.remoteAddress()).isEqualTo(origin.address());
            assertEchoes(connection);
        }
    }

    @ParameterizedTest
    @MethodSource("ways")
    void nameIsLookedUpByTheSystemUnlessAnotherResolverIsSet(Way way) throws Exception {
        try (Origin origin = Origin.echo();
                Connection connection = way.dial(
                        broxy.directDialer().build(), DialRequest.to(HostPort.of("localhost", origin.port())))) {
            assertEchoes(connection);
        }
    }

    @ParameterizedTest
    @MethodSource("ways")
    void addressesThatRefuseArePassedOver(Way way) throws Exception {
        try (Origin origin = Origin.echo();
                Connection connection = way.dial(dialer("127.0.0.2", "127.0.0.3", "127.0.0.1"), named(origin.port()))) {
            assertThat(connection.remoteAddress()).isEqualTo(origin.address());
            assertEchoes(connection);
        }
    }

    @ParameterizedTest
    @MethodSource("ways")
    void addressThatDoesNotAnswerIsPassedOver(Way way) throws Exception {
        try (Origin origin = Origin.echo();
                BlackHole hole = BlackHole.open(new InetSocketAddress("127.0.0.2", origin.port()));
                Connection connection = way.dial(
                        dialer("127.0.0.2", "127.0.0.1"), named(hole.target().port()))) {
            assertThat(connection.remoteAddress()).isEqualTo(origin.address());
            assertEchoes(connection);
        }
    }

    @ParameterizedTest
    @MethodSource("ways")
    void deniedAddressIsNotConnectedTo(Way way) throws Exception {
        AddressPolicy notTheFirst = address -> !address.getHostAddress().equals("127.0.0.1");
        try (Origin origin = Origin.echo();
                ServerSocket second = new ServerSocket(origin.port(), 1, InetAddress.getByName("127.0.0.2"));
                Connection connection = way.dial(
                        dialer("127.0.0.1", "127.0.0.2"),
                        DialRequest.builder(HostPort.of("db.example", origin.port()))
                                .addressPolicy(notTheFirst)
                                .build())) {
            assertThat(connection.remoteAddress()).isEqualTo(second.getLocalSocketAddress());
            assertThat(origin.accepted()).isZero();
        }
    }

    @ParameterizedTest
    @MethodSource("ways")
    void noDelayAndKeepAliveAreOn(Way way) throws Exception {
        try (Origin origin = Origin.echo();
                Connection connection = way.dial(broxy.directDialer().build(), DialRequest.to(origin.target()))) {
            Socket socket = connection.asSocket();
            assertThat(socket.getTcpNoDelay()).isTrue();
            assertThat(socket.getKeepAlive()).isTrue();
        }
    }

    @ParameterizedTest
    @MethodSource("ways")
    void optionsAndTheLocalAddressAreSet(Way way) throws Exception {
        DirectDialer dialer = broxy.directDialer()
                .localAddress(InetAddress.getByName("127.0.0.5"))
                .option(StandardSocketOptions.TCP_NODELAY, false)
                .option(StandardSocketOptions.IP_TOS, 16)
                .build();
        try (Origin origin = Origin.echo();
                Connection connection = way.dial(dialer, DialRequest.to(origin.target()))) {
            Socket socket = connection.asSocket();
            assertThat(socket.getTcpNoDelay()).isFalse();
            assertThat(socket.getKeepAlive()).isTrue();
            assertThat(socket.getTrafficClass()).isEqualTo(16);
            assertThat(socket.getLocalAddress().getHostAddress()).isEqualTo("127.0.0.5");
            assertThat(connection.localAddress()).isEqualTo(socket.getLocalSocketAddress());
        }
    }

    @Test
    void futureIsCompletedOffTheLoops() throws Exception {
        CompletableFuture<String> completer = new CompletableFuture<>();
        CountDownLatch registered = new CountDownLatch(1);
        DirectDialer dialer = broxy.directDialer()
                .resolver(host -> {
                    awaitLatch(registered);
                    return addresses("127.0.0.2", "127.0.0.1");
                })
                .build();
        try (Origin origin = Origin.echo()) {
            CompletableFuture<Connection> future = dialer.dialAsync(named(origin.port()), Runnable::run);
            future.thenRun(() -> completer.complete(Thread.currentThread().getName()));
            registered.countDown();

            assertThat(completer.get(Peer.PATIENCE_MILLIS, TimeUnit.MILLISECONDS))
                    .startsWith("broxy-completion-");
            future.get().close();
        }
    }

    // ------------------------------------------------------------------ it fails

    @ParameterizedTest
    @MethodSource("ways")
    void refusalNamesTheTargetTheAddressAndTheTime(Way way) throws Exception {
        HostPort closed = HostPort.of("127.0.0.1", HeldPort.refusing().port());

        DialException failure = failure(way, broxy.directDialer().build(), DialRequest.to(closed));

        assertThat(failure.reason()).isEqualTo(Reason.REFUSED);
        assertThat(failure.target()).isEqualTo(closed);
        assertThat(failure.attempts()).singleElement().satisfies(attempt -> {
            assertThat(attempt.address())
                    .isEqualTo(new InetSocketAddress(InetAddress.getLoopbackAddress(), closed.port()));
            assertThat(attempt.failure()).isInstanceOf(ConnectException.class);
            assertThat(attempt.duration()).isPositive();
        });
        assertThat(failure).hasCauseInstanceOf(ConnectException.class);
        assertThat(failure.getMessage())
                .matches("dialing \\Q" + closed + "\\E failed: connection refused, after \\d+ ms; tried .*"
                        + closed.port() + ": Connection refused \\(\\d+ ms\\)");
    }

    @ParameterizedTest
    @MethodSource("ways")
    void everyAddressThatRefusedIsNamedInOrder(Way way) throws Exception {
        int port = HeldPort.refusing().port();

        DialException failure = failure(way, dialer("127.0.0.3", "127.0.0.1", "127.0.0.2"), named(port));

        assertThat(failure.reason()).isEqualTo(Reason.REFUSED);
        assertThat(failure.target()).isEqualTo(HostPort.of("db.example", port));
        assertThat(tried(failure)).containsExactly("127.0.0.3", "127.0.0.1", "127.0.0.2");
        assertThat(failure.getSuppressed()).hasSize(3).allMatch(ConnectException.class::isInstance);
    }

    @ParameterizedTest
    @MethodSource("ways")
    void nameThatIsNotKnownIsNotResolved(Way way) throws Exception {
        DirectDialer dialer = broxy.directDialer()
                .resolver(host -> {
                    throw new UnknownHostException(host + " is not known");
                })
                .build();

        DialException failure = failure(way, dialer, named(443));

        assertThat(failure.reason()).isEqualTo(Reason.RESOLVE);
        assertThat(failure).hasCauseInstanceOf(UnknownHostException.class);
        assertThat(failure.getMessage())
                .matches("dialing db.example:443 failed: the name could not be resolved "
                        + "\\(db.example is not known\\), after \\d+ ms");
        assertThat(failure.attempts()).isEmpty();
    }

    @ParameterizedTest
    @MethodSource("ways")
    @SuppressWarnings("NullAway") // a user's code may break its contract
    void resolverThatBreaksItsContractIsAFailureToResolve(Way way) throws Exception {
        assertThat(failure(way, broxy.directDialer().resolver(host -> null).build(), named(443))
                        .reason())
                .isEqualTo(Reason.RESOLVE);
        DirectDialer throwing = broxy.directDialer()
                .resolver(host -> {
                    throw new IllegalStateException("a bug");
                })
                .build();
        assertThat(failure(way, throwing, named(443)))
                .hasCauseInstanceOf(IllegalStateException.class)
                .extracting(DialException::reason)
                .isEqualTo(Reason.RESOLVE);
    }

    @ParameterizedTest
    @MethodSource("ways")
    void targetThatDoesNotAnswerTimesOut(Way way) throws Exception {
        try (BlackHole hole = BlackHole.open()) {
            DirectDialer dialer =
                    broxy.directDialer().timeout(Duration.ofMillis(100)).build();

            DialException failure = failure(way, dialer, DialRequest.to(hole.target()));

            assertThat(failure.reason()).isEqualTo(Reason.TIMEOUT);
            assertThat(tried(failure)).containsExactly("127.0.0.1");
            assertThat(failure.attempts().get(0).failure()).isInstanceOf(SocketTimeoutException.class);
            assertThat(failure.attempts().get(0).duration()).isGreaterThan(Duration.ofMillis(50));
        }
    }

    @ParameterizedTest
    @MethodSource("ways")
    void oneDeadlineIsOverAllAddresses(Way way) throws Exception {
        try (BlackHole hole = BlackHole.open();
                BlackHole second = BlackHole.open(
                        new InetSocketAddress("127.0.0.2", hole.target().port()))) {
            DialRequest request = DialRequest.builder(
                            HostPort.of("db.example", second.target().port()))
                    .timeout(Duration.ofMillis(200))
                    .build();
            DirectDialer dialer = broxy.directDialer()
                    .resolver(host -> addresses("127.0.0.1", "127.0.0.2"))
                    .attemptDelay(Duration.ofMillis(10))
                    .build();

            DialException failure = failure(way, dialer, request);

            assertThat(failure.reason()).isEqualTo(Reason.TIMEOUT);
            assertThat(tried(failure)).containsExactly("127.0.0.1", "127.0.0.2");
        }
    }

    @ParameterizedTest
    @MethodSource("ways")
    void deadlineIsOverTheLookUpToo(Way way) throws Exception {
        CountDownLatch end = new CountDownLatch(1);
        DirectDialer dialer = broxy.directDialer()
                .resolver(host -> {
                    awaitLatch(end);
                    return addresses("127.0.0.1");
                })
                .timeout(Duration.ofMillis(50))
                .build();

        DialException failure = failure(way, dialer, named(443));
        end.countDown();

        assertThat(failure.reason()).isEqualTo(Reason.TIMEOUT);
        assertThat(failure).hasMessageContaining("looking up the name took too long");
        assertThat(failure.attempts()).isEmpty();
    }

    @ParameterizedTest
    @MethodSource("ways")
    void shortestTimeOutIsOneToo(Way way) throws Exception {
        try (BlackHole hole = BlackHole.open()) {
            DialRequest request = DialRequest.builder(hole.target())
                    .timeout(Duration.ofNanos(1))
                    .build();

            assertThat(failure(way, broxy.directDialer().build(), request).reason())
                    .isEqualTo(Reason.TIMEOUT);
        }
    }

    @ParameterizedTest
    @MethodSource("ways")
    void deniedTargetIsNotConnectedTo(Way way) throws Exception {
        try (Origin origin = Origin.echo()) {
            DialRequest literal = DialRequest.builder(origin.target())
                    .addressPolicy(AddressPolicy.publicOnly())
                    .build();
            DialRequest name = literal.toBuilder()
                    .target(HostPort.of("db.example", origin.port()))
                    .build();

            DialException failure = failure(way, broxy.directDialer().build(), literal);
            DialException ofName = failure(way, dialer("127.0.0.1", "10.1.2.3"), name);

            assertThat(failure.reason()).isEqualTo(Reason.DENIED);
            assertThat(failure).hasMessageContaining("loopback");
            assertThat(ofName.reason()).isEqualTo(Reason.DENIED);
            assertThat(tried(ofName)).containsExactly("127.0.0.1", "10.1.2.3");
            assertThat(ofName.attempts()).extracting(Attempt::duration).containsOnly(Duration.ZERO);
            assertThat(origin.accepted()).isZero();
        }
    }

    @ParameterizedTest
    @MethodSource("ways")
    void policyMayGoByThePort(Way way) throws Exception {
        try (Origin refused = Origin.echo();
                Origin admitted = Origin.echo()) {
            OwnAddresses policy = new OwnAddresses();
            policy.add(refused.address());
            DialRequest literal =
                    DialRequest.builder(refused.target()).addressPolicy(policy).build();
            DialRequest name =
                    literal.toBuilder().target(named(refused.port()).target()).build();

            DialException failure = failure(way, broxy.directDialer().build(), literal);
            DialException ofName = failure(way, dialer("127.0.0.1"), name);

            assertThat(failure.reason()).isEqualTo(Reason.DENIED);
            assertThat(failure).hasMessageContaining("is where this proxy listens");
            assertThat(ofName.reason()).isEqualTo(Reason.DENIED);
            assertThat(refused.accepted()).isZero();
            DialRequest other = literal.toBuilder().target(admitted.target()).build();
            try (Connection connection = way.dial(broxy.directDialer().build(), other)) {
                assertEchoes(connection);
            }
        }
    }

    @ParameterizedTest
    @MethodSource("ways")
    void policyThatThrowsDenies(Way way) throws Exception {
        IllegalStateException thrown = new IllegalStateException("a bug");
        DialRequest request = DialRequest.builder(HostPort.of("127.0.0.1", 443))
                .addressPolicy(address -> {
                    throw thrown;
                })
                .build();

        DialException failure = failure(way, broxy.directDialer().build(), request);

        assertThat(failure.reason()).isEqualTo(Reason.DENIED);
        assertThat(failure).hasRootCause(thrown);
    }

    @ParameterizedTest
    @MethodSource("ways")
    void localAddressThatIsNotHereIsALocalFailure(Way way) throws Exception {
        try (Origin origin = Origin.echo()) {
            DirectDialer dialer = broxy.directDialer()
                    .localAddress(InetAddress.getByName("192.0.2.1"))
                    .build();

            DialException failure = failure(way, dialer, DialRequest.to(origin.target()));

            assertThat(failure.reason()).isEqualTo(Reason.LOCAL);
            assertThat(tried(failure)).containsExactly("127.0.0.1");
        }
    }

    @ParameterizedTest
    @MethodSource("ways")
    void addressOfTheOtherFamilyThanTheLocalOneIsNotTried(Way way) throws Exception {
        DirectDialer dialer = broxy.directDialer()
                .localAddress(InetAddress.getLoopbackAddress())
                .resolver(host -> addresses("::1", "2001:db8::1"))
                .build();

        for (HostPort target : List.of(HostPort.of("::1", 443), HostPort.of("db.example", 443))) {
            DialException failure = failure(way, dialer, DialRequest.to(target));

            assertThat(failure.reason()).isEqualTo(Reason.UNREACHABLE);
            assertThat(failure).hasMessageContaining("local address's family");
            assertThat(failure.attempts()).isEmpty();
        }
    }

    @Test
    void blockingDialOnAnEventLoopIsRefused() throws Exception {
        DirectDialer dialer = broxy.directDialer().build();
        DialRequest request = DialRequest.to(HostPort.of("127.0.0.1", 443));
        DialRequest dialingOnTheLoop = request.toBuilder()
                .addressPolicy(address -> {
                    try {
                        dialer.dial(request);
                    } catch (DialException e) {
                        throw new AssertionError("dialed on a loop", e);
                    }
                    return true;
                })
                .build();

        DialException failure =
                catchThrowableOfType(DialException.class, () -> get(dialer.dialAsync(dialingOnTheLoop, Runnable::run)));

        assertThat(failure)
                .rootCause()
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("event loop");
    }

    // ------------------------------------------------------------------ it is ended from outside

    @ParameterizedTest
    @MethodSource("io.broxy.core.testkit.Threads#available")
    void interruptEndsADial(Threads threads) throws Exception {
        try (BlackHole hole = BlackHole.open();
                BlackHole second = BlackHole.open(
                        new InetSocketAddress("127.0.0.2", hole.target().port()))) {
            assertInterruptible(threads, dialer("127.0.0.1"), hole.target(), 1);
            assertInterruptible(
                    threads,
                    dialer("127.0.0.1", "127.0.0.2"),
                    HostPort.of("db.example", second.target().port()),
                    0);
        }
    }

    private static void assertInterruptible(Threads threads, DirectDialer dialer, HostPort target, int attempts)
            throws Exception {
        CountDownLatch connecting = new CountDownLatch(1);
        DialRequest request = DialRequest.builder(target)
                .timeout(LONG)
                .addressPolicy(address -> {
                    connecting.countDown();
                    return true;
                })
                .build();
        assertCancelledByInterrupt(threads, dialer, request, connecting, attempts);
    }

    private static void assertCancelledByInterrupt(
            Threads threads, DirectDialer dialer, DialRequest request, CountDownLatch waiting, int attempts)
            throws Exception {
        CompletableFuture<Boolean> interrupted = new CompletableFuture<>();
        CompletableFuture<Throwable> failure = new CompletableFuture<>();
        Thread thread = threads.start(() -> {
            try {
                dialer.dial(request).close();
                failure.completeExceptionally(new AssertionError("it connected"));
            } catch (IOException e) {
                failure.complete(e);
            }
            interrupted.complete(Thread.currentThread().isInterrupted());
        });
        awaitLatch(waiting);
        thread.interrupt();

        assertThat(failure.get(Peer.PATIENCE_MILLIS, TimeUnit.MILLISECONDS))
                .isInstanceOfSatisfying(DialException.class, e -> {
                    assertThat(e.reason()).isEqualTo(Reason.CANCELLED);
                    assertThat(e.attempts()).hasSize(attempts);
                });
        assertThat(interrupted.get()).as("interrupt status").isTrue();
    }

    @ParameterizedTest
    @MethodSource("io.broxy.core.testkit.Threads#available")
    void interruptEndsALookUpsWait(Threads threads) throws Exception {
        CountDownLatch lookingUp = new CountDownLatch(1);
        CountDownLatch end = new CountDownLatch(1);
        DirectDialer dialer = broxy.directDialer()
                .resolver(host -> {
                    lookingUp.countDown();
                    awaitLatch(end);
                    return addresses("127.0.0.1");
                })
                .timeout(LONG)
                .build();

        assertCancelledByInterrupt(threads, dialer, named(443), lookingUp, 0);
        end.countDown();
    }

    @Test
    void endedFutureEndsTheDial() throws Exception {
        try (BlackHole hole = BlackHole.open()) {
            DirectDialer dialer = broxy.directDialer().timeout(LONG).build();
            CountDownLatch connecting = new CountDownLatch(2);
            DialRequest request = DialRequest.builder(hole.target())
                    .addressPolicy(address -> {
                        connecting.countDown();
                        return true;
                    })
                    .build();

            CompletableFuture<Connection> cancelled = dialer.dialAsync(request, Runnable::run);
            CompletableFuture<Connection> late = dialer.dialAsync(request, Runnable::run);
            awaitLatch(connecting);
            cancelled.cancel(false);
            late.orTimeout(1, TimeUnit.MILLISECONDS);

            assertThatThrownBy(late::get).hasCauseInstanceOf(java.util.concurrent.TimeoutException.class);
            // The leak check waits for the sockets' end, and would not wait as long as the dials.
        }
    }

    @Test
    @Tag("sweep")
    void connectionThatComesAfterTheEndOfItsFutureIsClosed() throws Exception {
        DirectDialer dialer = dialer("127.0.0.2", "127.0.0.1");
        try (Origin origin = Origin.discard()) {
            for (int i = 0; i < 300; i++) {
                CompletableFuture<Connection> future = dialer.dialAsync(named(origin.port()), Runnable::run);
                spin(i * 1_000L);
                if (!future.cancel(false)) {
                    future.get().close();
                }
            }
            await().untilAsserted(() -> assertThat(origin.open()).isZero());
        }
    }

    @ParameterizedTest
    @MethodSource("io.broxy.core.testkit.Threads#available")
    @Tag("sweep")
    void connectionThatComesAfterAnInterruptIsClosed(Threads threads) throws Exception {
        DirectDialer dialer = dialer("127.0.0.2", "127.0.0.1");
        Queue<IOException> uninterrupted = new ConcurrentLinkedQueue<>();
        try (Origin origin = Origin.discard()) {
            for (int i = 0; i < 300; i++) {
                Thread thread = threads.start(() -> {
                    try {
                        dialer.dial(named(origin.port())).close();
                    } catch (IOException e) {
                        if (!Thread.currentThread().isInterrupted()) {
                            uninterrupted.add(e);
                        }
                    }
                });
                spin(i * 2_000L);
                thread.interrupt();
                thread.join();
            }
            await().untilAsserted(() -> assertThat(origin.open()).isZero());
            assertThat(uninterrupted).isEmpty();
        }
    }

    @Test
    void connectionThatComesBetweenAnInterruptAndTheEndOfTheRaceIsClosed() throws Exception {
        CountDownLatch reset = new CountDownLatch(1);
        try (Origin origin = Origin.start(peer -> {
            peer.expectReset();
            reset.countDown();
        })) {
            DirectDialerImpl dialer = (DirectDialerImpl) broxy.directDialer().build();
            Connection connection = dialer.dial(origin.target());
            CompletableFuture<Connection> race = new CompletableFuture<>() {
                @Override
                public Connection get() throws InterruptedException {
                    complete(connection);
                    throw new InterruptedException();
                }
            };
            CallerDial dial = new CallerDial(dialer, new CallerDials(), named(origin.port()));

            DialException failure = catchThrowableOfType(DialException.class, () -> dial.await(race));

            assertThat(Thread.interrupted()).as("interrupt status").isTrue();
            assertThat(failure.reason()).isEqualTo(Reason.CANCELLED);
            assertThat(connection.isOpen()).isFalse();
            awaitLatch(reset);
        }
    }

    @ParameterizedTest
    @MethodSource("ways")
    void dialAfterTheEndOfTheEngineIsCancelled(Way way) throws Exception {
        try (Origin origin = Origin.echo()) {
            DirectDialer dialer = dialer("127.0.0.1");
            way.dial(dialer, named(origin.port())).close(); // which is in the cache now

            broxy.close();

            assertThat(failure(way, dialer, DialRequest.to(origin.target())).reason())
                    .isEqualTo(Reason.CANCELLED);
            assertThat(failure(way, dialer, named(origin.port())).reason()).isEqualTo(Reason.CANCELLED);
        }
    }

    @ParameterizedTest
    @MethodSource("ways")
    void endOfTheEngineCancelsDials(Way way) throws Exception {
        try (BlackHole hole = BlackHole.open();
                BlackHole second = BlackHole.open(
                        new InetSocketAddress("127.0.0.2", hole.target().port()))) {
            CountDownLatch waiting = new CountDownLatch(3);
            AddressPolicy noting = address -> {
                waiting.countDown();
                return true;
            };
            DialRequest literal = DialRequest.builder(hole.target())
                    .timeout(LONG)
                    .addressPolicy(noting)
                    .build();
            DialRequest name = literal.toBuilder()
                    .target(HostPort.of("db.example", second.target().port()))
                    .build();
            DirectDialer lookingUp = broxy.directDialer()
                    .resolver(host -> {
                        waiting.countDown();
                        awaitLatch(new CountDownLatch(1));
                        return addresses("127.0.0.1");
                    })
                    .build();
            List<CompletableFuture<DialException>> failures = new ArrayList<>();
            for (Dialed dialed : List.of(
                    new Dialed(dialer("127.0.0.1"), literal),
                    new Dialed(dialer("127.0.0.1", "127.0.0.2"), name),
                    new Dialed(lookingUp, name))) {
                failures.add(CompletableFuture.supplyAsync(
                        () -> failure(way, dialed.dialer, dialed.request), Threads.PLATFORM::start));
            }
            awaitLatch(waiting);

            broxy.close();

            for (CompletableFuture<DialException> failure : failures) {
                assertThat(failure.get(Peer.PATIENCE_MILLIS, TimeUnit.MILLISECONDS)
                                .reason())
                        .isEqualTo(Reason.CANCELLED);
            }
        }
    }

    private record Dialed(DirectDialer dialer, DialRequest request) {}

    // ------------------------------------------------------------------ the rig

    /** A dialer for which every name has these addresses. */
    private DirectDialer dialer(String... addresses) {
        return broxy.directDialer()
                .resolver(host -> addresses(addresses))
                .attemptDelay(Duration.ofMillis(10))
                .build();
    }

    private static DialRequest named(int port) {
        return DialRequest.to(HostPort.of("db.example", port));
    }

    private static DialException failure(Way way, DirectDialer dialer, DialRequest request) {
        DialException failure = catchThrowableOfType(
                DialException.class, () -> way.dial(dialer, request).close());
        assertThat(failure).as("the failure of a dial").isNotNull();
        return failure;
    }

    private static CompletableFuture<Connection> dialOn(Threads threads, DirectDialer dialer, DialRequest request) {
        CompletableFuture<Connection> future = new CompletableFuture<>();
        threads.start(() -> {
            try {
                future.complete(dialer.dial(request));
            } catch (Throwable e) {
                future.completeExceptionally(e);
            }
        });
        return future;
    }

    private static Connection get(CompletableFuture<Connection> future) throws DialException {
        try {
            return future.get(Peer.PATIENCE_MILLIS, TimeUnit.MILLISECONDS);
        } catch (ExecutionException e) {
            if (e.getCause() instanceof DialException failure) {
                throw failure;
            }
            throw new AssertionError("a dial failed otherwise", e);
        } catch (Exception e) {
            throw new AssertionError("a dial has not ended", e);
        }
    }

    private static List<String> tried(DialException failure) {
        return failure.attempts().stream()
                .map(attempt ->
                        ((InetSocketAddress) attempt.address()).getAddress().getHostAddress())
                .toList();
    }

    private static void assertEchoes(Connection connection) throws IOException {
        connection.write(ByteBuffer.wrap("there and back".getBytes(US_ASCII)));
        connection.shutdownOutput();
        ByteBuffer back = ByteBuffer.allocate(100);
        while (connection.read(back) >= 0) {
            // more
        }
        assertThat(new String(back.array(), 0, back.position(), US_ASCII)).isEqualTo("there and back");
    }

    private static List<InetAddress> addresses(String... literals) throws UnknownHostException {
        List<InetAddress> addresses = new ArrayList<>();
        for (String literal : literals) {
            addresses.add(InetAddress.getByName(literal));
        }
        return addresses;
    }

    /** Lets the other side come as far as it comes in the time, so that all orders of events occur. */
    private static void spin(long nanos) {
        long end = System.nanoTime() + nanos;
        while (System.nanoTime() - end < 0) {
            Thread.onSpinWait();
        }
    }

    private static void awaitLatch(CountDownLatch latch) {
        try {
            if (!latch.await(Peer.PATIENCE_MILLIS, TimeUnit.MILLISECONDS)) {
                throw new AssertionError("it did not come to that");
            }
        } catch (InterruptedException e) {
            throw new AssertionError("interrupted", e);
        }
    }
}
