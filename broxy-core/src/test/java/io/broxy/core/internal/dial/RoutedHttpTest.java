package io.broxy.core.internal.dial;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import io.broxy.AddressPolicy;
import io.broxy.DialException;
import io.broxy.DialException.Attempt;
import io.broxy.DialException.Reason;
import io.broxy.DialRequest;
import io.broxy.Dialer;
import io.broxy.HostPort;
import io.broxy.Route;
import io.broxy.RoutingDialer;
import io.broxy.Rules;
import io.broxy.core.internal.loop.BufferPool;
import io.broxy.core.internal.loop.EventLoops;
import io.broxy.core.internal.loop.Workers;
import io.broxy.core.internal.time.Ticker;
import io.broxy.core.internal.upstream.HttpHop;
import io.broxy.core.internal.upstream.HttpRoute;
import io.broxy.core.internal.upstream.HttpRouter;
import io.broxy.core.testkit.LeakCheck;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * Specifies how a plain HTTP request is routed by rules, with the penalties of {@link FailOverTest} and a manual
 * clock.
 */
@ExtendWith(LeakCheck.class)
class RoutedHttpTest {
    private static final HostPort TARGET = HostPort.parse("target.example:80");
    private static final Route ALL = Route.via("a", "b", "c");

    private final AtomicLong now = new AtomicLong(Long.MAX_VALUE - TimeUnit.SECONDS.toNanos(3)); // soon wraps around
    private final Workers workers = new Workers();
    private EventLoops loops;
    private DialEngine engine;

    /** The names of the ways that were tried, and their times. */
    private final List<String> tried = new ArrayList<>();

    private final List<Long> millis = new ArrayList<>();

    @BeforeEach
    void start() throws Exception {
        loops = EventLoops.start(1, new BufferPool(1 << 20, 1 << 20), Ticker.SYSTEM);
        engine = new DialEngine(loops, workers, new BufferPool(1 << 20, 1 << 20), now::get, new CallerDials());
    }

    @AfterEach
    void stop() throws Exception {
        assertThat(loops.stop(TimeUnit.SECONDS.toNanos(20))).isTrue();
        assertThat(workers.stop(TimeUnit.SECONDS.toNanos(20))).isTrue();
    }

    private static Dialer never() {
        return request -> {
            throw new AssertionError("nothing is dialed");
        };
    }

    /** Hops a, b and c are HTTP proxies on hosts of these names. */
    private RoutingDialer.Builder routing(Route route) {
        RoutingDialer.Builder builder = new RoutingDialerBuilder(engine, RoutedHttpTest::never);
        for (String name : List.of("a", "b", "c")) {
            builder.hop(name, proxy(name));
        }
        return builder.rules(Rules.always(route));
    }

    private Dialer proxy(String host) {
        return new HttpProxyDialerBuilder(HostPort.of(host, 3128), engine, RoutedHttpTest::never).build();
    }

    private HttpRouter router(Route route) {
        return HttpRouter.of(routing(route).build(), workers);
    }

    private HttpHop note(HttpRoute route) {
        HttpHop way = route.hop();
        tried.add(way.key().address().host());
        millis.add(TimeUnit.NANOSECONDS.toMillis(way.timeoutNanos()));
        return way;
    }

    private HttpRoute begin(HttpRouter router) throws DialException {
        tried.clear();
        millis.clear();
        HttpRoute route = router.route(DialRequest.to(TARGET));
        note(route);
        return route;
    }

    /** The way to the proxy fails as a pool's lease does. */
    private @Nullable DialException fails(HttpRoute route, Reason reason) {
        DialException failure =
                DialException.builder(reason, route.hop().key().address()).build();
        DialException all = route.failed(failure);
        if (all == null) {
            note(route);
        }
        return all;
    }

    private List<String> goesFirstTo(HttpRouter router) throws DialException {
        begin(router);
        return List.copyOf(tried);
    }

    private void pass(Duration time) {
        now.addAndGet(time.toNanos());
    }

    // ------------------------------------------------------------------ order and penalties

    @ParameterizedTest
    @EnumSource(Reason.class)
    void onlyWhatSpeaksOfTheHopLetsTheNextOneHaveATry(Reason reason) throws Exception {
        HttpRouter router = router(ALL);
        boolean goesOn = switch (reason) {
            // a lease fails with PROXY_REFUSED only where another proxy refuses on the way to the hop
            case RESOLVE, REFUSED, UNREACHABLE, TIMEOUT, PROTOCOL, PROXY_AUTH, PROXY_REFUSED, POOL_EXHAUSTED -> true;
            case DENIED, LOCAL, CANCELLED -> false;
        };

        DialException failure = fails(begin(router), reason);

        if (goesOn) {
            assertThat(failure).isNull();
            assertThat(tried).containsExactly("a", "b");
        } else {
            assertThat(Objects.requireNonNull(failure).reason()).isEqualTo(reason);
            assertThat(failure.target()).isEqualTo(TARGET);
        }
        boolean penalty = goesOn && reason != Reason.POOL_EXHAUSTED;
        assertThat(goesFirstTo(router)).containsExactly(penalty ? "b" : "a");
    }

    @ParameterizedTest
    @EnumSource(names = {"PROTOCOL", "TIMEOUT", "PROXY_AUTH"})
    void aProxyThatIsSilentOrWantsOtherCredentialsIsAHopThatFails(Reason reason) throws Exception {
        HttpRouter router = router(ALL);
        HttpRoute route = begin(router);

        assertThat(route.failed(route.hop().failure(reason, TARGET).build())).isNull();

        assertThat(note(route).key().address().host()).isEqualTo("b");
        assertThat(goesFirstTo(router)).containsExactly("b");
    }

    @Test
    void aPenaltyLastsTenSecondsAndHoldsForDialsToo() throws Exception {
        RoutingDialer dialer = routing(ALL).build();
        HttpRouter router = HttpRouter.of(dialer, workers);
        fails(begin(router), Reason.REFUSED);

        pass(Duration.ofMillis(9_999));
        assertThat(goesFirstTo(router)).containsExactly("b");
        assertThat(dialer.explain(TARGET)).contains("a failed and is tried last for another 1 ms");
        pass(Duration.ofMillis(1));
        assertThat(goesFirstTo(router)).containsExactly("a");
    }

    @Test
    void aHopThatWorksAgainHasNoPenaltyAnyMore() throws Exception {
        HttpRouter router = router(Route.via("a", "b"));
        fails(begin(router), Reason.REFUSED);
        HttpRoute route = begin(router);
        fails(route, Reason.REFUSED);
        assertThat(tried).containsExactly("b", "a");

        route.connected();
        route.connected();

        assertThat(goesFirstTo(router)).containsExactly("a");
    }

    @Test
    void aDirectRouteFailsOverButIsNotToBlameForItsTarget() throws Exception {
        HttpRouter router = router(Route.via(Route.DIRECT, "b"));

        assertThat(fails(begin(router), Reason.REFUSED)).isNull();

        assertThat(tried).containsExactly("target.example", "b");
        assertThat(goesFirstTo(router)).containsExactly("target.example");
    }

    @Test
    void whenNoHopWorksEachOneIsAnAttempt() throws Exception {
        HttpRoute route = begin(router(ALL));
        assertThat(fails(route, Reason.UNREACHABLE)).isNull();
        pass(Duration.ofSeconds(1));
        assertThat(fails(route, Reason.REFUSED)).isNull();

        DialException all = Objects.requireNonNull(fails(route, Reason.RESOLVE));

        assertThat(tried).containsExactly("a", "b", "c");
        assertThat(all.reason()).as("where it came farthest").isEqualTo(Reason.REFUSED);
        assertThat(all.target()).isEqualTo(TARGET);
        assertThat(all.attempts())
                .extracting(attempt -> attempt.address().toString())
                .containsExactly("a", "b", "c");
        assertThat(all.attempts())
                .extracting(Attempt::failure)
                .allSatisfy(failure ->
                        assertThat(((DialException) failure).target()).isEqualTo(TARGET));
    }

    @Test
    void theFailureOfTheOnlyHopIsItsOwn() throws Exception {
        DialException failure = Objects.requireNonNull(fails(begin(router(Route.via("a"))), Reason.REFUSED));

        assertThat(failure.proxy()).isEqualTo(HostPort.parse("a:3128"));
        assertThat(failure.attempts()).isEmpty();
    }

    // ------------------------------------------------------------------ time

    @Test
    void eachHopGetsAnEqualShareOfTheTimeThatIsLeft() throws Exception {
        HttpRoute route = begin(router(ALL));
        pass(Duration.ofSeconds(1));
        fails(route, Reason.TIMEOUT);
        pass(Duration.ofSeconds(4));
        fails(route, Reason.TIMEOUT);

        assertThat(millis).containsExactly(3_333L, 4_500L, 5_000L);
    }

    @Test
    void theRequestsOwnTimeIsShared() throws Exception {
        DialRequest request =
                DialRequest.builder(TARGET).timeout(Duration.ofSeconds(6)).build();

        assertThat(router(ALL).route(request).hop().timeoutNanos()).isEqualTo(TimeUnit.SECONDS.toNanos(2));
        assertThat(router(Route.via("a")).route(request).hop().timeoutNanos()).isEqualTo(TimeUnit.SECONDS.toNanos(6));
    }

    @Test
    void noOtherHopIsTriedWhenTheTimeIsOver() throws Exception {
        HttpRoute route = begin(router(ALL));
        pass(Duration.ofSeconds(10));

        DialException all = Objects.requireNonNull(fails(route, Reason.REFUSED));

        assertThat(all.reason()).isEqualTo(Reason.TIMEOUT);
        assertThat(tried).containsExactly("a");
    }

    // ------------------------------------------------------------------ policies and nesting

    @Test
    void aLiteralThatThePolicyRefusesHasNoRouteThroughAProxy() {
        HttpRouter router = router(ALL);
        DialRequest request = DialRequest.builder(HostPort.parse("127.0.0.1:80"))
                .addressPolicy(AddressPolicy.publicOnly())
                .build();

        DialException denial = catchThrowableOfType(DialException.class, () -> router.route(request));

        assertThat(denial.reason()).isEqualTo(Reason.DENIED);
        assertThat(denial.proxy()).isEqualTo(HostPort.parse("a:3128"));
    }

    /** Its own dialer may know better what may be dialed, but a proxy behind it asks the policy. */
    @Test
    void aLiteralIsDeniedAlsoAtTheNextHop() throws Exception {
        HttpRouter router = HttpRouter.of(
                routing(Route.via("own", "b", "c")).hop("own", never()).build(), workers);
        HttpRoute route = router.route(DialRequest.builder(HostPort.parse("127.0.0.1:80"))
                .addressPolicy(AddressPolicy.publicOnly())
                .build());

        DialException all = Objects.requireNonNull(
                route.failed(DialException.builder(Reason.REFUSED, HostPort.parse("127.0.0.1:80"))
                        .build()));

        assertThat(all.reason()).isEqualTo(Reason.DENIED);
        assertThat(all.getSuppressed()).as("what came before").hasSize(1);
    }

    @Test
    void aHopMayHaveRulesOfItsOwn() throws Exception {
        RoutingDialer inner = routing(Route.via("a", "b")).build();
        HttpRouter router = HttpRouter.of(
                new RoutingDialerBuilder(engine, RoutedHttpTest::never)
                        .hop("inner", inner)
                        .hop("c", proxy("c"))
                        .rules(Rules.always(Route.via("inner", "c")))
                        .build(),
                workers);
        HttpRoute route = begin(router);

        assertThat(fails(route, Reason.REFUSED)).isNull();
        assertThat(fails(route, Reason.REFUSED)).isNull();

        assertThat(tried).containsExactly("a", "b", "c");
        assertThat(millis).containsExactly(2_500L, 5_000L, 10_000L);
        route.connected();
        assertThat(goesFirstTo(router))
                .as("the inner rules have failed as a whole")
                .containsExactly("c");
    }

    @Test
    void aHopWithoutARouteGivesTheNextOneNoTry() throws Exception {
        RoutingDialer inner = routing(Route.deny()).build();
        HttpRouter router = HttpRouter.of(
                routing(Route.via("inner", "b")).hop("inner", inner).build(), workers);

        DialException denial = catchThrowableOfType(DialException.class, () -> router.route(DialRequest.to(TARGET)));

        assertThat(denial.reason()).isEqualTo(Reason.DENIED);
    }

    @Test
    void aRouteFollowsTheRulesThatStoodWhenItBegan() throws Exception {
        RoutingDialer dialer = routing(Route.via("a", "b")).build();
        HttpRouter router = HttpRouter.of(dialer, workers);
        HttpRoute route = begin(router);

        dialer.rules(Rules.always(Route.via("c")));
        fails(route, Reason.REFUSED);

        assertThat(tried).containsExactly("a", "b");
        assertThat(goesFirstTo(router)).containsExactly("c");
    }
}
