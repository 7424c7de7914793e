package io.broxy.core.internal.loop;

import static io.broxy.core.internal.loop.LoopDriver.patiently;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.broxy.core.internal.time.Ticker;
import io.broxy.core.testkit.LeakCheck;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** Specifies which loop a client gets, and how loops start and end. */
@ExtendWith(LeakCheck.class)
class EventLoopsTest {
    private final BufferPool pool = new BufferPool(1 << 20, 1 << 20);

    @Test
    void loopsAreGivenInTurn() throws Exception {
        EventLoops loops = EventLoops.start(3, pool, Ticker.SYSTEM);
        try {
            List<EventLoop> given = Stream.generate(loops::next).limit(9).toList();

            assertThat(new HashSet<>(given)).hasSize(3);
            assertThat(given.subList(0, 3)).isEqualTo(given.subList(3, 6)).isEqualTo(given.subList(6, 9));
        } finally {
            loops.stop(LoopDriver.PATIENCE_NANOS);
        }
    }

    private static EventLoop clientOf(EventLoops loops, EventLoop caller) throws Exception {
        return CompletableFuture.supplyAsync(loops::forClient, caller)
                .get(LoopDriver.PATIENCE_NANOS, TimeUnit.NANOSECONDS);
    }

    @Test
    void aClientGoesToTheLoopThatServesFewestAndAmongEqualsToTheCallersOwn() throws Exception {
        EventLoops loops = EventLoops.start(3, pool, Ticker.SYSTEM);
        try {
            EventLoop other = loops.next();
            EventLoop own = loops.next();

            assertThat(clientOf(loops, own)).as("all are equal").isSameAs(own);
            assertThat(List.of(clientOf(loops, own), clientOf(loops, own)))
                    .as("the others")
                    .doesNotContain(own)
                    .doesNotHaveDuplicates();
            assertThat(clientOf(loops, own)).as("all are equal again").isSameAs(own);
            own.leave();
            other.leave();
            assertThat(clientOf(loops, own)).as("one that was left").isSameAs(other);
        } finally {
            loops.stop(LoopDriver.PATIENCE_NANOS);
        }
    }

    @Test
    void aCallerThatIsNoLoopOfTheirsHasClientsSpreadToo() throws Exception {
        EventLoops loops = EventLoops.start(2, pool, Ticker.SYSTEM);
        EventLoops foreign = EventLoops.start(1, pool, Ticker.SYSTEM);
        try {
            assertThat(List.of(loops.forClient(), loops.forClient())).doesNotHaveDuplicates();
            assertThat(List.of(clientOf(loops, foreign.next()), clientOf(loops, foreign.next())))
                    .doesNotHaveDuplicates();
        } finally {
            loops.stop(LoopDriver.PATIENCE_NANOS);
            foreign.stop(LoopDriver.PATIENCE_NANOS);
        }
    }

    @Test
    void eachLoopHasItsThreadAndNoneIsLeftWhenStopReturns() throws Exception {
        EventLoops loops = EventLoops.start(3, pool, Ticker.SYSTEM);
        assertThat(LeakCheck.engineThreads()).containsExactly("broxy-loop-1", "broxy-loop-2", "broxy-loop-3");

        assertThat(loops.stop(LoopDriver.PATIENCE_NANOS)).isTrue();

        assertThat(LeakCheck.engineThreads()).isEmpty();
        assertThat(loops.stop(LoopDriver.PATIENCE_NANOS)).as("asked again").isTrue();
    }

    @Test
    void stopReturnsFalseWhenALoopIsStillAtWork() throws Exception {
        EventLoops loops = EventLoops.start(2, pool, Ticker.SYSTEM);
        CountDownLatch goOn = new CountDownLatch(1);
        loops.next().execute(() -> {
            try {
                goOn.await();
            } catch (InterruptedException e) {
                throw new AssertionError(e);
            }
        });

        assertThat(loops.stop(1)).isFalse();
        goOn.countDown();
        assertThat(loops.stop(LoopDriver.PATIENCE_NANOS)).isTrue();
    }

    @Test
    void anInterruptedCallerWaitsAndIsStillInterruptedThen() throws Exception {
        EventLoops loops = EventLoops.start(2, pool, Ticker.SYSTEM);
        Thread.currentThread().interrupt();

        boolean ended = loops.stop(LoopDriver.PATIENCE_NANOS);

        assertThat(Thread.interrupted()).isTrue();
        assertThat(ended).isTrue();
        assertThat(LeakCheck.engineThreads()).isEmpty();
    }

    @Test
    void nothingIsLeftWhenOneOfThemCannotBeStarted() {
        Set<Thread> makers = Set.of(Thread.currentThread());
        AtomicInteger made = new AtomicInteger();
        Ticker failing = () -> {
            if (makers.contains(Thread.currentThread()) && made.incrementAndGet() == 3) {
                throw new OutOfMemoryError("no third loop");
            }
            return System.nanoTime();
        };

        assertThatThrownBy(() -> EventLoops.start(4, pool, failing)).hasMessage("no third loop");

        assertThat(made).hasValue(3);
        patiently().untilAsserted(() -> assertThat(LeakCheck.engineThreads()).isEmpty());
    }
}
