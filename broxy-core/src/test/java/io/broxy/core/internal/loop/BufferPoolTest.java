package io.broxy.core.internal.loop;

import static io.broxy.core.internal.loop.LoopDriver.patiently;
import static org.assertj.core.api.Assertions.assertThat;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Specifies which buffer a caller's thread gets, and how many there are. */
class BufferPoolTest {
    private static final int SIZE = BufferPool.CALLER_BUFFER_SIZE;

    private static BufferPool pool(int buffers) {
        return new BufferPool((long) buffers * SIZE, 1 << 20);
    }

    @Test
    void anUnusedPoolHasNoBuffers() {
        assertThat(pool(10).callerBuffers()).isZero();
        assertThat(pool(10).heldBytes()).isZero();
    }

    @Test
    void aPlatformThreadGetsItsOwnBufferAgainAndAgainCleared() {
        BufferPool pool = pool(10);
        ByteBuffer first = pool.borrow();
        assertThat(first.isDirect()).isTrue();
        assertThat(first.capacity()).isEqualTo(SIZE);
        first.position(7).limit(9);
        pool.giveBack(first);

        for (int i = 0; i < 100; i++) {
            ByteBuffer again = pool.borrow();
            assertThat(again).isSameAs(first);
            assertThat(again.position()).isZero();
            assertThat(again.limit()).isEqualTo(SIZE);
            pool.giveBack(again);
        }
        assertThat(pool.callerBuffers()).isEqualTo(1);
    }

    @Test
    void aNestedUseGetsAnotherBufferWhicheverIsGivenBackFirst() {
        BufferPool pool = pool(10);
        ByteBuffer outer = pool.borrow();
        ByteBuffer inner = pool.borrow();
        assertThat(inner).isNotSameAs(outer);
        pool.giveBack(outer);

        assertThat(pool.borrow()).isSameAs(outer);
        pool.giveBack(inner);
        assertThat(pool.borrow()).as("of the shared slots").isSameAs(inner);
        assertThat(pool.callerBuffers()).isEqualTo(2);
    }

    @Test
    void beyondTheCapCallersGetASmallBufferOnTheHeapThatIsNotKept() {
        BufferPool pool = pool(2);
        ByteBuffer one = pool.borrow();
        ByteBuffer two = pool.borrow();
        ByteBuffer three = pool.borrow();
        assertThat(three.isDirect()).isFalse();
        assertThat(three.capacity()).isEqualTo(BufferPool.OVERFLOW_BUFFER_SIZE);
        assertThat(pool.callerBuffers()).isEqualTo(2);

        pool.giveBack(three);
        assertThat(pool.borrow()).isNotSameAs(three);
        pool.giveBack(two);
        assertThat(pool.borrow()).isSameAs(two);
        pool.giveBack(one);
        assertThat(pool.callerBuffers()).isEqualTo(2);
    }

    @Test
    void aThreadBeyondTheCapTakesASharedBufferOnceThereIsOne() throws Exception {
        BufferPool pool = pool(1);
        pool.borrow();

        ByteBuffer other = inThread(pool::borrow);

        assertThat(other.isDirect()).isFalse();
        assertThat(pool.callerBuffers()).isEqualTo(1);
    }

    @Test
    void aBudgetTooSmallForABufferAllowsOneNonetheless() {
        BufferPool pool = new BufferPool(1, 1);

        assertThat(pool.borrow().isDirect()).isTrue();
        assertThat(pool.borrow().isDirect()).isFalse();
    }

    @Test
    void whatNoSlotTakesIsLeftToTheGarbageCollectorAndNoLongerCounts() {
        BufferPool pool = pool(1_000);
        List<ByteBuffer> borrowed = new ArrayList<>();
        for (int i = 0; i < 100; i++) {
            borrowed.add(pool.borrow());
        }
        assertThat(pool.callerBuffers()).isEqualTo(100);

        borrowed.forEach(pool::giveBack);

        assertThat(pool.callerBuffers()).isBetween(2, 9); // its own, and those near its slot
    }

    @Test
    void theBufferOfAThreadThatEndedCountsNoMoreOnceItIsCollected() throws Exception {
        BufferPool pool = pool(1);
        inThread(() -> {
            ByteBuffer buffer = pool.borrow();
            assertThat(buffer.isDirect()).isTrue();
            pool.giveBack(buffer);
            return buffer.capacity();
        });
        assertThat(pool.callerBuffers()).isEqualTo(1);

        patiently().until(() -> {
            System.gc();
            return pool.borrow().isDirect();
        });
        assertThat(pool.callerBuffers()).isEqualTo(1);
    }

    @Test
    void twoPoolsShareNothing() {
        BufferPool one = pool(10);
        BufferPool other = pool(10);
        ByteBuffer buffer = one.borrow();
        one.giveBack(buffer);

        assertThat(other.borrow()).isNotSameAs(buffer);
        assertThat(one.callerBuffers()).isEqualTo(1);
        assertThat(other.callerBuffers()).isEqualTo(1);
    }

    /** Each puts its number at both ends of each of its buffers, and finds it there after the others had their turn. */
    @Test
    @Tag("sweep")
    void noBufferIsInTwoHandsAtOnce() throws Exception {
        int cap = 12;
        BufferPool pool = pool(cap);
        shareAmong(Thread::new, 8, 300, pool, cap);
        assertThat(pool.callerBuffers()).isLessThanOrEqualTo(cap);
    }

    @Test
    @Tag("sweep")
    void noBufferIsInTwoHandsAtOnceAmongVirtualThreads() throws Exception {
        int cap = 50;
        BufferPool pool = pool(cap);
        shareAmong(virtualThreads(), 200, 20, pool, cap);
        assertThat(pool.callerBuffers()).isLessThanOrEqualTo(cap);
    }

    private static void shareAmong(ThreadFactory factory, int threads, int rounds, BufferPool pool, int cap)
            throws Exception {
        List<Throwable> failures = Collections.synchronizedList(new ArrayList<>());
        List<Thread> users = new ArrayList<>();
        for (int i = 1; i <= threads; i++) {
            int number = i;
            users.add(factory.newThread(() -> {
                try {
                    for (int round = 0; round < rounds; round++) {
                        useTwo(pool, number);
                        assertThat(pool.callerBuffers()).isLessThanOrEqualTo(cap + threads); // some on their way back
                    }
                } catch (Throwable e) {
                    failures.add(e);
                }
            }));
        }
        users.forEach(Thread::start);
        for (Thread user : users) {
            user.join(TimeUnit.NANOSECONDS.toMillis(LoopDriver.PATIENCE_NANOS));
            assertThat(user.isAlive()).isFalse();
        }
        assertThat(failures).isEmpty();
    }

    private static void useTwo(BufferPool pool, int number) {
        ByteBuffer one = pool.borrow();
        ByteBuffer other = pool.borrow();
        for (ByteBuffer buffer : List.of(one, other)) {
            assertThat(buffer.remaining()).isEqualTo(buffer.capacity());
            buffer.putInt(0, number).putInt(buffer.capacity() - 4, number);
        }
        LockSupport.parkNanos(1); // the others' turn
        for (ByteBuffer buffer : List.of(one, other)) {
            assertThat(buffer.getInt(0)).isEqualTo(number);
            assertThat(buffer.getInt(buffer.capacity() - 4)).isEqualTo(number);
            pool.giveBack(buffer);
        }
    }

    @Test
    void thousandsOfParkedVirtualThreadsKeepNoBuffers() throws Exception {
        BufferPool pool = pool(10_000);
        int threads = 2_000;
        CountDownLatch parked = new CountDownLatch(threads);
        CountDownLatch goOn = new CountDownLatch(1);
        AtomicInteger direct = new AtomicInteger();
        List<Thread> users = new ArrayList<>();
        ThreadFactory factory = virtualThreads();
        for (int i = 0; i < threads; i++) {
            users.add(factory.newThread(() -> {
                ByteBuffer buffer = pool.borrow();
                if (buffer.isDirect()) {
                    direct.incrementAndGet();
                }
                pool.giveBack(buffer);
                parked.countDown();
                try {
                    goOn.await();
                } catch (InterruptedException e) {
                    Thread.currentThread().interrupt();
                }
            }));
        }
        users.forEach(Thread::start);
        assertThat(parked.await(LoopDriver.PATIENCE_NANOS, TimeUnit.NANOSECONDS))
                .isTrue();

        assertThat(direct).hasValue(threads);
        assertThat(pool.callerBuffers()).as("no more than there are slots").isBetween(1, 64);
        goOn.countDown();
        for (Thread user : users) {
            user.join();
        }
    }

    @Test
    void virtualThreadsThatCopyAtTheSameTimeHaveEachTheirOwn() throws Exception {
        BufferPool pool = pool(100);
        Set<ByteBuffer> borrowed = Collections.synchronizedSet(Collections.newSetFromMap(new IdentityHashMap<>()));
        CyclicBarrier all = new CyclicBarrier(30);
        List<Thread> users = new ArrayList<>();
        ThreadFactory factory = virtualThreads();
        for (int i = 0; i < 30; i++) {
            users.add(factory.newThread(() -> {
                try {
                    ByteBuffer buffer = pool.borrow();
                    borrowed.add(buffer);
                    all.await();
                    pool.giveBack(buffer);
                } catch (Exception e) {
                    throw new AssertionError(e);
                }
            }));
        }
        users.forEach(Thread::start);
        for (Thread user : users) {
            user.join();
        }

        assertThat(borrowed).hasSize(30);
        assertThat(pool.callerBuffers()).isLessThanOrEqualTo(30);
    }

    private static ThreadFactory virtualThreads() {
        ThreadFactory factory = VirtualThreads.factory("test-virtual-");
        Assumptions.assumeTrue(factory != null, "this JVM has no virtual threads");
        return Objects.requireNonNull(factory);
    }

    private static <T> T inThread(Callable<T> task) throws Exception {
        CompletableFuture<T> result = new CompletableFuture<>();
        Thread thread = new Thread(() -> {
            try {
                result.complete(task.call());
            } catch (Throwable e) {
                result.completeExceptionally(e);
            }
        });
        thread.start();
        thread.join();
        return result.get();
    }
}
