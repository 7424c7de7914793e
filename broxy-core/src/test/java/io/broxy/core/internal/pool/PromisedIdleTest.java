package io.broxy.core.internal.pool;

import static io.broxy.core.internal.pool.Desk.A;
import static io.broxy.core.internal.pool.Desk.B;
import static io.broxy.core.internal.pool.Desk.HOME;
import static io.broxy.core.internal.pool.Desk.limits;
import static io.broxy.core.internal.pool.Desk.unlimited;
import static org.assertj.core.api.Assertions.assertThat;

import io.broxy.ConnPool;
import io.broxy.HostPort;
import io.broxy.PoolStats.Eviction;
import io.broxy.core.internal.pool.Counters.Ending;
import io.broxy.core.internal.pool.Slot.Promise;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;

/**
 * Specifies how long an idle connection can be used, by its peer's promise ({@code Keep-Alive}) and by how that peer
 * kept earlier ones, for requests that can be sent again and for those that cannot.
 */
class PromisedIdleTest {
    private static final int NO_LIMIT = Integer.MAX_VALUE;

    private final Desk desk = new Desk(unlimited());

    /** Opens a connection and parks it after an answer that promises a number of seconds, or nothing if negative. */
    private Slot<String> idle(ConnPool.Key key, String name, long promisedSeconds) {
        Slot<String> slot = desk.open(desk.askFresh(key).slot());
        answered(slot, name, promisedSeconds, -1);
        return slot;
    }

    private void answered(Slot<String> slot, String name, long promisedSeconds, int max) {
        slot.promise.answered(promisedSeconds < 0 ? -1 : TimeUnit.SECONDS.toNanos(promisedSeconds), max);
        desk.park(slot, name);
    }

    /** The peer closes an idle connection. */
    private void close(Slot<String> slot) {
        assertThat(desk.pool.hold(slot)).isTrue();
        desk.pool.died(slot, Eviction.PEER_CLOSED, slot.idleNanos);
    }

    @Nested
    class WhatCannotBeSentTwice {
        @Test
        void takesNoConnectionWithoutAPromise() {
            idle(A, "1", -1);

            assertThat(desk.askPromised(A).got()).isEqualTo("new");
        }

        @Test
        void takesOneThatIsIdleForLessThanAQuarterOfItsPromise() {
            idle(A, "1", 60);
            desk.passUnnoticed(14);

            assertThat(desk.askPromised(A).got()).isEqualTo("1");
        }

        @Test
        void takesNoneThatIsIdleForLonger() {
            idle(A, "1", 60);
            desk.passUnnoticed(15);

            assertThat(desk.askPromised(A).got()).isEqualTo("new");
        }

        @Test
        void takesNoneAfterASecondWhenASecondWasPromised() {
            idle(A, "1", 1);
            assertThat(desk.askPromised(A).got()).isEqualTo("1");
            idle(A, "2", 1);
            desk.passUnnoticed(1);

            assertThat(desk.askPromised(A).got()).isEqualTo("new");
        }

        @Test
        void findsThePromisedOneOfAnotherLoop() {
            Slot<String> promised = desk.open(desk.askFresh(A).slot());
            idle(A, "own", -1);
            promised.promise.answered(TimeUnit.SECONDS.toNanos(60), -1);
            desk.park(promised, "other's", "loop-2");

            assertThat(desk.askPromised(A).got()).isEqualTo("other's");
        }

        @Test
        void takesThePlaceOfTheOneThatIsIdleLongest() {
            desk.idle(A, "1", "2");
            desk.idle(B, "b");

            assertThat(desk.askPromised(A).got()).isEqualTo("new");
            assertThat(desk.closed).containsExactly("1");
            assertThat(desk.pool.stats().evicted(Eviction.REPLACED)).isEqualTo(1);
            assertThat(desk.ask(A).got()).isEqualTo("2");
        }

        @Test
        void leavesNoMoreConnectionsWithEachRequest() {
            for (int i = 0; i < 20; i++) {
                Slot<String> slot = desk.open(desk.askPromised(A).slot());
                answered(slot, "post " + i, -1, -1);
                Slot<String> again = desk.ask(A).slot();
                assertThat(again.parked()).isEqualTo("post " + i);
                answered(again, "get " + i, -1, -1);
            }
            assertThat(desk.pool.stats().idle()).isEqualTo(1);
        }

        @Test
        void takesNothingFromOtherIdentities() {
            ConnPool.Key one = A.withIdentity("one");
            ConnPool.Key other = A.withIdentity("other");
            idle(one, "1", -1);

            assertThat(desk.askPromised(other).got()).isEqualTo("new");
            assertThat(desk.closed).isEmpty();
        }

        @Test
        void takesNoSpareAndLeavesItToOthers() {
            desk.pool.warm(A, 1);
            for (Slot<String> spare : desk.pool.openSpares(A, 1)) {
                desk.park(desk.open(spare), "spare");
            }

            assertThat(desk.askPromised(A).got()).isEqualTo("new");
            assertThat(desk.closed).isEmpty();
            assertThat(desk.ask(A).got()).isEqualTo("spare");
        }

        @Test
        void waitsAtTheCapForAPlaceOrAPromise() {
            Desk capped = new Desk(limits(10, 100, 1, NO_LIMIT));
            Slot<String> leased = capped.opened(A);
            Desk.Asker first = capped.askPromised(A);
            assertThat(first.got()).isEqualTo("waits");
            leased.promise.answered(TimeUnit.SECONDS.toNanos(60), -1);
            capped.park(leased, "promised");
            assertThat(first.got()).isEqualTo("promised");

            Desk.Asker second = capped.askPromised(A);
            leased.promise.forget();
            capped.park(leased, "nothing promised");
            assertThat(second.got()).isEqualTo("new");
            assertThat(capped.closed).containsExactly("nothing promised");
        }

        @Test
        void getsTheDeadOnesPlaceWhenThePromiseWasBroken() {
            idle(A, "older", 60);
            idle(A, "newer", 60);
            Slot<String> dead = desk.askPromised(A).slot();
            assertThat(dead.parked()).isEqualTo("newer");
            Slot<String> instead = desk.pool.replace(dead, Eviction.PEER_CLOSED, HOME, IdleUse.PROMISED);
            assertThat(instead).isNotNull();
            assertThat(instead.parked()).isNull();
        }
    }

    @Nested
    class WhatCanBeSentOnceMore {
        @Test
        void usesAConnectionUntilAMarginBeforeThePromiseEnds() {
            idle(A, "1", 5);
            desk.pass(3);
            assertThat(desk.ask(A).got()).isEqualTo("1");

            idle(A, "2", 5);
            desk.passUnnoticed(4);
            assertThat(desk.ask(A).got()).isEqualTo("new");
        }

        @Test
        void leavesTheConnectionToBeClosedThen() {
            idle(A, "1", 5);
            desk.pass(4);

            assertThat(desk.closed).containsExactly("1");
            assertThat(desk.pool.stats().evicted(Eviction.IDLE_TIMEOUT)).isEqualTo(1);
        }

        @Test
        void aLongPromiseIsNoLongerThanTheIdleTimeout() {
            idle(A, "1", 86_400);
            desk.pass(99);
            assertThat(desk.closed).isEmpty();
            desk.pass(1);
            assertThat(desk.closed).containsExactly("1");
        }

        @Test
        void anAnswerWithoutAPromiseEndsTheOneBefore() {
            idle(A, "1", 5);
            Slot<String> again = desk.ask(A).slot();
            answered(again, "2", -1, -1);
            desk.pass(60);

            assertThat(desk.ask(A).got()).isEqualTo("2");
        }
    }

    @Nested
    class WhatIsLeasedUnread {
        private Slot<String> leased(Desk.Asker asker) {
            assertThat(asker.got()).isEqualTo("1");
            return asker.slot();
        }

        private void spoil(Slot<String> slot) {
            assertThat(desk.pool.hold(slot)).isTrue();
            desk.pool.died(slot, Eviction.STRAY_BYTES, slot.idleNanos);
        }

        @Test
        void isForRequestsThatCanBeSentOnceMore() {
            idle(A, "1", 60);
            Slot<String> slot = leased(desk.askUnread(A));
            assertThat(slot.unread).isTrue();
            answered(slot, "1", 60, -1);
            assertThat(leased(desk.ask(A)).unread).isFalse();
            answered(slot, "1", 60, -1);
            assertThat(leased(desk.askPromised(A)).unread).isFalse();
        }

        @Test
        void isReadForAMinuteWhereThePeerHasSentWhatWasNotAskedFor() {
            Slot<String> spoilt = idle(A, "0", -1);
            idle(B, "1", -1);
            spoil(spoilt);

            Slot<String> ofOther = leased(desk.askUnread(B));
            assertThat(ofOther.unread).as("of another key").isTrue();
            idle(A, "1", -1);
            Slot<String> slot = leased(desk.askUnread(A));
            assertThat(slot.unread).as("of the same key").isFalse();
            desk.passUnnoticed(60);
            answered(slot, "1", -1, -1);
            assertThat(leased(desk.askUnread(A)).unread).as("a minute later").isTrue();
        }

        @Test
        void saysNothingOfHowLongThePeerKeepsConnections() {
            spoil(idle(A, "0", 60));

            idle(A, "1", 60);
            assertThat(desk.askPromised(A).got()).isEqualTo("1");
        }
    }

    @Nested
    class ThePromisesOfAConnection {
        private final Promise promise = new Promise();

        private boolean allowsMore(long nanos, int max) {
            promise.answered(nanos, max);
            return promise.allowsMore();
        }

        @Test
        void aNumberThatStaysIsOfAllRequests() {
            assertThat(allowsMore(-1, 3)).isTrue();
            assertThat(allowsMore(-1, 3)).isTrue();
            assertThat(allowsMore(-1, 3)).isFalse();
        }

        @Test
        void aNumberThatFallsIsOfThoseLeft() {
            assertThat(allowsMore(-1, 3)).isTrue();
            assertThat(allowsMore(-1, 2)).isTrue();
            assertThat(allowsMore(-1, 1)).isTrue();
            assertThat(allowsMore(-1, 0)).isFalse();
        }

        @Test
        void oneRequestOrNoneIsNoMore() {
            assertThat(allowsMore(-1, 1)).isFalse();
            assertThat(new Promise().allowsMore()).isTrue();
            promise.forget();
            assertThat(allowsMore(-1, 0)).isFalse();
        }

        @Test
        void noTimeIsNoMore() {
            assertThat(allowsMore(0, -1)).isFalse();
            assertThat(allowsMore(1, -1)).isTrue();
            assertThat(allowsMore(-1, -1)).isTrue();
        }
    }

    @Nested
    class AnEarlyEnd {
        @Test
        void isNotWaitedForASecondTime() {
            Slot<String> first = idle(A, "1", -1);
            idle(A, "2", -1);
            desk.passUnnoticed(10);
            close(first);

            assertThat(desk.ask(A).got())
                    .as("as old as the one that was closed")
                    .isEqualTo("new");
            idle(A, "3", -1);
            desk.passUnnoticed(8);
            assertThat(desk.ask(A).got()).isEqualTo("3");
        }

        @Test
        void isSaidOfTheKeyAndOfNoOther() {
            Slot<String> first = idle(A, "1", -1);
            idle(B, "b", -1);
            desk.passUnnoticed(10);
            close(first);

            assertThat(desk.ask(B).got()).isEqualTo("b");
        }

        @Test
        void isKnownThoughTheKeyHasNoConnectionsForAWhile() {
            Slot<String> only = idle(A, "1", -1);
            desk.passUnnoticed(10);
            close(only);

            idle(A, "2", -1);
            desk.passUnnoticed(9);
            assertThat(desk.ask(A).got()).isEqualTo("new");
        }

        @Test
        void isForgottenAfterAMinute() {
            Slot<String> only = idle(A, "1", -1);
            desk.passUnnoticed(10);
            close(only);
            desk.passUnnoticed(60);

            idle(A, "2", -1);
            desk.passUnnoticed(30);
            assertThat(desk.ask(A).got()).isEqualTo("2");
        }

        @Test
        void makesThePromiseOfTheKeyCountForNothing() {
            Slot<String> only = idle(A, "1", 60);
            close(only);

            idle(A, "2", 60);
            assertThat(desk.askPromised(A).got()).isEqualTo("new");
            desk.passUnnoticed(60);
            idle(A, "3", 60);
            assertThat(desk.askPromised(A).got()).isEqualTo("3");
        }

        @Test
        void neverKeepsAConnectionFromBeingUsedAgainAtOnceByWhatCanBeSentOnceMore() {
            Slot<String> only = idle(A, "1", -1);
            close(only);

            idle(A, "2", -1);
            assertThat(desk.ask(A).got()).isEqualTo("2");
        }

        @Test
        void isNoneWhenThePromiseWasKept() {
            Slot<String> only = idle(A, "1", 5);
            desk.passUnnoticed(5);
            close(only);

            idle(A, "2", 60);
            desk.passUnnoticed(14);
            assertThat(desk.askPromised(A).got()).isEqualTo("2");
        }

        @Test
        void showsAlsoInARequestThatGetsNoAnswer() {
            Slot<String> first = idle(A, "1", 60);
            assertThat(desk.askPromised(A).got()).isEqualTo("1");
            desk.pool.end(first, Ending.UNANSWERED);

            idle(A, "2", 60);
            assertThat(desk.askPromised(A).got()).isEqualTo("new");
            assertThat(desk.pool.stats().discarded()).isEqualTo(1);
        }

        @Test
        void ofASpareSaysNothing() {
            desk.pool.warm(A, 1);
            Slot<String> spare = desk.open(desk.pool.openSpares(A, 1).get(0));
            desk.park(spare, "spare");
            desk.pool.warm(A, 0);
            close(spare);

            idle(A, "2", 60);
            assertThat(desk.askPromised(A).got()).isEqualTo("2");
        }

        @Test
        void isRememberedOfALimitedNumberOfKeys() {
            PeerHistories lives = new PeerHistories();
            for (int i = 0; i <= PeerHistories.MAX; i++) {
                lives.closed(ConnPool.Key.of(HostPort.of("h" + i + ".example", 80), Desk.NEVER), 1, desk.nowNanos());
            }
            assertThat(lives.size()).isEqualTo(PeerHistories.MAX);
            assertThat(lives.of(ConnPool.Key.of(HostPort.of("h0.example", 80), Desk.NEVER)))
                    .isNull();

            desk.passUnnoticed(60);
            lives.closed(A, 1, desk.nowNanos());
            assertThat(lives.size()).as("what is outdated goes").isEqualTo(1);
        }
    }

    @Test
    void aLookDoesNotRestartTheIdleTime() {
        Slot<String> slot = idle(A, "1", 60);
        desk.passUnnoticed(10);
        assertThat(desk.pool.hold(slot)).isTrue();
        desk.pool.resume(slot, "1", HOME);
        assertThat(desk.ask(A).got()).isEqualTo("1");
        desk.passUnnoticed(3);
        desk.pool.putBack(slot, "1", HOME);
        desk.passUnnoticed(2);

        assertThat(desk.askPromised(A).got()).as("after 15 s").isEqualTo("new");
    }

    @Test
    void theIdleTimeBeganWhenThePeerHadAnsweredAndNotWhenItWasGivenBack() {
        Slot<String> slot = desk.open(desk.askFresh(A).slot());
        slot.promise.answered(TimeUnit.SECONDS.toNanos(60), -1);
        slot.quietNanos = TimeUnit.SECONDS.toNanos(10);
        desk.park(slot, "1");
        desk.passUnnoticed(5);

        assertThat(desk.askPromised(A).got()).isEqualTo("new");
    }
}
