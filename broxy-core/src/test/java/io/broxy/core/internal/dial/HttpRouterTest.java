package io.broxy.core.internal.dial;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import io.broxy.AddressPolicy;
import io.broxy.ConnPool;
import io.broxy.ConnectRequest;
import io.broxy.Credentials;
import io.broxy.DialException;
import io.broxy.DialException.Reason;
import io.broxy.DialRequest;
import io.broxy.Dialer;
import io.broxy.HostPort;
import io.broxy.HttpProxyDialer;
import io.broxy.ProxyAuthentication;
import io.broxy.Route;
import io.broxy.Rules;
import io.broxy.core.internal.loop.BufferPool;
import io.broxy.core.internal.loop.EventLoop;
import io.broxy.core.internal.loop.EventLoops;
import io.broxy.core.internal.loop.Workers;
import io.broxy.core.internal.pool.ConnPoolBuilder;
import io.broxy.core.internal.pool.PoolEngine;
import io.broxy.core.internal.time.Ticker;
import io.broxy.core.internal.upstream.HttpHop;
import io.broxy.core.internal.upstream.HttpRoute;
import io.broxy.core.internal.upstream.HttpRouter;
import io.broxy.core.testkit.Certificates;
import io.broxy.core.testkit.LeakCheck;
import io.broxy.core.testkit.Peer;
import java.time.Duration;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Specifies the route of a plain HTTP request for each kind of dialer; nothing is connected. */
@ExtendWith(LeakCheck.class)
class HttpRouterTest {
    private static final HostPort TARGET = HostPort.parse("target.example:80");
    private static final HostPort PRIVATE = HostPort.parse("10.1.2.3:80");
    private static final HostPort PROXY = HostPort.parse("proxy.example:3128");
    private static final DialRequest REQUEST = DialRequest.to(TARGET);

    private final Workers workers = new Workers();
    private EventLoops loops;
    private DialEngine engine;
    private Dialer direct;

    @BeforeEach
    void start() throws Exception {
        loops = EventLoops.start(1, new BufferPool(1 << 20, 1 << 20), Ticker.SYSTEM);
        engine = new DialEngine(loops, workers, new BufferPool(1 << 20, 1 << 20), Ticker.SYSTEM, new CallerDials());
        direct = new DirectDialerBuilder(engine).build();
    }

    @AfterEach
    void stop() throws Exception {
        assertThat(loops.stop(TimeUnit.SECONDS.toNanos(20))).isTrue();
        assertThat(workers.stop(TimeUnit.SECONDS.toNanos(20))).isTrue();
    }

    private HttpProxyDialer.Builder http() {
        return new HttpProxyDialerBuilder(PROXY, engine, () -> direct);
    }

    private Dialer socks() {
        return new Socks5DialerBuilder(PROXY, engine, () -> direct).build();
    }

    private static Dialer own() {
        return request -> {
            throw new AssertionError("nothing is dialed");
        };
    }

    private HttpRouter router(Dialer dialer) {
        return HttpRouter.of(dialer, workers);
    }

    private HttpHop way(Dialer dialer) throws DialException {
        return router(dialer).route(REQUEST).hop();
    }

    private static DialException denied(HttpRouter router, DialRequest request) {
        DialException failure = catchThrowableOfType(DialException.class, () -> router.route(request));
        return Objects.requireNonNull(failure, "there is a way");
    }

    private static DialRequest request(HostPort target, AddressPolicy policy) {
        return DialRequest.builder(target).addressPolicy(policy).build();
    }

    // ------------------------------------------------------------------ to the target

    @Nested
    class ToTheTarget {

        /** The dialers that lead to targets. */
        enum Kind {
            DIRECT,
            SOCKS5,
            OWN;

            Dialer dialer(HttpRouterTest test) {
                return switch (this) {
                    case DIRECT -> test.direct;
                    case SOCKS5 -> test.socks();
                    case OWN -> own();
                };
            }
        }

        @ParameterizedTest
        @EnumSource
        void theRequestGoesThereInOriginForm(Kind kind) throws Exception {
            Dialer dialer = kind.dialer(HttpRouterTest.this);

            HttpHop way = way(dialer);

            assertThat(way.absoluteForm()).isFalse();
            assertThat(way.key()).as("as its user would lease it").isEqualTo(ConnPool.Key.of(TARGET, dialer));
            assertThat(way.fields()).isEmpty();
            assertThat(way.pool()).isNull();
            assertThat(answer(way)).isEmpty();
        }

        @ParameterizedTest
        @EnumSource
        void aPolicyIsAPartOfTheKey(Kind kind) throws Exception {
            Dialer dialer = kind.dialer(HttpRouterTest.this);
            HttpRouter router = router(dialer);
            AddressPolicy policy = AddressPolicy.publicOnly();
            AddressPolicy lax = policy.or(AddressPolicy.allowing());

            ConnPool.Key hop = router.route(request(TARGET, policy)).hop().key();

            ConnPool.Key again = router.route(request(TARGET, policy)).hop().key();
            assertThat(again).isEqualTo(hop).hasSameHashCodeAs(hop);
            assertThat(again.dialer()).as("made once").isSameAs(hop.dialer());
            ConnPool.Key laxer = router.route(request(TARGET, lax)).hop().key();
            assertThat(laxer).isNotEqualTo(hop);
            assertThat(router.route(REQUEST).hop().key()).isNotEqualTo(hop).isNotEqualTo(laxer);
            assertThat(router.route(request(TARGET, policy)).hop().key())
                    .as("after others")
                    .isEqualTo(hop);
            assertThat(router(dialer).route(request(TARGET, policy)).hop().key())
                    .as("of another handler")
                    .isEqualTo(hop);
            assertThat(router(request -> dialer.dial(request))
                            .route(request(TARGET, policy))
                            .hop()
                            .key())
                    .as("of another dialer")
                    .isNotEqualTo(hop);
        }

        @ParameterizedTest
        @EnumSource
        void aFailureIsTheDialersOwnAndFinal(Kind kind) throws Exception {
            HttpRoute route = router(kind.dialer(HttpRouterTest.this)).route(REQUEST);
            DialException failure =
                    DialException.builder(Reason.REFUSED, TARGET).build();

            route.connected();
            assertThat(route.failed(failure)).isSameAs(failure);
        }

        @Test
        void theTimeIsTheRequestsOrTenSeconds() throws Exception {
            DialRequest hurried =
                    REQUEST.toBuilder().timeout(Duration.ofMillis(1_234)).build();

            assertThat(way(direct).timeoutNanos()).isEqualTo(TimeUnit.SECONDS.toNanos(10));
            assertThat(router(direct).route(hurried).hop().timeoutNanos())
                    .isEqualTo(TimeUnit.MILLISECONDS.toNanos(1_234));
        }
    }

    // ------------------------------------------------------------------ to a proxy

    @Nested
    class ToAProxy {

        @Test
        void theRequestGoesToTheProxyInAbsoluteFormUnderTheKeyOfItsTunnels() throws Exception {
            HttpProxyDialer dialer = http().build();

            HttpHop way = way(dialer);

            assertThat(way.absoluteForm()).isTrue();
            assertThat(way.key()).isSameAs(dialer.key()).isEqualTo(ConnPool.Key.of(PROXY, direct));
            assertThat(way.timeoutNanos()).isEqualTo(TimeUnit.SECONDS.toNanos(10));
        }

        @Test
        void theKeyIsTheCredentialsUsersAndLeadsOverTls() throws Exception {
            HttpProxyDialer dialer = http().credentials(Credentials.basic("alice", "secret"))
                    .tls(Certificates.loopback().client())
                    .build();

            ConnPool.Key hop = way(dialer).key();

            assertThat(hop).isSameAs(dialer.key());
            assertThat(hop.identity()).isEqualTo("alice");
            assertThat(hop.dialer()).isInstanceOf(TlsDialer.class);
        }

        @Test
        void aPolicyIsNoPartOfTheKeyForItIsNotForProxies() throws Exception {
            HttpProxyDialer dialer = http().build();

            HttpHop way = router(dialer)
                    .route(request(TARGET, AddressPolicy.publicOnly()))
                    .hop();

            assertThat(way.key()).isSameAs(dialer.key());
        }

        @Test
        void itsPoolAndItsFieldsComeWithTheRoute() throws Exception {
            ConnPool pool = new ConnPoolBuilder(new PoolEngine(loops, workers, Ticker.SYSTEM), built -> {}, ended -> {})
                    .build();
            HttpHop way = way(http().pool(pool)
                    .field("X-Tenant", "7")
                    .field("X-Tenant", "8")
                    .build());

            assertThat(way.pool()).isSameAs(pool);
            assertThat(way.fields())
                    .containsExactly(
                            new ConnectRequest.Field("X-Tenant", "7"), new ConnectRequest.Field("X-Tenant", "8"));
        }

        @Test
        void theTimeIsTheRequestsOrTheDialers() throws Exception {
            HttpRouter router = router(http().timeout(Duration.ofSeconds(3)).build());
            DialRequest hurried =
                    REQUEST.toBuilder().timeout(Duration.ofSeconds(1)).build();

            assertThat(router.route(hurried).hop().timeoutNanos()).isEqualTo(TimeUnit.SECONDS.toNanos(1));
            HttpHop way = router.route(REQUEST).hop();
            assertThat(way.timeoutNanos()).isEqualTo(TimeUnit.SECONDS.toNanos(3));
            assertThat(router.route(REQUEST).hop()).as("made once").isSameAs(way);
        }

        @Test
        void aLiteralThatThePolicyRefusesIsDeniedAsInATunnel() {
            HttpProxyDialer dialer = http().over(own()).build();
            DialRequest request = request(PRIVATE, AddressPolicy.publicOnly());

            DialException plain = denied(router(dialer), request);
            DialException tunnel = catchThrowableOfType(DialException.class, () -> dialer.dial(request));

            for (DialException failure : List.of(plain, tunnel)) {
                assertThat(failure.reason()).isEqualTo(Reason.DENIED);
                assertThat(failure.target()).isEqualTo(PRIVATE);
                assertThat(failure.proxy()).isEqualTo(PROXY);
                assertThat(failure).hasMessageContaining("10.1.2.3 is private (RFC 1918)");
            }
        }

        @Test
        void aPolicyThatFailsRefusesEveryLiteral() {
            DialException failure = denied(router(http().build()), request(PRIVATE, address -> {
                throw new IllegalStateException("a bug");
            }));

            assertThat(failure.reason()).isEqualTo(Reason.DENIED);
        }

        @Test
        void namesAndAdmittedLiteralsAreTheProxysBusiness() throws Exception {
            HttpRouter router = router(http().build());

            assertThat(router.route(request(PRIVATE, AddressPolicy.any())).hop().absoluteForm())
                    .isTrue();
            assertThat(router.route(request(TARGET, AddressPolicy.publicOnly()))
                            .hop()
                            .absoluteForm())
                    .isTrue();
        }

        /** The result is that of a dial through the proxy. */
        @Test
        void aFailureToReachTheProxyIsTheCauseOfTheRequests() throws Exception {
            HttpRoute route = router(http().build()).route(REQUEST);
            DialException onTheWay =
                    DialException.builder(Reason.UNREACHABLE, PROXY).build();

            DialException failure = Objects.requireNonNull(route.failed(onTheWay));

            assertThat(failure.reason()).isEqualTo(Reason.UNREACHABLE);
            assertThat(failure.target()).isEqualTo(TARGET);
            assertThat(failure.proxy()).isEqualTo(PROXY);
            assertThat(failure).hasCause(onTheWay);
        }

        @Test
        void aFailureToReachTheProxyIsDistinguishedWhenTheProxyItselfIsTheTarget() throws Exception {
            HttpRoute route = router(http().build()).route(DialRequest.to(PROXY));
            DialException onTheWay =
                    DialException.builder(Reason.REFUSED, PROXY).build();

            assertThat(route.failed(onTheWay)).hasCause(onTheWay);
        }

        @Test
        void aFailureOfTheRouteItselfStaysAsItIs() throws Exception {
            HttpRoute route = router(http().build()).route(REQUEST);
            DialException failure = route.hop().failure(Reason.PROTOCOL, TARGET).build();

            assertThat(failure.proxy()).isEqualTo(PROXY);
            assertThat(route.failed(failure)).isSameAs(failure);
        }
    }

    // ------------------------------------------------------------------ credentials

    /** The credentials of a hop, or its failure; received on the loop. */
    private Optional<String> answer(HttpHop way) throws Exception {
        CompletableFuture<Optional<String>> told = new CompletableFuture<>();
        EventLoop loop = loops.next();
        loop.execute(() -> way.credentials()
                .begin(loop, HttpRouterTest::sent)
                .first(
                        value -> {
                            assertThat(loop.inLoop()).isTrue();
                            told.complete(Optional.ofNullable(value));
                        },
                        failure -> {
                            assertThat(loop.inLoop()).isTrue();
                            told.completeExceptionally(failure);
                        }));
        return told.get(Peer.PATIENCE_MILLIS, TimeUnit.MILLISECONDS);
    }

    private static ProxyAuthentication.Request sent() {
        return new ProxyAuthentication.Request(PROXY, TARGET, "GET", "http://target.example/", null);
    }

    private DialException failure(HttpHop way) {
        Throwable failure = catchThrowableOfType(java.util.concurrent.ExecutionException.class, () -> answer(way));
        return (DialException) Objects.requireNonNull(failure.getCause());
    }

    @Nested
    class WithCredentials {

        @Test
        void thoseThatAreKnownAreReportedImmediately() throws Exception {
            for (UnaryOperator<HttpProxyDialer.Builder> setting : List.<UnaryOperator<HttpProxyDialer.Builder>>of(
                    builder -> builder, builder -> builder.credentials(Credentials.basic("Aladdin", "open sesame")))) {
                HttpHop way = way(setting.apply(http()).build());
                CompletableFuture<Boolean> atOnce = new CompletableFuture<>();
                EventLoop loop = loops.next();
                loop.execute(() -> {
                    boolean[] told = {false};
                    way.credentials()
                            .begin(loop, HttpRouterTest::sent)
                            .first(value -> told[0] = true, atOnce::completeExceptionally);
                    atOnce.complete(told[0]);
                });
                assertThat(atOnce.get(Peer.PATIENCE_MILLIS, TimeUnit.MILLISECONDS))
                        .isTrue();
            }
        }

        /** RFC 7617 section 2. */
        @Test
        void basicOnesAreSentUnasked() throws Exception {
            HttpHop way = way(http().credentials(Credentials.basic("Aladdin", "open sesame"))
                    .build());

            assertThat(answer(way)).contains("Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==");
            assertThat(answer(way(http().build()))).isEmpty();
        }

        @Test
        void aUserIsAskedForEachTargetAndMayBlock() throws Exception {
            CountDownLatch asked = new CountDownLatch(1);
            CountDownLatch release = new CountDownLatch(1);
            HttpHop way = way(http().authorization(target -> {
                        assertThat(EventLoop.current()).as("not on a loop").isNull();
                        asked.countDown();
                        try {
                            assertThat(release.await(Peer.PATIENCE_MILLIS, TimeUnit.MILLISECONDS))
                                    .isTrue();
                        } catch (InterruptedException e) {
                            throw new AssertionError(e);
                        }
                        return "Bearer " + target;
                    })
                    .build());
            CompletableFuture<String> told = new CompletableFuture<>();
            EventLoop loop = loops.next();
            loop.execute(() -> way.credentials()
                    .begin(loop, HttpRouterTest::sent)
                    .first(told::complete, told::completeExceptionally));

            assertThat(asked.await(Peer.PATIENCE_MILLIS, TimeUnit.MILLISECONDS)).isTrue();
            CompletableFuture<Void> turn = new CompletableFuture<>();
            loop.execute(() -> turn.complete(null));
            turn.get(Peer.PATIENCE_MILLIS, TimeUnit.MILLISECONDS); // the loop continues
            assertThat(told).isNotDone();
            release.countDown();
            assertThat(told.get(Peer.PATIENCE_MILLIS, TimeUnit.MILLISECONDS)).isEqualTo("Bearer target.example:80");
        }

        @Test
        void aUserMayHaveNone() throws Exception {
            assertThat(answer(way(http().authorization(target -> null).build())))
                    .isEmpty();
        }

        @ParameterizedTest
        @ValueSource(strings = {"Bearer a\r\nX: y", "Bearer a\0", " Bearer a", "Bearer a\t", "Bearer \u20ac"})
        void whatIsNoFieldValueIsAFailureThatDoesNotTellIt(String value) throws Exception {
            DialException failure =
                    failure(way(http().authorization(target -> value).build()));

            assertThat(failure.reason()).isEqualTo(Reason.PROXY_AUTH);
            assertThat(failure.proxy()).isEqualTo(PROXY);
            assertThat(failure.target()).isEqualTo(TARGET);
            assertThat(failure.getMessage()).doesNotContain("Bearer");
        }

        @Test
        void userCodeThatThrowsIsAFailure() throws Exception {
            IllegalStateException thrown = new IllegalStateException("no ticket");
            DialException failure = failure(way(http().authorization(target -> {
                        throw thrown;
                    })
                    .build()));

            assertThat(failure.reason()).isEqualTo(Reason.PROXY_AUTH);
            assertThat(failure).hasCause(thrown);
        }

        @Test
        void anEngineThatEndsIsAFailure() throws Exception {
            HttpHop way = way(http().authorization(target -> "never").build());
            assertThat(workers.stop(TimeUnit.SECONDS.toNanos(20))).isTrue();

            assertThat(failure(way).reason()).isEqualTo(Reason.PROXY_AUTH);
        }
    }

    // ------------------------------------------------------------------ by rules

    @Test
    void rulesDecideTheRoute() throws Exception {
        HttpProxyDialer proxy = http().build();
        Rules rules = Rules.builder()
                .domain("corp.example", Route.direct())
                .domain("ads.example", Route.deny())
                .domain("tor.example", Route.via("socks"))
                .otherwise(Route.via("proxy"))
                .build();
        Dialer socks = socks();
        HttpRouter router = router(new RoutingDialerBuilder(engine, () -> direct)
                .hop("proxy", proxy)
                .hop("socks", socks)
                .rules(rules)
                .build());

        HttpHop straight = router.route(DialRequest.to(HostPort.parse("www.corp.example:80")))
                .hop();
        assertThat(straight.absoluteForm()).isFalse();
        assertThat(straight.key().dialer()).isSameAs(direct);
        HttpHop viaSocks =
                router.route(DialRequest.to(HostPort.parse("tor.example:80"))).hop();
        assertThat(viaSocks.absoluteForm()).isFalse();
        assertThat(viaSocks.key().dialer()).isSameAs(socks);
        assertThat(router.route(REQUEST).hop().key()).isSameAs(proxy.key());
        DialException denial = denied(router, DialRequest.to(HostPort.parse("ads.example:80")));
        assertThat(denial.reason()).isEqualTo(Reason.DENIED);
        assertThat(denial).hasMessageContaining("ads.example");
    }
}
