package io.broxy.core.internal.loop;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

/** Specifies which threads are virtual, on JVMs with and without them. */
class VirtualThreadsTest {
    private static final int WITH_VIRTUAL_THREADS = 21;

    @Test
    void theyAreThereFromJava21OnAndNotBefore() {
        boolean there = VirtualThreads.factory("test-") != null;

        assertThat(there).isEqualTo(Runtime.version().feature() >= WITH_VIRTUAL_THREADS);
    }

    @Test
    void aPlatformThreadIsNotVirtual() {
        assertThat(VirtualThreads.isVirtual(Thread.currentThread())).isFalse();
        assertThat(VirtualThreads.isVirtual(new Thread(() -> {}))).isFalse();
    }

    @Test
    void thoseThatTheFactoryMakesAreVirtualAndNumbered() throws Exception {
        ThreadFactory factory = VirtualThreads.factory("test-virtual-");
        if (factory == null) {
            return; // the first test says whether that is right
        }
        for (int i = 1; i <= 3; i++) {
            CompletableFuture<String> ran = new CompletableFuture<>();
            Thread thread = factory.newThread(() -> {
                Thread own = Thread.currentThread();
                ran.complete(own.getName() + " " + VirtualThreads.isVirtual(own) + " " + own.isDaemon());
            });
            thread.start();

            assertThat(ran.get(LoopDriver.PATIENCE_NANOS, TimeUnit.NANOSECONDS))
                    .isEqualTo("test-virtual-" + i + " true true");
        }
    }
}
