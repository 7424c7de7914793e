package io.broxy.core.internal.dial;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import io.broxy.Connection;
import io.broxy.DialException;
import io.broxy.DialException.Reason;
import io.broxy.DialRequest;
import io.broxy.Dialer;
import io.broxy.HostPort;
import io.broxy.ProxyReply;
import io.broxy.Route;
import io.broxy.RoutingDialer;
import io.broxy.Rules;
import io.broxy.core.internal.loop.BufferPool;
import io.broxy.core.internal.loop.EventLoops;
import io.broxy.core.internal.loop.Workers;
import io.broxy.core.internal.time.Ticker;
import io.broxy.core.testkit.LeakCheck;
import java.lang.reflect.Proxy;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Specifies the order in which hops are tried, their penalties and their shares of the time, with a manual clock. */
@ExtendWith(LeakCheck.class)
class FailOverTest {
    private static final HostPort TARGET = HostPort.parse("target.example:443");
    private static final Route ALL = Route.via("a", "b", "c");

    private final AtomicLong now = new AtomicLong(Long.MAX_VALUE - TimeUnit.SECONDS.toNanos(3)); // soon wraps around
    private final Workers workers = new Workers();
    private EventLoops loops;

    /** What was asked of which hop, in order. */
    private final List<String> dialed = new ArrayList<>();

    private final List<Duration> times = new ArrayList<>();
    private final Map<String, Script> scripts = new HashMap<>();

    /** For a hop with a failure that is more than a reason. */
    private final Map<String, DialException> failures = new HashMap<>();

    private record Script(@Nullable Reason failure, Duration takes) {}

    @BeforeEach
    void start() throws Exception {
        loops = EventLoops.start(1, new BufferPool(1 << 20, 1 << 20), Ticker.SYSTEM);
    }

    @AfterEach
    void stop() throws Exception {
        assertThat(loops.stop(TimeUnit.SECONDS.toNanos(20))).isTrue();
        assertThat(workers.stop(TimeUnit.SECONDS.toNanos(20))).isTrue();
    }

    private RoutingDialer.Builder routing(Route route) {
        DialEngine engine =
                new DialEngine(loops, workers, new BufferPool(1 << 20, 1 << 20), now::get, new CallerDials());
        RoutingDialer.Builder builder = new RoutingDialerBuilder(engine, () -> hop("direct"));
        return builder.hop("a", hop("a")).hop("b", hop("b")).hop("c", hop("c")).rules(Rules.always(route));
    }

    private Dialer hop(String name) {
        return request -> {
            dialed.add(name);
            times.add(request.timeout());
            if (failures.containsKey(name)) {
                throw failures.get(name);
            }
            Script script = scripts.getOrDefault(name, new Script(null, Duration.ZERO));
            now.addAndGet(script.takes.toNanos());
            if (script.failure != null) {
                throw new DialException(script.failure, request.target(), script.takes, List.of(), null);
            }
            return connection();
        };
    }

    /** An unused one. */
    private static Connection connection() {
        return (Connection) Proxy.newProxyInstance(
                FailOverTest.class.getClassLoader(), new Class<?>[] {Connection.class}, (p, m, a) -> {
                    throw new UnsupportedOperationException(m.toString());
                });
    }

    private void fails(String hop, Reason reason) {
        scripts.put(hop, new Script(reason, Duration.ZERO));
    }

    private void fails(String hop, Reason reason, Duration takes) {
        scripts.put(hop, new Script(reason, takes));
    }

    private void works(String hop) {
        scripts.remove(hop);
        failures.remove(hop);
    }

    private List<String> dial(RoutingDialer dialer) throws DialException {
        dialed.clear();
        times.clear();
        assertThat(dialer.dial(TARGET)).isNotNull();
        return List.copyOf(dialed);
    }

    private DialException dialInVain(RoutingDialer dialer) {
        dialed.clear();
        times.clear();
        return catchThrowableOfType(DialException.class, () -> dialer.dial(TARGET));
    }

    private void pass(Duration time) {
        now.addAndGet(time.toNanos());
    }

    // ------------------------------------------------------------------ order and penalties

    @Test
    void theFirstHopIsTakenAsLongAsItWorks() throws Exception {
        RoutingDialer dialer = routing(ALL).build();

        assertThat(dial(dialer)).containsExactly("a");
        assertThat(dial(dialer)).containsExactly("a");
    }

    @Test
    void aHopThatFailedIsTriedLastForTenSeconds() throws Exception {
        RoutingDialer dialer = routing(ALL).build();
        fails("a", Reason.REFUSED);
        assertThat(dial(dialer)).containsExactly("a", "b");

        assertThat(dial(dialer)).containsExactly("b");
        pass(Duration.ofMillis(9_999));
        assertThat(dial(dialer)).containsExactly("b");
        pass(Duration.ofMillis(1));
        assertThat(dial(dialer)).containsExactly("a", "b");
    }

    @Test
    void hopsWithAPenaltyAreTriedInTheirOwnOrderAfterTheOthers() throws Exception {
        RoutingDialer dialer = routing(ALL).build();
        fails("a", Reason.TIMEOUT);
        fails("b", Reason.PROTOCOL);
        assertThat(dial(dialer)).containsExactly("a", "b", "c");

        fails("c", Reason.REFUSED);
        works("b");
        assertThat(dial(dialer)).containsExactly("c", "a", "b");
    }

    @Test
    void aHopThatWorksAgainHasNoPenaltyAnyMore() throws Exception {
        RoutingDialer dialer = routing(Route.via("a", "b")).build();
        fails("a", Reason.REFUSED);
        assertThat(dial(dialer)).containsExactly("a", "b");
        works("a");
        fails("b", Reason.REFUSED);
        assertThat(dial(dialer)).containsExactly("b", "a");

        assertThat(dial(dialer)).containsExactly("a");
    }

    @Test
    void thePenaltyCanBeLongerOrNone() throws Exception {
        RoutingDialer dialer = routing(ALL).penalty(Duration.ofMinutes(1)).build();
        fails("a", Reason.REFUSED);
        assertThat(dial(dialer)).containsExactly("a", "b");
        pass(Duration.ofSeconds(59));
        assertThat(dial(dialer)).containsExactly("b");

        RoutingDialer forgiving = routing(ALL).penalty(Duration.ZERO).build();
        assertThat(dial(forgiving)).containsExactly("a", "b");
        assertThat(dial(forgiving)).containsExactly("a", "b");
    }

    @Test
    void aPenaltyHoldsForEveryRouteOfTheHop() throws Exception {
        RoutingDialer dialer = routing(ALL).build();
        fails("a", Reason.REFUSED);
        dial(dialer);
        dialer.rules(Rules.always(Route.via("a", "c")));

        assertThat(dial(dialer)).containsExactly("c");
    }

    @Test
    void aHopThatIsTheOnlyOneIsDialedInSpiteOfItsPenalty() throws Exception {
        RoutingDialer dialer = routing(Route.via("a")).build();
        fails("a", Reason.REFUSED);
        assertThat(dialInVain(dialer).reason()).isEqualTo(Reason.REFUSED);
        works("a");

        assertThat(dial(dialer)).containsExactly("a");
    }

    @ParameterizedTest
    @EnumSource(Reason.class)
    void onlyWhatSpeaksOfTheHopLetsTheNextOneHaveATry(Reason reason) throws Exception {
        RoutingDialer dialer = routing(ALL).build();
        fails("a", reason);
        boolean goesOn = switch (reason) {
            case RESOLVE, REFUSED, UNREACHABLE, TIMEOUT, PROTOCOL, PROXY_AUTH, POOL_EXHAUSTED -> true;
            case PROXY_REFUSED, DENIED, LOCAL, CANCELLED -> false;
        };
        if (goesOn) {
            assertThat(dial(dialer)).containsExactly("a", "b");
        } else {
            assertThat(dialInVain(dialer).reason()).isEqualTo(reason);
            assertThat(dialed).containsExactly("a");
        }
        works("a");

        boolean penalty = goesOn && reason != Reason.POOL_EXHAUSTED;
        assertThat(dial(dialer)).containsExactly(penalty ? "b" : "a");
    }

    @ParameterizedTest
    @EnumSource(names = {"REFUSED", "UNREACHABLE", "PROTOCOL", "PROXY_REFUSED"})
    void anAnswerOfTheHopIsFinalAndCostsItNothing(Reason reason) throws Exception {
        RoutingDialer dialer = routing(ALL).build();
        ProxyReply reply = new ProxyReply(ProxyReply.Protocol.SOCKS5, 5, List.of(), ByteBuffer.allocate(0));
        failures.put(
                "a", DialException.builder(reason, TARGET).proxyReply(reply).build());

        assertThat(dialInVain(dialer).reason()).isEqualTo(reason);
        assertThat(dialed).containsExactly("a");
        works("a");
        assertThat(dial(dialer)).containsExactly("a");
    }

    @Test
    void aRefusalBeforeTheHopIsTheHopsFailure() throws Exception {
        RoutingDialer dialer = routing(ALL).build();
        DialException onTheWay = new DialException(Reason.PROXY_REFUSED, TARGET, Duration.ZERO, List.of(), null);
        failures.put(
                "a",
                DialException.builder(Reason.PROXY_REFUSED, TARGET)
                        .cause(onTheWay)
                        .build());

        assertThat(dial(dialer)).containsExactly("a", "b");
        works("a");
        assertThat(dial(dialer)).containsExactly("b");
    }

    @Test
    void aDirectDialFailsOverButIsNotToBlameForItsTarget() throws Exception {
        RoutingDialer dialer = routing(Route.via("direct", "b")).build();
        fails("direct", Reason.REFUSED);

        assertThat(dial(dialer)).containsExactly("direct", "b");
        assertThat(dial(dialer)).containsExactly("direct", "b");
    }

    @Test
    void anUncheckedExceptionOfAnOwnDialerEndsTheDial() {
        IllegalStateException mistake = new IllegalStateException("a bug");
        RoutingDialer dialer = routing(ALL)
                .hop("a", request -> {
                    throw mistake;
                })
                .build();

        assertThatThrownBy(() -> dialer.dial(TARGET)).isSameAs(mistake);
        assertThat(dialed).isEmpty();
    }

    @Test
    void anExplanationSaysWhichHopsHaveAPenalty() throws Exception {
        RoutingDialer dialer = routing(ALL).build();
        assertThat(dialer.explain(TARGET)).isEqualTo("target.example:443 goes via a, b, c: no rule matches");
        fails("a", Reason.REFUSED);
        dial(dialer);
        pass(Duration.ofSeconds(4));

        assertThat(dialer.explain(TARGET))
                .isEqualTo("target.example:443 goes via a, b, c: no rule matches;"
                        + " a failed and is tried last for another 6000 ms");
        pass(Duration.ofSeconds(6));
        assertThat(dialer.explain(TARGET)).doesNotContain("failed");
    }

    @Test
    void aReplacedHopHasNoPenaltyAndOneThatStaysKeepsIt() throws Exception {
        Dialer a = hop("a");
        Dialer b = hop("b");
        RoutingDialer dialer = routing(ALL).hop("a", a).hop("b", b).build();
        fails("a", Reason.REFUSED);
        fails("b", Reason.REFUSED);
        assertThat(dial(dialer)).containsExactly("a", "b", "c");

        dialer.replace(Rules.always(ALL), Map.of("a", a, "b", hop("b"), "c", hop("c")));
        works("a");
        works("b");
        assertThat(dial(dialer)).containsExactly("b");
        fails("b", Reason.REFUSED);
        fails("c", Reason.REFUSED);
        assertThat(dial(dialer)).containsExactly("b", "c", "a");
    }

    // ------------------------------------------------------------------ time

    @Test
    void eachHopGetsAnEqualShareOfWhatIsLeftAndTheLastOneAll() throws Exception {
        RoutingDialer dialer = routing(ALL).timeout(Duration.ofSeconds(9)).build();
        fails("a", Reason.TIMEOUT, Duration.ofSeconds(3));
        fails("b", Reason.REFUSED, Duration.ofSeconds(1));
        dial(dialer);

        assertThat(times).containsExactly(Duration.ofSeconds(3), Duration.ofSeconds(3), Duration.ofSeconds(5));
    }

    @Test
    void theRequestsTimeGoesBeforeTheDialers() throws Exception {
        RoutingDialer dialer = routing(Route.via("a")).build();
        dialer.dial(TARGET);
        dialer.dial(DialRequest.builder(TARGET).timeout(Duration.ofMillis(7)).build());

        assertThat(times).containsExactly(Duration.ofSeconds(10), Duration.ofMillis(7));
    }

    @Test
    void whenTheTimeIsOverNoFurtherHopIsTried() {
        RoutingDialer dialer = routing(ALL).timeout(Duration.ofSeconds(9)).build();
        fails("a", Reason.REFUSED, Duration.ofSeconds(9));

        DialException failure = dialInVain(dialer);

        assertThat(dialed).containsExactly("a");
        assertThat(failure.reason()).isEqualTo(Reason.TIMEOUT);
        assertThat(failure.attempts()).hasSize(1);
    }

    // ------------------------------------------------------------------ failures

    @Test
    void whenNoHopWorksEachIsAnAttempt() {
        RoutingDialer dialer = routing(ALL).build();
        fails("a", Reason.UNREACHABLE, Duration.ofSeconds(1));
        fails("b", Reason.PROXY_AUTH, Duration.ofSeconds(2));
        fails("c", Reason.REFUSED);

        DialException failure = dialInVain(dialer);

        assertThat(failure.reason()).isEqualTo(Reason.PROXY_AUTH);
        assertThat(failure.target()).isEqualTo(TARGET);
        assertThat(failure.attempts())
                .extracting(attempt -> attempt.address().toString())
                .containsExactly("a", "b", "c");
        assertThat(failure.attempts())
                .extracting(attempt -> ((DialException) attempt.failure()).reason())
                .containsExactly(Reason.UNREACHABLE, Reason.PROXY_AUTH, Reason.REFUSED);
        assertThat(failure.attempts())
                .extracting(DialException.Attempt::duration)
                .containsExactly(Duration.ofSeconds(1), Duration.ofSeconds(2), Duration.ZERO);
        assertThat(failure)
                .hasMessageContaining("after 3000 ms; tried a: dialing target.example:443 failed: unreachable");
    }

    @Test
    void theFailureOfTheOnlyHopIsThrownAsItIs() {
        RoutingDialer dialer = routing(Route.via("a")).build();
        fails("a", Reason.REFUSED);

        assertThat(dialInVain(dialer).attempts()).isEmpty();
        assertThat(dialInVain(dialer).getSuppressed()).isEmpty();
    }

    @Test
    void aFinalFailureIsThrownAsItIsWithThoseBeforeItSuppressed() {
        RoutingDialer dialer = routing(ALL).build();
        fails("a", Reason.REFUSED);
        fails("b", Reason.PROXY_REFUSED);

        DialException failure = dialInVain(dialer);

        assertThat(dialed).containsExactly("a", "b");
        assertThat(failure.reason()).isEqualTo(Reason.PROXY_REFUSED);
        assertThat(failure.attempts()).isEmpty();
        assertThat(failure.getSuppressed())
                .singleElement()
                .isInstanceOfSatisfying(
                        DialException.class,
                        earlier -> assertThat(earlier.reason()).isEqualTo(Reason.REFUSED));
    }
}
