package io.broxy.core.internal.pool;

import static io.broxy.core.internal.pool.Desk.A;
import static io.broxy.core.internal.pool.Desk.B;
import static io.broxy.core.internal.pool.Desk.limits;
import static io.broxy.core.internal.pool.Desk.unlimited;
import static org.assertj.core.api.Assertions.assertThat;

import io.broxy.PoolStats.Eviction;
import io.broxy.core.internal.pool.Desk.Asker;
import org.junit.jupiter.api.Test;

/** Specifies which place the pool's policy gives to a lease that takes no idle connection. */
class FreshPlacesTest {
    private static final int NO_LIMIT = Integer.MAX_VALUE;

    @Test
    void idleOnesStayForOthers() {
        Desk desk = new Desk(unlimited());
        desk.idle(A, "1", "2");

        assertThat(desk.askFresh(A).got()).isEqualTo("new");
        assertThat(desk.ask(A).got()).isEqualTo("2");
        assertThat(desk.ask(A).got()).isEqualTo("1");
        assertThat(desk.closed).isEmpty();
    }

    @Test
    void atTheKeysCapItsOldestIdleOneGoes() {
        Desk desk = new Desk(limits(10, 100, 2, NO_LIMIT));
        desk.idle(A, "1", "2");
        desk.idle(B, "b");

        assertThat(desk.askFresh(A).got()).isEqualTo("new");
        assertThat(desk.closed).containsExactly("1");
        assertThat(desk.ask(A).got()).isEqualTo("2");
        assertThat(desk.ask(A).got()).isEqualTo("waits");
        assertThat(desk.pool.stats().evicted(Eviction.CAP)).isEqualTo(1);
    }

    @Test
    void atTheWholeCapTheOldestIdleOneOfAllGoes() {
        Desk desk = new Desk(limits(10, 100, NO_LIMIT, 2));
        desk.idle(B, "b");
        desk.idle(A, "a");

        assertThat(desk.askFresh(A).got()).isEqualTo("new");
        assertThat(desk.closed).containsExactly("b");
    }

    @Test
    void atBothCapsOneGoesAndNotTwo() {
        Desk desk = new Desk(limits(10, 100, 1, 2));
        desk.idle(B, "b");
        desk.idle(A, "a");

        assertThat(desk.askFresh(A).got()).isEqualTo("new");
        assertThat(desk.closed).containsExactly("a");
        assertThat(desk.ask(B).got()).isEqualTo("b");
    }

    @Test
    void aWaiterGetsThePlaceOfAReturnedConnectionAndNotTheConnection() {
        Desk desk = new Desk(limits(10, 100, 1, NO_LIMIT));
        Slot<String> held = desk.opened(A);
        Asker waiting = desk.askFresh(A);
        assertThat(waiting.got()).isEqualTo("waits");

        desk.park(held, "a");

        assertThat(waiting.got()).isEqualTo("new");
        assertThat(desk.closed).containsExactly("a");
        desk.park(desk.open(waiting.slot()), "fresh");
        assertThat(desk.ask(A).got()).isEqualTo("fresh");
    }

    @Test
    void waitersKeepTheOrderOfArrival() {
        Desk desk = new Desk(limits(10, 100, 1, NO_LIMIT));
        Slot<String> held = desk.opened(A);
        Asker first = desk.ask(A);
        Asker second = desk.askFresh(A);
        Asker third = desk.ask(A);

        desk.park(held, "a");
        assertThat(first.got()).isEqualTo("a");
        assertThat(second.got()).isEqualTo("waits");
        desk.park(first.slot(), "a");
        assertThat(second.got()).isEqualTo("new");
        assertThat(third.got()).isEqualTo("waits");
        desk.park(desk.open(second.slot()), "fresh");
        assertThat(third.got()).isEqualTo("fresh");
    }

    @Test
    void aPlaceThatCannotBeFilledGoesToTheNext() {
        Desk desk = new Desk(limits(10, 100, 1, NO_LIMIT));
        desk.idle(A, "a");
        Asker fresh = desk.askFresh(A);
        Asker next = desk.ask(A);
        assertThat(next.got()).isEqualTo("waits");

        desk.pool.openFailed(fresh.slot());

        assertThat(next.got()).isEqualTo("new");
        assertThat(desk.pool.stats().opening()).isEqualTo(1);
    }

    @Test
    void aSpareThatWentForItIsOpenedAnewWhenThereIsRoom() {
        Desk desk = new Desk(limits(10, 100, 1, NO_LIMIT));
        desk.pool.warm(A, 1);
        Slot<String> spare = desk.pool.openSpares(A, 1).get(0);
        desk.park(desk.open(spare), "spare");

        Asker fresh = desk.askFresh(A);
        assertThat(fresh.got()).isEqualTo("new");
        assertThat(desk.closed).containsExactly("spare");
        assertThat(desk.pool.openSpares(A, 1))
                .as("the cap has no room for it now")
                .isEmpty();
        desk.news.clear();
        desk.discard(desk.open(fresh.slot()));
        assertThat(desk.news).containsExactly("a MISSING");
        assertThat(desk.pool.openSpares(A, 1)).hasSize(1);
    }
}
