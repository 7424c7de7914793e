package io.broxy.core.internal.pool;

import static io.broxy.core.internal.pool.Desk.A;
import static io.broxy.core.internal.pool.Desk.B;
import static io.broxy.core.internal.pool.Desk.C;
import static io.broxy.core.internal.pool.Desk.limits;
import static io.broxy.core.internal.pool.Desk.unlimited;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.broxy.ConnPool;
import io.broxy.HostPort;
import io.broxy.PoolStats;
import io.broxy.PoolStats.Eviction;
import io.broxy.core.internal.pool.Counters.Ending;
import io.broxy.core.internal.pool.Desk.Asker;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;

/** Specifies what the pool's policy decides, without sockets and with a manual clock. */
class IdlePoolTest {
    private static final int NO_LIMIT = Integer.MAX_VALUE;

    @Nested
    class Reuse {
        private final Desk desk = new Desk(unlimited());

        @Test
        void theFirstLeaseOpens() {
            assertThat(desk.ask(A).got()).isEqualTo("new");
        }

        @Test
        void theLastUsedIsLeasedFirst() {
            desk.idle(A, "first", "second", "third");
            assertThat(desk.ask(A).got()).isEqualTo("third");
            assertThat(desk.ask(A).got()).isEqualTo("second");
            assertThat(desk.ask(A).got()).isEqualTo("first");
            assertThat(desk.ask(A).got()).isEqualTo("new");
        }

        @Test
        void keysDoNotMix() {
            desk.idle(A, "a");
            assertThat(desk.ask(B).got()).isEqualTo("new");
            assertThat(desk.ask(A.withIdentity("alice")).got()).isEqualTo("new");
            assertThat(desk.ask(ConnPool.Key.of(A.address(), request -> Desk.NEVER.dial(request)))
                            .got())
                    .isEqualTo("new");
            assertThat(desk.ask(ConnPool.Key.of(HostPort.of("A.example.", 80), Desk.NEVER))
                            .got())
                    .isEqualTo("a");
        }

        @Test
        void theLoopsOwnIsAskedFirstAndOthersSecond() {
            desk.idle(A, "here-1", "here-2");
            desk.park(desk.opened(B), "b");
            Asker opened = desk.ask(A, "nowhere");
            assertThat(opened.got()).isEqualTo("here-2");
            desk.park(opened.slot(), "there", "loop-2");
            assertThat(desk.ask(A, "loop-1").got()).isEqualTo("here-1");
            assertThat(desk.ask(A, "loop-1").got()).isEqualTo("there");
            assertThat(desk.ask(A, "loop-1").got()).isEqualTo("new");
        }

        @Test
        void withoutALoopTheNewestOfAllIsLeased() {
            desk.idle(A, "1", "2");
            desk.park(desk.ask(A).slot(), "2", "loop-2");
            assertThat(desk.ask(A, null).got()).isEqualTo("2");
        }

        @Test
        void aLeaseEndsOnce() {
            Slot<String> slot = desk.opened(A);
            assertThat(desk.pool.end(slot, Ending.DETACHED)).isTrue();
            assertThat(desk.pool.end(slot, Ending.DETACHED)).isFalse();
            assertThat(desk.pool.end(slot, Ending.DISCARDED)).isFalse();
            desk.park(slot, "detached");
            assertThat(desk.ask(A).got()).isEqualTo("new");
            assertThat(desk.pool.stats().detached()).isEqualTo(1);
            assertThat(desk.pool.stats().discarded()).isZero();
        }
    }

    @Nested
    class Time {
        private final Desk desk = new Desk(unlimited());

        @Test
        void idleConnectionIsEvictedAtItsTimeout() {
            desk.idle(A, "a");
            desk.pass(50);
            desk.idle(B, "b");
            desk.pass(49);
            assertThat(desk.closed).isEmpty();
            desk.pass(1);
            assertThat(desk.closed).containsExactly("a");
            desk.pass(49);
            assertThat(desk.closed).containsExactly("a");
            desk.pass(1);
            assertThat(desk.closed).containsExactly("a", "b");
            assertThat(desk.pool.stats().evicted(Eviction.IDLE_TIMEOUT)).isEqualTo(2);
        }

        @Test
        void useBeginsTheIdleTimeAnew() {
            desk.idle(A, "a");
            desk.pass(99);
            desk.park(desk.ask(A).slot(), "a");
            desk.pass(99);
            assertThat(desk.closed).isEmpty();
            desk.pass(1);
            assertThat(desk.closed).containsExactly("a");
        }

        @Test
        void oneThatIsUsedAllTheTimeIsEvictedAtItsMaximumAge() {
            desk.idle(A, "a");
            for (int i = 0; i < 19; i++) {
                desk.pass(50);
                desk.park(desk.ask(A).slot(), "a");
            }
            desk.pass(49);
            assertThat(desk.closed).isEmpty();
            desk.pass(1);
            assertThat(desk.closed).containsExactly("a");
            assertThat(desk.pool.stats().evicted(Eviction.MAX_AGE)).isEqualTo(1);
        }

        @Test
        void oneThatGrewTooOldInUseIsNotKept() {
            Slot<String> slot = desk.opened(A);
            desk.pass(1_000);
            desk.park(slot, "old");
            assertThat(desk.closed).containsExactly("old");
            assertThat(desk.ask(A).got()).isEqualTo("new");
        }

        @Test
        void anOverdueOneIsNotLeasedThoughNoTimerHasRung() {
            desk.idle(A, "a");
            desk.passUnnoticed(100);
            assertThat(desk.ask(A).got()).isEqualTo("new");
            assertThat(desk.closed).containsExactly("a");
        }

        @Test
        void nothingIdleAsksForNoTimer() {
            desk.idle(A, "a");
            desk.pass(1_000_000);
            assertThat(desk.expireAtNanos).isEqualTo(Long.MAX_VALUE);
        }
    }

    @Nested
    class IdleCaps {

        @Test
        void beyondTheKeysCapTheOldestGoes() {
            Desk desk = new Desk(limits(2, 100, NO_LIMIT, NO_LIMIT));
            desk.idle(B, "b");
            desk.idle(A, "1", "2", "3");
            assertThat(desk.closed).containsExactly("1");
            assertThat(desk.pool.stats().evicted(Eviction.CAP)).isEqualTo(1);
            assertThat(desk.pool.stats().idle()).isEqualTo(3);
        }

        @Test
        void beyondTheTotalTheOldestOfAllGoes() {
            Desk desk = new Desk(limits(10, 3, NO_LIMIT, NO_LIMIT));
            Slot<String> a2 = desk.opened(A);
            Slot<String> a3 = desk.opened(A);
            desk.idle(A, "a1");
            desk.idle(B, "b1");
            desk.park(a2, "a2");
            desk.park(a3, "a3");
            assertThat(desk.closed).containsExactly("a1");
            desk.idle(C, "c1");
            assertThat(desk.closed).containsExactly("a1", "b1");
        }

        @Test
        void aCapOfZeroKeepsNothingButServesWaiters() {
            Desk desk = new Desk(limits(0, 0, 1, NO_LIMIT));
            Slot<String> slot = desk.opened(A);
            Asker waiting = desk.ask(A);
            desk.park(slot, "a");
            assertThat(waiting.got()).isEqualTo("a");
            assertThat(desk.closed).isEmpty();
            desk.park(waiting.slot(), "a");
            assertThat(desk.closed).containsExactly("a");
        }
    }

    @Nested
    class Waiting {

        @Test
        void beyondTheKeysCapItWaitsAndOtherKeysDoNot() {
            Desk desk = new Desk(limits(10, 100, 1, NO_LIMIT));
            Slot<String> slot = desk.opened(A);
            Asker waiting = desk.ask(A);
            assertThat(waiting.got()).isEqualTo("waits");
            assertThat(desk.ask(B).got()).isEqualTo("new");
            assertThat(desk.pool.stats().waiting()).isEqualTo(1);
            desk.park(slot, "a");
            assertThat(waiting.got()).isEqualTo("a");
            assertThat(desk.pool.stats().waiting()).isZero();
            assertThat(desk.pool.stats().idle()).isZero();
        }

        @Test
        void theFirstWaiterIsServedFirst() {
            Desk desk = new Desk(limits(10, 100, NO_LIMIT, 2));
            Slot<String> one = desk.opened(A);
            Slot<String> two = desk.opened(B);
            Asker first = desk.ask(C);
            Asker second = desk.ask(A);
            Asker third = desk.ask(C);
            desk.discard(two);
            assertThat(first.got()).isEqualTo("new");
            assertThat(second.got()).isEqualTo("waits");
            desk.discard(one);
            assertThat(second.got()).isEqualTo("new");
            assertThat(third.got()).isEqualTo("waits");
        }

        @Test
        void aWaiterBehindItsKeysCapDelaysNoOtherKey() {
            Desk desk = new Desk(limits(10, 100, 1, 2));
            Slot<String> one = desk.opened(A);
            Slot<String> two = desk.opened(B);
            Asker first = desk.ask(A);
            Asker second = desk.ask(C);
            desk.discard(two);
            assertThat(first.got()).isEqualTo("waits");
            assertThat(second.got()).isEqualTo("new");
            desk.discard(one);
            assertThat(first.got()).isEqualTo("new");
            assertThat(desk.pool.stats().opening()).isEqualTo(2);
        }

        @Test
        void anIdleOneOfAnotherKeyMakesRoom() {
            Desk desk = new Desk(limits(10, 100, NO_LIMIT, 2));
            desk.idle(A, "a1", "a2");
            assertThat(desk.ask(B).got()).isEqualTo("new");
            assertThat(desk.closed).containsExactly("a1");
            assertThat(desk.pool.stats().evicted(Eviction.CAP)).isEqualTo(1);
            assertThat(desk.ask(A).got()).isEqualTo("a2");
            assertThat(desk.ask(A).got()).isEqualTo("waits");
        }

        @Test
        void aLeaseThatBecomesIdleMakesRoomForAnotherKeysWaiter() {
            Desk desk = new Desk(limits(10, 100, NO_LIMIT, 1));
            Slot<String> slot = desk.opened(A);
            Asker waiting = desk.ask(B);
            desk.park(slot, "a");
            assertThat(desk.closed).containsExactly("a");
            assertThat(waiting.got()).isEqualTo("new");
        }

        @Test
        void detachingMakesRoom() {
            Desk desk = new Desk(limits(10, 100, 1, NO_LIMIT));
            Slot<String> slot = desk.opened(A);
            Asker waiting = desk.ask(A);
            desk.pool.end(slot, Ending.DETACHED);
            assertThat(waiting.got()).isEqualTo("new");
        }

        @Test
        void aFailedDialMakesRoom() {
            Desk desk = new Desk(limits(10, 100, 1, NO_LIMIT));
            Slot<String> opening = desk.ask(A).slot();
            Asker waiting = desk.ask(A);
            desk.pool.openFailed(opening);
            assertThat(waiting.got()).isEqualTo("new");
            assertThat(desk.pool.stats().created()).isZero();
        }

        @Test
        void anEvictionMakesRoom() {
            Desk desk = new Desk(limits(10, 100, 1, NO_LIMIT));
            desk.idle(A, "a");
            Slot<String> slot = desk.ask(A).slot();
            Asker waiting = desk.ask(A);
            desk.pool.drop(slot, Eviction.PEER_CLOSED);
            assertThat(waiting.got()).isEqualTo("new");
        }

        @Test
        void aWaiterThatHasLeftIsNotServed() {
            Desk desk = new Desk(limits(10, 100, 1, NO_LIMIT));
            Slot<String> slot = desk.opened(A);
            Asker first = desk.ask(A);
            Asker second = desk.ask(A);
            assertThat(desk.pool.cancel(A, first)).isTrue();
            assertThat(desk.pool.cancel(A, first)).isFalse();
            desk.park(slot, "a");
            assertThat(first.got()).isEqualTo("waits");
            assertThat(second.got()).isEqualTo("a");
            assertThat(desk.pool.cancel(A, second)).isFalse();
        }

        @Test
        void aNewcomerCannotOvertakeWaiters() {
            Desk desk = new Desk(limits(10, 100, 2, NO_LIMIT));
            Slot<String> one = desk.opened(A);
            desk.opened(A);
            Asker first = desk.ask(A);
            desk.park(one, "a");
            assertThat(desk.ask(A).got()).isEqualTo("waits");
            assertThat(first.got()).isEqualTo("a");
        }

        @Test
        void unnoticedExpiredConnectionsServeEarlierWaiters() {
            Desk desk = new Desk(limits(10, 100, 1, 2));
            desk.idle(B, "b");
            desk.opened(A);
            Asker first = desk.ask(A); // kept by the cap of its key
            desk.passUnnoticed(100);
            assertThat(desk.ask(C).got()).isEqualTo("new");
            assertThat(desk.closed).containsExactly("b");
            assertThat(first.got()).isEqualTo("waits");
        }
    }

    @Nested
    class Death {
        private final Desk desk = new Desk(limits(10, 100, 2, NO_LIMIT));

        @Test
        void oneOfEvictionAndLeaseWins() {
            desk.idle(A, "a");
            Slot<String> slot = desk.ask(A).slot();
            assertThat(desk.pool.evict(slot, Eviction.PEER_CLOSED)).isFalse();
            assertThat(desk.pool.hold(slot)).isFalse();
            desk.park(slot, "a");
            assertThat(desk.pool.evict(slot, Eviction.PEER_CLOSED)).isTrue();
            assertThat(desk.pool.evict(slot, Eviction.PEER_CLOSED)).isFalse();
            assertThat(desk.ask(A).got()).isEqualTo("new");
            assertThat(desk.pool.stats().evicted()).isEqualTo(1);
            assertThat(desk.closed).as("the caller that evicts one closes it").isEmpty();
        }

        @Test
        void aHeldConnectionIsNotLeased() {
            desk.idle(A, "a", "b");
            Slot<String> slot = desk.ask(A).slot();
            desk.park(slot, "b");
            assertThat(desk.pool.hold(slot)).isTrue();
            assertThat(desk.ask(A).got()).isEqualTo("a");
            Asker waiting = desk.ask(A);
            assertThat(waiting.got()).isEqualTo("waits");
            desk.park(slot, "b");
            assertThat(waiting.got()).isEqualTo("b");
        }

        @Test
        void whileThePoolReadsItItCountsAsIdle() {
            desk.idle(A, "a", "b");
            Slot<String> survivor = desk.ask(A).slot();
            desk.park(survivor, "b");
            assertThat(desk.pool.hold(survivor)).isTrue();
            assertIdleAndLeased(2, 0);
            desk.pool.resume(survivor, "b", Desk.HOME);
            assertIdleAndLeased(2, 0);
            assertThat(desk.pool.hold(survivor)).isTrue();
            desk.pool.died(survivor, Eviction.STRAY_BYTES, survivor.idleNanos);
            assertIdleAndLeased(1, 0);
            assertThat(desk.ask(A).got()).isEqualTo("a");
            assertIdleAndLeased(0, 1);
        }

        private void assertIdleAndLeased(int idle, int leased) {
            assertThat(desk.pool.stats().idle()).isEqualTo(idle);
            assertThat(desk.pool.stats().leased()).isEqualTo(leased);
        }

        @Test
        void insteadOfADeadOneThereIsAnotherOrItsPlace() {
            desk.idle(A, "alive", "dead");
            Slot<String> dead = desk.ask(A).slot();
            assertThat(dead.parked()).isEqualTo("dead");
            Slot<String> other = desk.pool.replace(dead, Eviction.PEER_CLOSED, Desk.HOME, IdleUse.ANY);
            assertThat(other).isNotNull();
            assertThat(other.parked()).isEqualTo("alive");
            Slot<String> fresh = desk.pool.replace(other, Eviction.PEER_CLOSED, Desk.HOME, IdleUse.ANY);
            assertThat(fresh).isNotNull();
            assertThat(fresh.parked()).isNull();
            PoolStats stats = desk.pool.stats();
            assertThat(stats.reused()).isZero();
            assertThat(stats.opening()).isEqualTo(1);
            assertThat(stats.leased()).isZero();
            assertThat(stats.evicted(Eviction.PEER_CLOSED)).isEqualTo(2);
        }

        @Test
        void thePlaceOfADeadOneIsNotGivenToAWaiter() {
            desk.idle(A, "1", "2");
            Slot<String> dead = desk.ask(A).slot();
            desk.ask(A);
            Asker waiting = desk.ask(A);
            assertThat(desk.pool.replace(dead, Eviction.FAILED, null, IdleUse.ANY))
                    .isNotNull();
            assertThat(waiting.got()).isEqualTo("waits");
        }

        @Test
        void onePutBackUnusedIsIdleAgainAndWasNotReused() {
            desk.idle(A, "a");
            Slot<String> slot = desk.ask(A).slot();
            desk.pool.putBack(slot, "a", Desk.HOME);
            assertThat(desk.pool.stats().reused()).isZero();
            assertThat(desk.ask(A).got()).isEqualTo("a");
        }
    }

    @Nested
    class Close {
        private final Desk desk = new Desk(limits(10, 100, 3, NO_LIMIT));

        @Test
        void idleOnesAreClosedAndWaitersAreRefused() {
            desk.idle(A, "1", "2", "3");
            desk.ask(A);
            Slot<String> leased = desk.ask(A).slot();
            desk.idle(B, "b");
            desk.ask(A);
            Asker waiting = desk.ask(A);
            desk.pool.close();
            desk.pool.close();
            assertThat(desk.closed).containsExactly("b");
            assertThat(waiting.got()).isEqualTo("refused");
            assertThat(desk.ask(A).got()).isEqualTo("refused");
            desk.park(leased, "2");
            assertThat(desk.closed).containsExactly("b", "2");
            assertThat(desk.pool.stats().evicted(Eviction.CLOSED)).isEqualTo(2);
            assertThatThrownBy(() -> desk.pool.warm(A, 1)).isInstanceOf(IllegalStateException.class);
        }

        @Test
        void oneOpenedTooLateIsRefused() {
            Slot<String> opening = desk.ask(A).slot();
            desk.pool.close();
            assertThat(desk.pool.opened(opening)).isFalse();
            assertThat(desk.pool.stats().created()).isZero();
            assertThat(desk.pool.stats().opening()).isZero();
        }

        @Test
        void aDeadOneIsNotReplaced() {
            desk.idle(A, "a");
            Slot<String> leased = desk.ask(A).slot();
            desk.pool.close();
            assertThat(desk.pool.replace(leased, Eviction.FAILED, null, IdleUse.ANY))
                    .isNull();
            assertThat(desk.pool.stats().leased()).isZero();
        }
    }

    @Nested
    class Spares {
        private final Desk desk = new Desk(limits(3, 4, 4, 5));

        private void refill(ConnPool.Key key, String... names) {
            var slots = desk.pool.openSpares(key, NO_LIMIT);
            assertThat(slots).hasSize(names.length);
            for (int i = 0; i < names.length; i++) {
                desk.park(desk.open(slots.get(i)), names[i]);
            }
        }

        @Test
        void missingOnesAreAskedForOnce() {
            desk.pool.warm(A, 2);
            assertThat(desk.news).containsExactly("a MISSING");
            desk.ask(A);
            assertThat(desk.news).containsExactly("a MISSING");
            refill(A, "1", "2");
            assertThat(desk.news).containsExactly("a MISSING");
            assertThat(desk.pool.openSpares(A, NO_LIMIT)).isEmpty();
        }

        @Test
        void oneThatIsUsedOrLostIsReplaced() {
            desk.pool.warm(A, 2);
            refill(A, "1", "2");
            desk.news.clear();
            assertThat(desk.ask(A).got()).isEqualTo("2");
            assertThat(desk.news).containsExactly("a USED", "a MISSING");
            refill(A, "3");
            desk.pass(100);
            assertThat(desk.closed).containsExactly("1", "3");
            assertThat(desk.news).containsExactly("a USED", "a MISSING", "a MISSING");
        }

        @Test
        void onlyOneLostYoungSpeaksAgainstTheKey() {
            desk.pool.warm(A, 1);
            var slots = desk.pool.openSpares(A, NO_LIMIT);
            desk.park(desk.open(slots.get(0)), "young");
            desk.news.clear();
            desk.pass(1);
            desk.pool.evict(slots.get(0), Eviction.PEER_CLOSED);
            assertThat(desk.news).containsExactly("a LOST", "a MISSING");
            var later = desk.pool.openSpares(A, NO_LIMIT);
            desk.park(desk.open(later.get(0)), "older");
            desk.news.clear();
            desk.pass(10);
            desk.pool.evict(later.get(0), Eviction.PEER_CLOSED);
            assertThat(desk.news).containsExactly("a MISSING");
        }

        @Test
        void oneThatCannotBeOpenedIsLostAndMissing() {
            desk.pool.warm(A, 1);
            desk.news.clear();
            var slots = desk.pool.openSpares(A, NO_LIMIT);
            desk.pool.openFailed(slots.get(0));
            assertThat(desk.news).containsExactly("a LOST", "a MISSING");
        }

        @Test
        void theyTakeNoMoreThanTheCapsOnOpenOnesLeave() {
            desk.opened(A);
            desk.opened(B);
            Slot<String> leased = desk.opened(B);
            desk.pool.warm(A, 3);
            refill(A, "1", "2");
            assertThat(desk.pool.openSpares(A, NO_LIMIT)).isEmpty();
            desk.news.clear();
            desk.discard(leased);
            assertThat(desk.news).containsExactly("a MISSING");
            refill(A, "3");
        }

        @Test
        void thoseOfOtherKeysGoLastWhenRoomIsNeeded() {
            desk.pool.warm(A, 2);
            refill(A, "spare-1", "spare-2");
            desk.pass(1);
            desk.idle(B, "b1", "b2");
            desk.idle(C, "c");
            assertThat(desk.closed).containsExactly("b1");
        }

        @Test
        void moreThanTheIdleCapsHoldAreRefused() {
            assertThatThrownBy(() -> desk.pool.warm(A, 4)).isInstanceOf(IllegalArgumentException.class);
            desk.pool.warm(A, 3);
            assertThatThrownBy(() -> desk.pool.warm(B, 2))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContaining("5 in all");
            desk.pool.warm(A, 2);
            desk.pool.warm(B, 2);
        }

        @Test
        void noneAreWantedAnyMore() {
            desk.pool.warm(A, 2);
            refill(A, "1", "2");
            desk.pool.warm(A, 0);
            desk.news.clear();
            assertThat(desk.ask(A).got()).isEqualTo("2");
            assertThat(desk.news).isEmpty();
            assertThat(desk.pool.openSpares(A, NO_LIMIT)).isEmpty();
        }
    }

    @Test
    void statsAddUp() {
        Desk desk = new Desk(unlimited());
        desk.idle(A, "1", "2", "3", "4");
        desk.discard(desk.ask(A).slot());
        desk.pool.end(desk.ask(A).slot(), Ending.LEAKED);
        desk.ask(A);
        desk.ask(B);
        desk.pass(100);
        PoolStats stats = desk.pool.stats();
        assertThat(stats.created()).isEqualTo(4);
        assertThat(stats.reused()).isEqualTo(3);
        assertThat(stats.leaked()).isEqualTo(1);
        assertThat(stats.opening()).isEqualTo(1);
        assertThat(stats.idle()
                        + stats.leased()
                        + stats.evicted()
                        + stats.discarded()
                        + stats.detached()
                        + stats.leaked())
                .isEqualTo(stats.created());
        assertThat(stats.toString()).contains("created 4", "IDLE_TIMEOUT 1");
    }
}
