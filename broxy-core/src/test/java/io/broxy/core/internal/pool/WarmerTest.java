package io.broxy.core.internal.pool;

import static io.broxy.core.internal.pool.Desk.A;
import static org.assertj.core.api.Assertions.assertThat;

import io.broxy.ConnPool;
import io.broxy.PoolStats.Eviction;
import io.broxy.core.internal.pool.PoolActions.SpareEvent;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** Specifies when spares are opened, with a manual clock and dials that end at the test's command. */
class WarmerTest {
    private static final long SECOND = TimeUnit.SECONDS.toNanos(1);

    /** Timers, the policy and the dials of one warmer. */
    private static final class Rig implements Warmer.Environment, PoolActions.ActionRunner<String> {
        private record Timer(long atNanos, Runnable task) {}

        private long nowNanos = 5;
        private final List<Timer> timers = new ArrayList<>();
        private final List<Slot<String>> opening = new ArrayList<>();
        private final List<Slot<String>> standing = new ArrayList<>();
        private final List<Long> opened = new ArrayList<>();
        private final IdlePool<String> pool = new IdlePool<>(Desk.unlimited(), () -> nowNanos, this);
        private final Warmer warmer = new Warmer(this, () -> nowNanos, new Random(7));
        /** Decides dials as they begin, or not. */
        private @Nullable Boolean answer;

        @Override
        public void after(long nanos, Runnable task) {
            timers.add(new Timer(nowNanos + nanos, task));
        }

        @Override
        public List<Slot<String>> missing(ConnPool.Key key, int max) {
            return pool.openSpares(key, max);
        }

        @Override
        @SuppressWarnings("unchecked")
        public void open(List<? extends Slot<?>> slots) {
            for (Slot<?> slot : slots) {
                opening.add((Slot<String>) slot);
                opened.add(nowNanos);
            }
            if (answer != null) {
                answer(answer);
            }
        }

        /** Ends all dials in progress. */
        void answer(boolean well) {
            List<Slot<String>> ending = List.copyOf(opening);
            opening.clear();
            for (Slot<String> slot : ending) {
                if (well) {
                    assertThat(pool.opened(slot)).isTrue();
                    pool.park(slot, "spare", Desk.HOME);
                    standing.add(slot);
                    warmer.opened(slot.key());
                } else {
                    pool.openFailed(slot);
                    warmer.failed(slot.key());
                }
            }
        }

        void loseAll() {
            List<Slot<String>> losing = List.copyOf(standing);
            standing.clear();
            losing.forEach(slot -> pool.evict(slot, Eviction.PEER_CLOSED));
        }

        /** Lets the next timer ring, and gives how long that took. */
        long ring() {
            Timer next = timers.stream()
                    .min(Comparator.comparingLong(Timer::atNanos))
                    .orElseThrow(() -> new AssertionError("no timer"));
            timers.remove(next);
            long passed = next.atNanos - nowNanos;
            nowNanos = next.atNanos;
            next.task.run();
            return passed;
        }

        @Override
        public void close(String parked) {}

        @Override
        public void spares(ConnPool.Key key, SpareEvent news) {
            warmer.onEvent(key, news);
        }

        @Override
        public void expireAt(long nanos) {}
    }

    private final Rig rig = new Rig();

    private void warm(int spares) {
        rig.pool.warm(A, spares);
    }

    @Test
    void sparesAreOpenedALittleLater() {
        warm(3);
        assertThat(rig.opening).isEmpty();
        assertThat(rig.ring()).isBetween(0L, Warmer.SPREAD_NANOS);
        assertThat(rig.opening).hasSize(3);
        rig.answer(true);
        assertThat(rig.pool.stats().idle()).isEqualTo(3);
        assertThat(rig.timers).isEmpty();
    }

    @Test
    void aUsedOneIsReplacedSoon() {
        warm(2);
        rig.ring();
        rig.answer(true);
        assertThat(rig.pool.claim(A, null, new Desk.Asker())).isNotNull();
        assertThat(rig.ring()).isLessThan(Warmer.SPREAD_NANOS);
        assertThat(rig.opening).hasSize(1);
    }

    @Test
    void aPeerThatIsDownIsTriedByOneAtGrowingIntervals() {
        warm(3);
        rig.ring();
        assertThat(rig.opening).hasSize(3);
        rig.answer(false);
        long expected = Warmer.FIRST_NANOS;
        for (int i = 0; i < 12; i++) {
            assertThat(rig.timers).as("timers in round %s", i).hasSize(1);
            assertThat(rig.ring()).isBetween(expected / 2, expected);
            assertThat(rig.opening).hasSize(1);
            rig.answer(false);
            expected = Math.min(Warmer.MAX_NANOS, expected * 2);
        }
        assertThat(expected).isEqualTo(30 * SECOND);
    }

    @Test
    void whenItIsBackTheOthersFollowSoon() {
        warm(3);
        rig.ring();
        rig.answer(false);
        rig.ring();
        rig.answer(true);
        assertThat(rig.ring()).isLessThan(Warmer.SPREAD_NANOS);
        rig.answer(true);
        assertThat(rig.pool.stats().idle()).isEqualTo(3);
        assertThat(rig.timers).isEmpty();
    }

    @Test
    void whileOneTriesNoOtherDoes() {
        warm(3);
        rig.ring();
        rig.answer(false);
        rig.ring();
        rig.pool.claim(A, null, new Desk.Asker()); // which makes the policy ask again
        assertThat(rig.timers).isEmpty();
        assertThat(rig.opening).hasSize(1);
        rig.answer(false);
        assertThat(rig.timers).hasSize(1);
    }

    @Test
    void aPeerThatDropsSparesAtOnceIsTriedLaterAndLater() {
        warm(2);
        rig.answer = true;
        int rounds = 40;
        long start = rig.nowNanos;
        for (int i = 0; i < rounds; i++) {
            rig.ring();
            rig.loseAll();
        }
        assertThat(rig.nowNanos - start).as("the time of %s rounds", rounds).isGreaterThan(5 * 60 * SECOND);
    }

    @Test
    void useMakesAPeerWellAgain() {
        warm(1);
        rig.ring();
        for (int i = 0; i < 8; i++) {
            rig.answer(false);
            rig.ring();
        }
        rig.answer(true);
        rig.pool.claim(A, null, new Desk.Asker());
        rig.ring();
        rig.answer(false);
        assertThat(rig.ring()).isLessThanOrEqualTo(Warmer.FIRST_NANOS);
    }

    @Test
    void whatFailsTogetherIsNotTriedTogether() {
        Random random = new Random(1);
        assertThat(java.util.stream.LongStream.generate(() -> Warmer.backoffNanos(3, random))
                        .limit(20)
                        .distinct()
                        .count())
                .isGreaterThan(15);
    }

    @Test
    void nothingIsOpenedOnceNoneAreWanted() {
        warm(2);
        warm(0);
        rig.ring();
        assertThat(rig.opening).isEmpty();
        assertThat(rig.timers).isEmpty();
    }
}
