package io.broxy.core.dialing;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.broxy.ConnPool;
import io.broxy.DialException;
import io.broxy.Dialer;
import io.broxy.HopStats;
import io.broxy.HostPort;
import io.broxy.HttpProxyDialer;
import io.broxy.Route;
import io.broxy.RoutingDialer;
import io.broxy.Rules;
import io.broxy.core.Broxy;
import io.broxy.core.testkit.Dialed;
import io.broxy.core.testkit.HeldPort;
import io.broxy.core.testkit.Http;
import io.broxy.core.testkit.LeakCheck;
import io.broxy.core.testkit.Origin;
import io.broxy.core.testkit.Peer;
import io.broxy.core.testkit.Proxy;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** Specifies the figures of a routing dialer's hops. */
@ExtendWith(LeakCheck.class)
class HopStatsTest {
    private static final HostPort TARGET = HostPort.parse("target.example:443");

    private Broxy broxy;
    private Origin origin;

    @BeforeEach
    void start() throws Exception {
        broxy = Broxy.builder().eventLoops(1).build();
        origin = Origin.greeting("hello");
    }

    @AfterEach
    void stop() throws Exception {
        broxy.close();
        origin.close();
    }

    private Dialer to(HostPort target) {
        Dialer direct = broxy.directDialer().build();
        return request -> direct.dial(request.toBuilder().target(target).build());
    }

    private RoutingDialer routing(Dialer a, Dialer b) {
        return broxy.routingDialer()
                .hop("a", a)
                .hop("b", b)
                .rules(Rules.always(Route.via("b", "a")))
                .penalty(Duration.ofMinutes(5))
                .build();
    }

    private static HopStats hop(RoutingDialer dialer, String name) {
        return dialer.hops().stream()
                .filter(hop -> hop.name().equals(name))
                .findFirst()
                .orElseThrow();
    }

    @Test
    void everyHopIsListedByNameAndTheDirectOneLast() {
        Dialer a = to(origin.target());
        Dialer b = to(origin.target());
        RoutingDialer dialer = routing(a, b);
        assertThat(dialer.hops()).extracting(HopStats::name).containsExactly("a", "b", Route.DIRECT);
        assertThat(dialer.hops()).extracting(HopStats::dialer).startsWith(a, b);
        assertThat(dialer.hops()).allSatisfy(hop -> {
            assertThat(hop.uses()).isZero();
            assertThat(hop.failures()).isZero();
            assertThat(hop.lastFailure()).isNull();
            assertThat(hop.lastFailureAt()).isNull();
            assertThat(hop.hasPenalty()).isFalse();
        });
        List<HopStats> hops = dialer.hops();
        assertThatThrownBy(() -> hops.remove(0)).isInstanceOf(UnsupportedOperationException.class);
    }

    @Test
    void usesFailuresAndThePenaltyAreThoseOfTheDials() throws Exception {
        Instant before = Instant.now();
        RoutingDialer dialer = routing(to(origin.target()), to(HeldPort.refusing()));
        for (int i = 0; i < 3; i++) {
            dialer.dial(TARGET).close();
        }
        HopStats failed = hop(dialer, "b");
        assertThat(failed.uses()).isEqualTo(1);
        assertThat(failed.failures()).isEqualTo(1);
        assertThat(failed.hasPenalty()).isTrue();
        assertThat(failed.penaltyLeft()).isBetween(Duration.ofMinutes(3), Duration.ofMinutes(5));
        assertThat(failed.lastFailureAt()).isBetween(before, Instant.now());
        assertThat(failed.lastFailure())
                .isNotNull()
                .extracting(DialException::reason)
                .isEqualTo(DialException.Reason.REFUSED);
        assertThat(hop(dialer, "a").uses()).isEqualTo(3);
        assertThat(hop(dialer, "a").failures()).isZero();
    }

    @Test
    void aHopThatKeepsItsDialerKeepsItsFigures() throws Exception {
        Dialer a = to(origin.target());
        RoutingDialer dialer = routing(a, to(origin.target()));
        dialer.dial(TARGET).close();
        dialer.rules(Rules.always(Route.via("a")));
        dialer.dial(TARGET).close();
        dialer.replace(Rules.always(Route.via("a")), Map.of("a", a, "b", to(origin.target())));
        assertThat(hop(dialer, "a").uses()).isEqualTo(1);
        assertThat(hop(dialer, "b").uses()).as("a new dialer").isZero();
    }

    @Test
    void aDirectDialThatFailsIsCountedWithoutAPenalty() {
        RoutingDialer dialer = broxy.routingDialer().build();
        Dialed.failure(dialer, HeldPort.refusing());
        HopStats direct = hop(dialer, Route.DIRECT);
        assertThat(direct.uses()).isEqualTo(1);
        assertThat(direct.failures()).isEqualTo(1);
        assertThat(direct.hasPenalty()).isFalse();
    }

    @Test
    void eachForwardedRequestIsAUseAndThePoolOfAProxyIsReachable() throws Exception {
        try (Origin upstream = Http.echo();
                ConnPool pool = broxy.connPool().build()) {
            HttpProxyDialer through =
                    broxy.httpProxyDialer(upstream.target()).pool(pool).build();
            RoutingDialer dialer = broxy.routingDialer()
                    .hop("up", through)
                    .rules(Rules.always(Route.via("up")))
                    .build();
            try (Proxy proxy = Proxy.start(settings -> settings.dialer(dialer));
                    Peer client = proxy.client()) {
                for (int i = 0; i < 2; i++) {
                    client.send(Http.get(HostPort.parse("target.example:80"), "/"));
                    assertThat(Http.read(client).status()).isEqualTo(200);
                }
                HopStats hop = hop(dialer, "up");
                assertThat(hop.uses()).isEqualTo(2);
                assertThat(hop.failures()).isZero();
                assertThat(hop.dialer()).isInstanceOfSatisfying(HttpProxyDialer.class, found -> {
                    assertThat(found.pool()).isSameAs(pool);
                    assertThat(pool.stats().created()).isEqualTo(1);
                });
            }
        }
        assertThat(broxy.httpProxyDialer(HeldPort.refusing()).build().pool()).isNull();
    }
}
