package io.broxy.core.internal.loop;

import static org.assertj.core.api.Assertions.assertThat;

import io.broxy.core.internal.time.Ticker;
import io.broxy.core.testkit.Peer;
import java.io.IOException;
import java.time.Duration;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.awaitility.Awaitility;
import org.awaitility.core.ConditionFactory;

/** One loop for a test, and a clock that only the test moves. */
final class LoopDriver implements AutoCloseable {
    static final long PATIENCE_NANOS = TimeUnit.MILLISECONDS.toNanos(Peer.PATIENCE_MILLIS);

    private final EventLoops loops;
    private final EventLoop loop;

    LoopDriver() throws IOException {
        this(Ticker.SYSTEM);
    }

    LoopDriver(Ticker ticker) throws IOException {
        loops = EventLoops.start(1, new BufferPool(1 << 20, 1 << 20), ticker);
        loop = loops.next();
    }

    /** The clock, which only the test moves. */
    static final class Clock implements Ticker {
        private final AtomicLong nanos = new AtomicLong(Long.MAX_VALUE - 1_000); // wraps around soon

        @Override
        public long nanos() {
            return nanos.get();
        }

        void advanceMillis(long millis) {
            nanos.addAndGet(TimeUnit.MILLISECONDS.toNanos(millis));
        }
    }

    /** Waits for a condition, as long as a slow machine may need. */
    static ConditionFactory patiently() {
        return Awaitility.await().atMost(Duration.ofNanos(PATIENCE_NANOS));
    }

    EventLoop loop() {
        return loop;
    }

    /** Runs something on the loop, and waits for what it gives. */
    <T> T call(Callable<T> task) throws Exception {
        CompletableFuture<T> result = new CompletableFuture<>();
        loop.execute(() -> {
            try {
                result.complete(task.call());
            } catch (Throwable e) {
                result.completeExceptionally(e);
            }
        });
        return result.get(PATIENCE_NANOS, TimeUnit.NANOSECONDS);
    }

    /** Waits for the end of a turn that begins from now on. */
    void turn() throws Exception {
        call(() -> 0);
        call(() -> 0);
    }

    /** Ends the loop. */
    void stop() {
        assertThat(loops.stop(PATIENCE_NANOS)).as("whether the loop has ended").isTrue();
    }

    @Override
    public void close() {
        stop();
    }
}
