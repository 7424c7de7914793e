package io.broxy.core.dialing;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.broxy.AddressPolicy;
import io.broxy.Connection;
import io.broxy.DialException;
import io.broxy.DialException.Reason;
import io.broxy.DialRequest;
import io.broxy.Dialer;
import io.broxy.HostPort;
import io.broxy.Route;
import io.broxy.RoutingDialer;
import io.broxy.Rules;
import io.broxy.core.Broxy;
import io.broxy.core.testkit.HeldPort;
import io.broxy.core.testkit.LeakCheck;
import io.broxy.core.testkit.Origin;
import io.broxy.core.testkit.Peer;
import io.broxy.core.testkit.Proxy;
import java.io.IOException;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Specifies how a dialer follows its rules, fails over from one hop to the next, and takes new rules. */
@ExtendWith(LeakCheck.class)
class RoutingDialerTest {
    private static final HostPort TARGET = HostPort.parse("target.example:443");
    private static final long PATIENCE_SECONDS = 20;

    private Broxy broxy;
    private Origin a;
    private Origin b;

    /** The two ways to dial; they share the rules and not the code that dials. */
    enum Manner {
        BLOCKING,
        ASYNC;

        Connection dial(Dialer dialer, DialRequest request) throws Exception {
            if (this == BLOCKING) {
                return dialer.dial(request);
            }
            try {
                return dialer.dialAsync(request, Runnable::run).get(PATIENCE_SECONDS, TimeUnit.SECONDS);
            } catch (ExecutionException e) {
                throw e.getCause() instanceof Exception cause ? cause : e;
            }
        }

        Connection dial(Dialer dialer, HostPort target) throws Exception {
            return dial(dialer, DialRequest.to(target));
        }
    }

    @BeforeEach
    void start() throws IOException {
        broxy = Broxy.builder().eventLoops(2).build();
        a = Origin.greeting("a");
        b = Origin.greeting("b");
    }

    @AfterEach
    void stop() throws IOException {
        broxy.close();
        a.close();
        b.close();
    }

    /** A hop that connects to one origin, regardless of the target. */
    private Dialer to(HostPort origin) {
        Dialer direct = broxy.directDialer().build();
        return request -> direct.dial(request.toBuilder().target(origin).build());
    }

    private RoutingDialer.Builder routing(Route route) {
        return broxy.routingDialer()
                .hop("a", to(a.target()))
                .hop("b", to(b.target()))
                .rules(Rules.always(route));
    }

    private static String read(Connection connection, int count) throws IOException {
        ByteBuffer bytes = ByteBuffer.allocate(count);
        while (bytes.hasRemaining() && connection.read(bytes) >= 0) {}
        return new String(bytes.array(), 0, bytes.position(), ISO_8859_1);
    }

    private static String greeting(Connection connection) throws IOException {
        try (connection) {
            return read(connection, 1);
        }
    }

    // ------------------------------------------------------------------ ways

    @ParameterizedTest
    @EnumSource
    void eachTargetFollowsItsRule(Manner manner) throws Exception {
        try (Origin c = Origin.greeting("c")) {
            RoutingDialer dialer = routing(Route.direct())
                    .rules(Rules.builder()
                            .domain("a.example", Route.via("a"))
                            .domain(".example:443", Route.via("b"))
                            .address("192.0.2.0/24", Route.via("a"))
                            .build())
                    .build();

            assertThat(greeting(manner.dial(dialer, HostPort.parse("www.a.example:443"))))
                    .isEqualTo("a");
            assertThat(greeting(manner.dial(dialer, HostPort.parse("b.example:443"))))
                    .isEqualTo("b");
            assertThat(greeting(manner.dial(dialer, HostPort.parse("192.0.2.7:1"))))
                    .isEqualTo("a");
            assertThat(greeting(manner.dial(dialer, c.target()))).isEqualTo("c");
        }
    }

    @ParameterizedTest
    @EnumSource
    void aDeniedTargetFailsWithTheRuleThatDeniesIt(Manner manner) {
        RoutingDialer dialer = routing(Route.via("a"))
                .rules(Rules.builder().domain("example", Route.deny()).build())
                .build();

        assertThatThrownBy(() -> manner.dial(dialer, TARGET))
                .isInstanceOfSatisfying(
                        DialException.class, e -> assertThat(e.reason()).isEqualTo(Reason.DENIED))
                .hasMessageContaining("rules[0], domain example");
        assertThat(a.accepted()).isZero();
    }

    @ParameterizedTest
    @EnumSource
    void whenAHopRefusesTheNextOneIsTaken(Manner manner) throws Exception {
        RoutingDialer dialer = routing(Route.via("dead", "b"))
                .hop("dead", to(HeldPort.refusing()))
                .build();

        assertThat(greeting(manner.dial(dialer, TARGET))).isEqualTo("b");
        assertThat(dialer.explain(TARGET)).contains("dead failed and is tried last");
    }

    @ParameterizedTest
    @EnumSource
    void aDirectDialCanBeAFallback(Manner manner) throws Exception {
        RoutingDialer dialer = routing(Route.via("dead", Route.DIRECT))
                .hop("dead", to(HeldPort.refusing()))
                .build();

        assertThat(greeting(manner.dial(dialer, a.target()))).isEqualTo("a");
    }

    @ParameterizedTest
    @EnumSource
    void whenEveryHopRefusesTheFailureNamesThemAll(Manner manner) throws Exception {
        RoutingDialer dialer = routing(Route.via("dead", "deader"))
                .hop("dead", to(HeldPort.refusing()))
                .hop("deader", to(HeldPort.refusing()))
                .build();

        assertThatThrownBy(() -> manner.dial(dialer, TARGET)).isInstanceOfSatisfying(DialException.class, e -> {
            assertThat(e.reason()).isEqualTo(Reason.REFUSED);
            assertThat(e.target()).isEqualTo(TARGET);
            assertThat(e.attempts()).hasSize(2);
            assertThat(e).hasMessageContaining("tried dead: ").hasMessageContaining("deader: ");
        });
    }

    @ParameterizedTest
    @EnumSource
    @Tag("slow")
    void aHopThatDoesNotAnswerLeavesTimeForTheNext(Manner manner) throws Exception {
        RoutingDialer dialer = routing(Route.via("mute", "b"))
                .hop("mute", RoutingDialerTest::sleepForItsTime)
                .build();
        DialRequest request =
                DialRequest.builder(TARGET).timeout(Duration.ofSeconds(3)).build();

        assertThat(greeting(manner.dial(dialer, request))).isEqualTo("b");
    }

    private static Connection sleepForItsTime(DialRequest request) throws DialException {
        Duration time = request.timeout() == null ? Duration.ZERO : request.timeout();
        try {
            boolean never = new CountDownLatch(1).await(time.toNanos(), TimeUnit.NANOSECONDS);
            assertThat(never).isFalse();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        throw new DialException(Reason.TIMEOUT, request.target(), time, List.of(), null);
    }

    @ParameterizedTest
    @EnumSource
    void theRequestsPolicyAndAttributesReachTheHop(Manner manner) throws Exception {
        List<DialRequest> seen = new CopyOnWriteArrayList<>();
        Dialer toA = to(a.target());
        RoutingDialer dialer = routing(Route.via("spy"))
                .hop("spy", request -> {
                    seen.add(request);
                    return toA.dial(request);
                })
                .build();
        AddressPolicy policy = address -> true;
        DialRequest request = DialRequest.builder(TARGET)
                .addressPolicy(policy)
                .attribute("tenant", "t1")
                .build();

        assertThat(greeting(manner.dial(dialer, request))).isEqualTo("a");
        assertThat(seen.get(0).target()).isEqualTo(TARGET);
        assertThat(seen.get(0).addressPolicy()).isSameAs(policy);
        assertThat(seen.get(0).attributes()).containsEntry("tenant", "t1");
    }

    // ------------------------------------------------------------------ rules are replaced

    @Test
    void rulesAreReplacedAtOnceAndConnectionsStay() throws Exception {
        try (Origin echo = Origin.echo()) {
            RoutingDialer dialer = routing(Route.direct()).build();
            try (Connection before = dialer.dial(echo.target())) {
                Rules next = Rules.always(Route.via("a"));
                dialer.rules(next);

                assertThat(dialer.rules()).isSameAs(next);
                assertThat(greeting(dialer.dial(echo.target()))).isEqualTo("a");
                before.write(ByteBuffer.wrap("still here".getBytes(ISO_8859_1)));
                assertThat(read(before, 10)).isEqualTo("still here");
            }
        }
    }

    @Test
    void aTunnelOfAProxyStaysWhenTheRulesDenyItsTarget() throws Exception {
        RoutingDialer dialer = routing(Route.direct()).build();
        try (Origin echo = Origin.echo();
                Proxy proxy = Proxy.start(handler -> handler.dialer(dialer));
                Peer client = proxy.connect(echo.target())) {
            dialer.rules(Rules.always(Route.deny()));

            try (Peer next = proxy.client().send(Proxy.connectHead(echo.target()))) {
                assertThat(next.readHead()).startsWith("HTTP/1.1 403 ");
            }
            assertThat(client.send("ping").readText(4)).isEqualTo("ping");
        }
    }

    @ParameterizedTest
    @EnumSource
    void aDialFollowsTheRulesThatStoodWhenItBegan(Manner manner) throws Exception {
        CountDownLatch dialBegun = new CountDownLatch(1);
        CountDownLatch replaced = new CountDownLatch(1);
        RoutingDialer dialer = routing(Route.via("slow", "b"))
                .hop("slow", request -> {
                    dialBegun.countDown();
                    awaitLatch(replaced);
                    throw new DialException(Reason.REFUSED, request.target(), Duration.ZERO, List.of(), null);
                })
                .build();
        CompletableFuture<Connection> dial = new CompletableFuture<>();
        Thread dialing = new Thread(() -> {
            try {
                dial.complete(manner.dial(dialer, TARGET));
            } catch (Exception e) {
                dial.completeExceptionally(e);
            }
        });
        dialing.start();
        awaitLatch(dialBegun);
        dialer.replace(Rules.always(Route.via("a")), Map.of("a", to(a.target())));
        replaced.countDown();

        assertThat(greeting(dial.get(PATIENCE_SECONDS, TimeUnit.SECONDS))).isEqualTo("b");
        assertThat(greeting(manner.dial(dialer, TARGET))).isEqualTo("a");
        dialing.join(TimeUnit.SECONDS.toMillis(PATIENCE_SECONDS));
    }

    private static void awaitLatch(CountDownLatch latch) {
        try {
            assertThat(latch.await(PATIENCE_SECONDS, TimeUnit.SECONDS)).isTrue();
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
    }

    @Test
    void whileRulesAndHopsAreReplacedEveryDialSeesThemTogether() throws Exception {
        RoutingDialer dialer = routing(Route.via("a")).build();
        Dialer toA = to(a.target());
        Dialer toB = to(b.target());
        AtomicBoolean stop = new AtomicBoolean();
        Thread replacer = new Thread(() -> {
            for (int i = 0; !stop.get(); i++) {
                if (i % 2 == 0) {
                    dialer.replace(Rules.always(Route.via("only-b")), Map.of("only-b", toB));
                } else {
                    dialer.replace(Rules.always(Route.via("only-a")), Map.of("only-a", toA));
                }
            }
        });
        replacer.start();
        try {
            for (int i = 0; i < 50; i++) {
                List<CompletableFuture<Connection>> dials = new ArrayList<>();
                for (int n = 0; n < 4; n++) {
                    dials.add(dialer.dialAsync(DialRequest.to(TARGET), Runnable::run));
                }
                assertThat(greeting(dialer.dial(TARGET))).isIn("a", "b");
                for (CompletableFuture<Connection> dial : dials) {
                    assertThat(greeting(dial.get(PATIENCE_SECONDS, TimeUnit.SECONDS)))
                            .isIn("a", "b");
                }
            }
        } finally {
            stop.set(true);
            replacer.join();
        }
    }

    @Test
    void rulesThatNameAnUnknownHopAreRefusedAndTheOldOnesStay() throws Exception {
        RoutingDialer dialer = routing(Route.via("a")).build();
        Rules unknown = Rules.builder().domain("x", Route.via("a", "nowhere")).build();

        assertThatIllegalArgumentException()
                .isThrownBy(() -> dialer.rules(unknown))
                .withMessageContaining("nowhere");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> dialer.replace(Rules.always(Route.via("a")), Map.of("b", to(b.target()))));
        assertThatIllegalArgumentException()
                .isThrownBy(() -> dialer.replace(Rules.always(Route.deny()), Map.of("direct", to(b.target()))));

        assertThat(greeting(dialer.dial(TARGET))).isEqualTo("a");
    }

    @Test
    void aBuilderRefusesUnknownHopsAndBadNames() {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> broxy.routingDialer()
                        .rules(Rules.always(Route.via("nowhere")))
                        .build())
                .withMessageContaining("nowhere");
        Dialer any = to(a.target());
        assertThatIllegalArgumentException()
                .isThrownBy(() -> broxy.routingDialer().hop(Route.DIRECT, any));
        assertThatIllegalArgumentException()
                .isThrownBy(() -> broxy.routingDialer().hop(" ", any));
        assertThatIllegalArgumentException()
                .isThrownBy(() -> broxy.routingDialer().hop("a\r\nb", any));
        assertThatIllegalArgumentException()
                .isThrownBy(() -> broxy.routingDialer().penalty(Duration.ofMillis(-1)));
        assertThatIllegalArgumentException()
                .isThrownBy(() -> broxy.routingDialer().timeout(Duration.ZERO));
    }

    // ------------------------------------------------------------------ own dialers as hops

    @Test
    void anOwnDialerThatForgetsItsTimeIsInterrupted() throws Exception {
        CountDownLatch interrupted = new CountDownLatch(1);
        RoutingDialer dialer = routing(Route.via("hanging", "b"))
                .hop("hanging", hanging(interrupted))
                .build();
        DialRequest request =
                DialRequest.builder(TARGET).timeout(Duration.ofSeconds(3)).build();

        assertThat(greeting(Manner.ASYNC.dial(dialer, request))).isEqualTo("b");
        awaitLatch(interrupted);
    }

    private static Dialer hanging(CountDownLatch interrupted) {
        return request -> {
            try {
                new CountDownLatch(1).await();
            } catch (InterruptedException e) {
                interrupted.countDown();
            }
            throw new DialException(Reason.CANCELLED, request.target(), Duration.ZERO, List.of(), null);
        };
    }

    @Test
    void cancellingAFutureInterruptsTheHopsDialAndTriesNoOther() throws Exception {
        CountDownLatch interrupted = new CountDownLatch(1);
        CountDownLatch dialBegun = new CountDownLatch(1);
        Dialer hanging = hanging(interrupted);
        RoutingDialer dialer = routing(Route.via("hanging", "b"))
                .hop("hanging", request -> {
                    dialBegun.countDown();
                    return hanging.dial(request);
                })
                .build();
        CompletableFuture<Connection> dial = dialer.dialAsync(DialRequest.to(TARGET), Runnable::run);
        awaitLatch(dialBegun);

        dial.cancel(false);

        awaitLatch(interrupted);
        assertThat(b.accepted()).isZero();
    }

    @Test
    void aConnectionThatAnOwnDialerBringsTooLateIsClosed() throws Exception {
        CountDownLatch timedOut = new CountDownLatch(1);
        Dialer toA = to(a.target());
        CountDownLatch closed = new CountDownLatch(1);
        try (Origin patient = Origin.start(peer -> {
            peer.expectEnd();
            closed.countDown();
        })) {
            Dialer late = to(patient.target());
            RoutingDialer dialer = routing(Route.via("late", "a"))
                    .hop("a", toA)
                    .hop("late", new StubbornDialer(late, timedOut))
                    .build();
            DialRequest request =
                    DialRequest.builder(TARGET).timeout(Duration.ofSeconds(3)).build();

            assertThat(greeting(Manner.ASYNC.dial(dialer, request))).isEqualTo("a");
            timedOut.countDown();
            awaitLatch(closed);
        }
    }

    /** Takes no notice of the end of its future. */
    private record StubbornDialer(Dialer dialer, CountDownLatch until) implements Dialer {
        @Override
        public Connection dial(DialRequest request) throws DialException {
            return dialer.dial(request);
        }

        @Override
        public CompletableFuture<Connection> dialAsync(DialRequest request, java.util.concurrent.Executor executor) {
            CompletableFuture<Connection> future = new CompletableFuture<>() {
                @Override
                public boolean cancel(boolean mayInterrupt) {
                    return false;
                }
            };
            executor.execute(() -> {
                awaitLatch(until);
                try {
                    future.complete(dialer.dial(request.target()));
                } catch (DialException e) {
                    future.completeExceptionally(e);
                }
            });
            return future;
        }
    }

    @ParameterizedTest
    @EnumSource
    void aMistakeOfAnOwnDialerIsNotCoveredUp(Manner manner) {
        RoutingDialer dialer = routing(Route.via("buggy", "b"))
                .hop("buggy", request -> {
                    throw new IllegalStateException("a bug");
                })
                .build();

        assertThatThrownBy(() -> manner.dial(dialer, TARGET))
                .isInstanceOf(IllegalStateException.class)
                .hasMessage("a bug");
        assertThat(b.accepted()).isZero();
    }

    @ParameterizedTest
    @EnumSource
    void anOwnDialersSocketWithoutAChannelIsAConnectionLikeAnother(Manner manner) throws Exception {
        RoutingDialer dialer =
                routing(Route.via("plain")).hop("plain", plain(a)).build();

        assertThat(greeting(manner.dial(dialer, TARGET))).isEqualTo("a");
    }

    private Dialer plain(Origin origin) {
        return request -> {
            try {
                return broxy.asConnection(new Socket(InetAddress.getLoopbackAddress(), origin.port()));
            } catch (IOException e) {
                throw new DialException(Reason.REFUSED, request.target(), Duration.ZERO, List.of(), e);
            }
        };
    }

    // ------------------------------------------------------------------ under a proxy

    @Test
    void aProxysTunnelsFollowTheRules() throws Exception {
        RoutingDialer dialer = routing(Route.direct())
                .hop("dead", to(HeldPort.refusing()))
                .hop("plain", plain(b))
                .hop("buggy", request -> {
                    throw new IllegalStateException("a bug");
                })
                .rules(Rules.builder()
                        .domain("a.example", Route.via("dead", "a"))
                        .domain("plain.example", Route.via("dead", "plain"))
                        .domain("buggy.example", Route.via("buggy", "a"))
                        .domain("dead.example", Route.via("dead"))
                        .otherwise(Route.deny())
                        .build())
                .build();
        try (Proxy proxy = Proxy.start(handler -> handler.dialer(dialer))) {
            try (Peer client = proxy.connect(HostPort.parse("a.example:443"))) {
                assertThat(client.readText(1)).isEqualTo("a");
            }
            try (Peer client = proxy.connect(HostPort.parse("plain.example:443"))) {
                assertThat(client.readText(1)).isEqualTo("b");
            }
            assertThat(status(proxy, "buggy.example:443")).isEqualTo("500");
            assertThat(status(proxy, "dead.example:443")).isEqualTo("502");
            assertThat(status(proxy, "other.example:443")).isEqualTo("403");
        }
    }

    private static String status(Proxy proxy, String target) throws IOException {
        try (Peer client = proxy.client().send(Proxy.connectHead(HostPort.parse(target)))) {
            return client.readHead().substring("HTTP/1.1 ".length(), "HTTP/1.1 200".length());
        }
    }

    @Test
    void aClosedEngineEndsDialsThatAreInProgress() throws Exception {
        CountDownLatch interrupted = new CountDownLatch(1);
        CountDownLatch dialBegun = new CountDownLatch(1);
        Dialer hanging = hanging(interrupted);
        RoutingDialer dialer = routing(Route.via("hanging", "b"))
                .hop("hanging", request -> {
                    dialBegun.countDown();
                    return hanging.dial(request);
                })
                .build();
        CompletableFuture<Connection> dial = dialer.dialAsync(DialRequest.to(TARGET), Runnable::run);
        awaitLatch(dialBegun);

        broxy.close();

        await().atMost(Duration.ofSeconds(PATIENCE_SECONDS)).until(dial::isDone);
        assertThatThrownBy(dial::get)
                .cause()
                .isInstanceOfSatisfying(
                        DialException.class, e -> assertThat(e.reason()).isEqualTo(Reason.CANCELLED));
    }
}
