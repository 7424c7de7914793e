package io.broxy.core.internal.loop;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

/** Specifies when daemon threads count as ended. */
class EngineThreadsTest {
    private final EngineThreads threads = new EngineThreads();
    private final ThreadFactory factory = threads.factory("test-daemon-");

    @Test
    void threadsAreNumberedDaemonsWithoutTheThreadLocalsOfTheirMaker() throws Exception {
        InheritableThreadLocal<String> inherited = new InheritableThreadLocal<>();
        inherited.set("of the maker");
        List<String> seen = new ArrayList<>();
        Thread thread = factory.newThread(() -> seen.add(String.valueOf(inherited.get())));
        thread.start();
        thread.join();
        inherited.remove();

        assertThat(seen).containsExactly("null");
        assertThat(thread.isDaemon()).isTrue();
        assertThat(thread.getName()).isEqualTo("test-daemon-1");
        assertThat(factory.newThread(() -> {}).getName()).isEqualTo("test-daemon-2");
    }

    @Test
    void theEndOfAllIsWaitedFor() throws Exception {
        CountDownLatch atWork = new CountDownLatch(2);
        CountDownLatch goOn = new CountDownLatch(1);
        List<Thread> all = new ArrayList<>();
        for (int i = 0; i < 2; i++) {
            all.add(factory.newThread(() -> {
                atWork.countDown();
                try {
                    goOn.await();
                } catch (InterruptedException e) {
                    throw new AssertionError(e);
                }
            }));
        }
        all.forEach(Thread::start);
        atWork.await();
        assertThat(threads.awaitEnd(TimeUnit.MILLISECONDS.toNanos(1))).isFalse();

        goOn.countDown();

        assertThat(threads.awaitEnd(LoopDriver.PATIENCE_NANOS)).isTrue();
        assertThat(all).noneMatch(Thread::isAlive);
    }

    @Test
    void oneThatWasNeverStartedIsNotWaitedFor() throws Exception {
        Thread never = factory.newThread(() -> {});

        assertThat(threads.awaitEnd(LoopDriver.PATIENCE_NANOS)).isTrue();
        assertThat(never.getState()).isEqualTo(Thread.State.NEW);
        assertThat(threads.size()).isZero();
    }

    @Test
    void thoseThatHaveEndedAreForgotten() throws Exception {
        for (int i = 0; i < 200; i++) {
            Thread thread = factory.newThread(() -> {});
            thread.start();
            thread.join();

            assertThat(threads.size()).isLessThanOrEqualTo(16);
        }
    }
}
