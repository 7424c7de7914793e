package io.broxy.core.internal.pool;

import static io.broxy.core.internal.pool.Desk.A;
import static io.broxy.core.internal.pool.Desk.B;
import static io.broxy.core.internal.pool.Desk.HOME;
import static io.broxy.core.internal.pool.Desk.limits;
import static io.broxy.core.internal.pool.Desk.unlimited;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.broxy.ConnPool;
import io.broxy.PoolStats;
import io.broxy.PoolStats.Eviction;
import io.broxy.core.internal.pool.Desk.Asker;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Specifies that connections of different keys never mix, what the caps of one key count, and how a lease that takes no idle one gets its place. */
class PoolKeysTest {
    private static final int NO_LIMIT = Integer.MAX_VALUE;
    private static final ConnPool.Key ALICE = A.withIdentity("alice");
    private static final ConnPool.Key BOB = A.withIdentity("bob");

    @Test
    void noLeaseGetsTheConnectionOfAnother() {
        Desk desk = new Desk(unlimited());
        desk.idle(ALICE, "alice's");
        desk.idle(A, "nobody's");

        assertThat(desk.ask(BOB).got()).isEqualTo("new");
        assertThat(desk.ask(A.withIdentity("alice")).got()).isEqualTo("alice's");
        assertThat(desk.ask(ALICE).got()).isEqualTo("new");
        assertThat(desk.ask(A).got()).isEqualTo("nobody's");
        assertThat(desk.ask(A).got()).isEqualTo("new");
    }

    @Test
    void theIdleOnesOfAKeyAreCapped() {
        Desk desk = new Desk(limits(2, 100, NO_LIMIT, NO_LIMIT));
        desk.idle(B, "b1", "b2");
        desk.idle(A, "a1", "a2", "a3", "a4", "a5");

        assertThat(desk.closed).containsExactly("a1", "a2", "a3");
        PoolStats stats = desk.pool.stats();
        assertThat(stats.idle()).isEqualTo(4);
        assertThat(stats.evicted(Eviction.CAP)).isEqualTo(3);
    }

    @Test
    void atTheCapOfTheKeyAnIdleOneGoesForALeaseThatTakesNone() {
        Desk desk = new Desk(limits(10, 100, 2, NO_LIMIT));
        Slot<String> leased = desk.opened(A);
        desk.idle(A, "idle");

        Asker fresh = desk.askFresh(A);

        assertThat(fresh.got()).isEqualTo("new");
        assertThat(desk.closed).containsExactly("idle");
        assertThat(desk.askFresh(A).got()).isEqualTo("waits");
        desk.discard(leased);
    }

    @Test
    void aWaiterGetsThePlaceOfTheFirstThatIsGivenBack() {
        Desk desk = new Desk(limits(10, 100, 1, NO_LIMIT));
        Slot<String> leased = desk.opened(A);
        Asker fresh = desk.askFresh(A);
        Asker another = desk.ask(A);
        assertThat(List.of(fresh.got(), another.got())).containsExactly("waits", "waits");

        desk.park(leased, "idle");

        assertThat(desk.closed).containsExactly("idle");
        assertThat(fresh.got()).isEqualTo("new");
        assertThat(another.got()).isEqualTo("waits");
        desk.discard(desk.open(fresh.slot()));
        assertThat(another.got()).isEqualTo("new");
    }

    @Test
    void aFreshOneTakesThePlaceOfTheOldest() {
        Desk desk = new Desk(limits(10, 100, 2, NO_LIMIT));
        desk.idle(A, "older", "newer");

        assertThat(desk.askFresh(A).got()).isEqualTo("new");
        assertThat(desk.closed).containsExactly("older");
        assertThat(desk.ask(A).got()).isEqualTo("newer");
    }

    @Test
    void othersWaitNotForItsCap() {
        Desk desk = new Desk(limits(10, 100, 1, NO_LIMIT));
        desk.opened(A);

        assertThat(desk.ask(B).got()).isEqualTo("new");
        assertThat(desk.ask(ALICE).got()).isEqualTo("new");
    }

    @Test
    void sparesGoLast() {
        Desk desk = new Desk(limits(2, 2, NO_LIMIT, NO_LIMIT));
        desk.pool.warm(A, 1);
        desk.park(desk.open(desk.pool.openSpares(A, 1).get(0)), "spare");

        desk.idle(ALICE, "alice's");
        desk.idle(BOB, "bob's");

        assertThat(desk.closed).containsExactly("alice's");
        assertThat(desk.ask(A).got()).isEqualTo("spare");
    }

    @Test
    void theCapHoldsTheSparesOfAllKeysTogether() {
        Desk desk = new Desk(limits(2, 2, NO_LIMIT, NO_LIMIT));
        desk.pool.warm(A, 1);

        assertThatThrownBy(() -> desk.pool.warm(ALICE, 2)).isInstanceOf(IllegalArgumentException.class);
    }

    @Test
    void whatHasExpiredIsTakenOutInTheMiddle() {
        Desk desk = new Desk(limits(3, 100, NO_LIMIT, NO_LIMIT));
        List<Slot<String>> slots = List.of(desk.opened(A), desk.opened(A), desk.opened(A));
        desk.park(slots.get(0), "1");
        desk.park(slots.get(1), "2", "loop-2");
        desk.park(slots.get(2), "3");
        assertThat(desk.ask(A, "loop-2").got()).isEqualTo("2");
        Slot<String> fourth = desk.open(desk.askFresh(A).slot());
        Slot<String> fifth = desk.open(desk.askFresh(A).slot());
        desk.park(fourth, "4", HOME);
        desk.park(fifth, "5", HOME);

        assertThat(desk.closed).containsExactly("1");
        desk.pass(100);
        assertThat(desk.closed).containsExactly("1", "3", "4", "5");
        assertThat(desk.pool.stats().idle()).isZero();
    }
}
