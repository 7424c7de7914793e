package io.broxy.core.internal.pool;

import static io.broxy.core.internal.pool.Desk.A;
import static io.broxy.core.internal.pool.Desk.B;
import static io.broxy.core.internal.pool.Desk.limits;
import static io.broxy.core.internal.pool.Desk.unlimited;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.broxy.ConnPool;
import io.broxy.DialRequest;
import io.broxy.PoolStats;
import io.broxy.PoolStats.Eviction;
import io.broxy.core.internal.pool.Desk.Asker;
import java.net.InetSocketAddress;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Connections that were announced for clients: never another client's, and in what a hop may have all together. */
class ClientHopsTest {
    private static final int NO_LIMIT = Integer.MAX_VALUE;
    private static final ConnPool.Key ALICE = A.forClient(client(1));
    private static final ConnPool.Key BOB = A.forClient(client(2));

    static DialRequest.Client client(int port) {
        return new DialRequest.Client(
                new InetSocketAddress("192.0.2.7", port), new InetSocketAddress("192.0.2.1", 3_128));
    }

    @Test
    void nobodyGetsTheConnectionOfAnother() {
        Desk desk = new Desk(unlimited());
        desk.idle(ALICE, "alice's");
        desk.idle(A, "nobody's");

        assertThat(desk.ask(BOB).got()).isEqualTo("new");
        assertThat(desk.ask(A.forClient(client(1))).got()).isEqualTo("alice's");
        assertThat(desk.ask(ALICE).got()).isEqualTo("new");
        assertThat(desk.ask(A).got()).isEqualTo("nobody's");
        assertThat(desk.ask(A).got()).isEqualTo("new");
    }

    @Test
    void theIdleOnesOfAllClientsAreCappedTogether() {
        Desk desk = new Desk(limits(2, 100, NO_LIMIT, NO_LIMIT));
        desk.idle(B, "b1", "b2");
        for (int port = 1; port <= 5; port++) {
            desk.idle(A.forClient(client(port)), "a" + port);
        }

        assertThat(desk.closed).containsExactly("a1", "a2", "a3");
        PoolStats stats = desk.pool.stats();
        assertThat(stats.idle()).isEqualTo(4);
        assertThat(stats.evicted(Eviction.CAP)).isEqualTo(3);
    }

    @Test
    void atTheCapOfTheHopTheIdleOneOfAnotherClientGoes() {
        Desk desk = new Desk(limits(10, 100, 2, NO_LIMIT));
        Slot<String> leased = desk.opened(ALICE);
        desk.idle(ALICE, "alice's");

        Asker bob = desk.ask(BOB);

        assertThat(bob.got()).isEqualTo("new");
        assertThat(desk.closed).containsExactly("alice's");
        assertThat(desk.ask(BOB).got()).isEqualTo("waits");
        desk.discard(leased);
    }

    @Test
    void whoWaitsGetsThePlaceOfTheFirstThatIsGivenBack() {
        Desk desk = new Desk(limits(10, 100, 1, NO_LIMIT));
        Slot<String> alices = desk.opened(ALICE);
        Asker bob = desk.ask(BOB);
        Asker another = desk.ask(A);
        assertThat(List.of(bob.got(), another.got())).containsExactly("waits", "waits");

        desk.park(alices, "alice's");

        assertThat(desk.closed).containsExactly("alice's");
        assertThat(bob.got()).isEqualTo("new");
        assertThat(another.got()).isEqualTo("waits");
        desk.discard(desk.open(bob.slot()));
        assertThat(another.got()).isEqualTo("new");
    }

    @Test
    void aFreshOneTakesThePlaceOfTheOldestOfAll() {
        Desk desk = new Desk(limits(10, 100, 2, NO_LIMIT));
        desk.idle(ALICE, "alice's");
        desk.idle(BOB, "bob's");

        assertThat(desk.askFresh(BOB).got()).isEqualTo("new");
        assertThat(desk.closed).containsExactly("alice's");
        assertThat(desk.ask(BOB).got()).isEqualTo("bob's");
    }

    @Test
    void othersWaitNotForItsCap() {
        Desk desk = new Desk(limits(10, 100, 1, NO_LIMIT));
        desk.opened(ALICE);

        assertThat(desk.ask(B).got()).isEqualTo("new");
        assertThat(desk.ask(A.withIdentity("alice")).got()).isEqualTo("new");
    }

    @Test
    void sparesGoLast() {
        Desk desk = new Desk(limits(2, 100, NO_LIMIT, NO_LIMIT));
        desk.run(work -> desk.pool.warm(A, 1, work));
        desk.park(desk.open(desk.pool.openSpares(A, 1).get(0)), "spare");

        desk.idle(ALICE, "alice's");
        desk.idle(BOB, "bob's");

        assertThat(desk.closed).containsExactly("alice's");
        assertThat(desk.ask(A).got()).isEqualTo("spare");
    }

    @Test
    void theCapHoldsTheSparesOfAllClientsTogether() {
        Desk desk = new Desk(limits(2, 100, NO_LIMIT, NO_LIMIT));
        desk.run(work -> desk.pool.warm(A, 1, work));

        assertThatThrownBy(() -> desk.run(work -> desk.pool.warm(ALICE, 2, work)))
                .isInstanceOf(IllegalArgumentException.class);
    }

    @Test
    void whatLiesIdleForAClientGoesWithHim() {
        Desk desk = new Desk(unlimited());
        desk.idle(ALICE, "1", "2");
        desk.idle(B.forClient(client(1)), "3");
        desk.idle(BOB, "4");
        desk.idle(A, "5");
        desk.opened(A.forClient(client(3)));

        desk.run(work -> desk.pool.forget(client(1), work));
        desk.run(work -> desk.pool.forget(client(3), work));

        assertThat(desk.closed).containsExactly("1", "2", "3");
        assertThat(desk.pool.stats().evicted(Eviction.CLIENT_GONE)).isEqualTo(3);
        assertThat(desk.pool.stats().idle()).isEqualTo(2);
    }

    @Test
    void whatHasExpiredIsTakenOutInTheMiddle() {
        Desk desk = new Desk(limits(3, 100, NO_LIMIT, NO_LIMIT));
        desk.idle(ALICE, "1");
        desk.idle(BOB, "2");
        desk.idle(A, "3");
        assertThat(desk.ask(BOB).got()).isEqualTo("2");
        desk.idle(BOB, "4", "5");

        assertThat(desk.closed).containsExactly("1");
        desk.pass(100);
        assertThat(desk.closed).containsExactly("1", "3", "4", "5");
        assertThat(desk.pool.stats().idle()).isZero();
    }
}
