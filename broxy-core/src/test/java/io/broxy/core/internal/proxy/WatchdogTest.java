package io.broxy.core.internal.proxy;

import static org.assertj.core.api.Assertions.assertThat;

import io.broxy.core.internal.loop.BufferPool;
import io.broxy.core.internal.loop.EventLoop;
import io.broxy.core.internal.loop.EventLoops;
import io.broxy.core.internal.time.Ticker;
import io.broxy.core.testkit.LeakCheck;
import java.io.IOException;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

@ExtendWith(LeakCheck.class)
class WatchdogTest {
    private static final long PATIENCE_NANOS = TimeUnit.SECONDS.toNanos(20);

    private final CountDownLatch closed = new CountDownLatch(1);
    private EventLoops loops;
    private EventLoop clock;

    @BeforeEach
    void startLoop() throws IOException {
        loops = EventLoops.start(1, new BufferPool(1 << 16, 1 << 16), Ticker.SYSTEM);
        clock = loops.next();
    }

    @AfterEach
    void stopLoop() throws InterruptedException {
        loops.stop(PATIENCE_NANOS);
    }

    private Watchdog start(long nanos) {
        return Watchdog.start(clock, System.nanoTime() + nanos, Runnable::run, closed::countDown);
    }

    private void awaitLoop() throws InterruptedException {
        CountDownLatch turned = new CountDownLatch(1);
        clock.execute(turned::countDown);
        turned.await();
    }

    @Test
    void closesWhenTheTimeIsOver() throws Exception {
        Watchdog watchdog = start(1);

        assertThat(closed.await(PATIENCE_NANOS, TimeUnit.NANOSECONDS)).isTrue();
        assertThat(watchdog.hasFired()).isTrue();
    }

    @Test
    void closesNothingOnceItIsStopped() throws Exception {
        Watchdog watchdog = start(PATIENCE_NANOS);
        watchdog.stop();
        awaitLoop();

        loops.stop(PATIENCE_NANOS); // fires every timer that is left

        assertThat(closed.getCount()).isEqualTo(1);
        assertThat(watchdog.hasFired()).isFalse();
    }

    @Test
    void closesWithTheLoopThoughTheTimeIsNotOver() throws Exception {
        Watchdog watchdog = start(PATIENCE_NANOS);

        loops.stop(PATIENCE_NANOS);

        assertThat(closed.getCount()).isZero();
        assertThat(watchdog.hasFired()).isFalse();
    }
}
