package io.broxy.core.internal.pool;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.broxy.ConnPool;
import io.broxy.ConnPool.Lease;
import io.broxy.Connection;
import io.broxy.DialException;
import io.broxy.Dialer;
import io.broxy.PoolStats;
import io.broxy.core.Broxy;
import io.broxy.core.testkit.LeakCheck;
import io.broxy.core.testkit.Origin;
import io.broxy.core.testkit.Peer;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** Specifies that many threads at one pool never share or lose a connection, whenever its peers close. */
@Tag("sweep")
@ExtendWith(LeakCheck.class)
class PoolStressTest {
    private static final int THREADS = 8;
    private static final int LEASES = 300;
    private static final int MESSAGE = 8;

    private final Set<String> held = ConcurrentHashMap.newKeySet();
    private final List<Throwable> failures = new CopyOnWriteArrayList<>();
    private final AtomicInteger answered = new AtomicInteger();

    /** Echoes messages, and closes or resets after one in ten, at once or when it is asked for more. */
    private static Origin moody() throws IOException {
        return Origin.start(peer -> {
            while (true) {
                byte[] message = peer.read(MESSAGE);
                int mood = ThreadLocalRandom.current().nextInt(30);
                if (mood == 0) {
                    return;
                }
                peer.send(message);
                if (mood == 1) {
                    return;
                }
                if (mood == 2) {
                    peer.reset();
                    return;
                }
            }
        });
    }

    @Test
    void noTwoLeasesShareAConnectionAndNoneIsLost() throws Exception {
        try (Broxy broxy = Broxy.builder().eventLoops(3).build();
                Origin a = moody();
                Origin b = moody();
                ConnPool pool = broxy.connPool()
                        .maxIdlePerKey(3)
                        .maxIdle(5)
                        .maxOpenPerKey(4)
                        .maxOpen(6)
                        .idleTimeout(Duration.ofMillis(20))
                        .leaseTimeout(Talk.PATIENCE)
                        .build()) {
            Dialer direct = broxy.directDialer().build();
            List<ConnPool.Key> keys = List.of(
                    ConnPool.Key.of(a.target(), direct),
                    ConnPool.Key.of(b.target(), direct),
                    ConnPool.Key.of(b.target(), direct).withIdentity("alice"));
            pool.warm(keys.get(0), 2);
            List<Thread> threads = new ArrayList<>();
            for (int i = 0; i < THREADS; i++) {
                Random random = new Random(i);
                Thread thread = new Thread(() -> work(pool, keys, random));
                thread.start();
                threads.add(thread);
            }
            for (Thread thread : threads) {
                thread.join(TimeUnit.SECONDS.toMillis(120));
                assertThat(thread.isAlive()).isFalse();
            }
            assertThat(failures).isEmpty();
            assertThat(answered.get()).isGreaterThan(THREADS * LEASES / 2);
            assertThat(pool.stats().reused()).isPositive();
            assertThat(pool.stats().detached()).isPositive();
            assertThat(pool.stats().discarded()).isPositive();
            assertThat(pool.stats().evicted()).isPositive();
            pool.warm(keys.get(0), 0);
            await().atMost(Talk.PATIENCE).untilAsserted(() -> {
                PoolStats stats = pool.stats();
                assertThat(stats.leased()).isZero();
                assertThat(stats.opening()).isZero();
                assertThat(stats.waiting()).isZero();
                assertThat(Talk.accountedFor(stats)).isEqualTo(stats.created());
                assertThat(stats.leaked()).isZero();
            });
        }
        assertThat(held).isEmpty();
    }

    private void work(ConnPool pool, List<ConnPool.Key> keys, Random random) {
        try {
            for (int i = 0; i < LEASES; i++) {
                Lease lease = take(pool, keys.get(random.nextInt(keys.size())), random);
                if (lease != null) {
                    use(lease, random);
                }
            }
        } catch (Throwable e) {
            failures.add(e);
        }
    }

    private static @Nullable Lease take(ConnPool pool, ConnPool.Key key, Random random) throws Exception {
        if (random.nextInt(3) > 0) {
            return pool.lease(key);
        }
        CompletableFuture<Lease> future = pool.leaseAsync(key, Talk.PATIENCE);
        if (random.nextInt(4) == 0 && future.cancel(false)) {
            return null;
        }
        try {
            return future.get(Peer.PATIENCE_MILLIS, TimeUnit.MILLISECONDS);
        } catch (ExecutionException e) {
            throw (DialException) e.getCause();
        }
    }

    private void use(Lease lease, Random random) throws IOException {
        Connection connection = lease.connection();
        String ends = connection.localAddress() + " " + connection.remoteAddress();
        if (!held.add(ends)) {
            throw new AssertionError("two hold the connection of " + ends);
        }
        String message = String.format("%08x", random.nextInt());
        String answer;
        try {
            answer = Talk.ask(connection, message);
        } catch (IOException e) { // the peer's mood
            answer = null;
        }
        if (answer != null && !answer.equals(message)) {
            throw new AssertionError("not the answer to " + message + ": " + answer);
        }
        held.remove(ends);
        int end = answer == null ? 9 : random.nextInt(10);
        if (answer != null) {
            answered.incrementAndGet();
        }
        if (end < 7) {
            lease.giveBack();
        } else if (end == 7) {
            lease.detach();
            connection.close();
        } else {
            lease.close();
        }
    }

    @Test
    void closingDuringEverythingEndsEverything() throws Exception {
        for (int round = 0; round < 10; round++) {
            try (Broxy broxy = Broxy.builder().eventLoops(2).build();
                    Origin origin = moody()) {
                ConnPool pool =
                        broxy.connPool().maxOpen(3).leaseTimeout(Talk.PATIENCE).build();
                ConnPool.Key key =
                        ConnPool.Key.of(origin.target(), broxy.directDialer().build());
                pool.warm(key, 2);
                List<Thread> threads = new ArrayList<>();
                for (int i = 0; i < 6; i++) {
                    Random random = new Random(i);
                    Thread thread = new Thread(() -> workUntilClosed(pool, key, random));
                    thread.start();
                    threads.add(thread);
                }
                int enough = answered.get() + 30 + 10 * round;
                await().atMost(Talk.PATIENCE).pollInterval(Duration.ofMillis(1)).until(() -> answered.get() > enough);
                if (round % 2 == 0) {
                    pool.close();
                } else {
                    broxy.close();
                }
                for (Thread thread : threads) {
                    thread.join(Peer.PATIENCE_MILLIS);
                    assertThat(thread.isAlive()).isFalse();
                }
                assertThat(failures).isEmpty();
                await().atMost(Talk.PATIENCE).untilAsserted(() -> {
                    PoolStats stats = pool.stats();
                    assertThat(stats.leased()).as("leased").isZero();
                    assertThat(stats.opening()).as("opening").isZero();
                    assertThat(stats.idle()).as("idle").isZero();
                    assertThat(Talk.accountedFor(stats)).isEqualTo(stats.created());
                });
            }
        }
    }

    private void workUntilClosed(ConnPool pool, ConnPool.Key key, Random random) {
        try {
            while (true) {
                Lease lease = take(pool, key, random);
                if (lease != null) {
                    use(lease, random);
                }
            }
        } catch (DialException e) {
            if (e.reason() != DialException.Reason.CANCELLED) {
                failures.add(e);
            }
        } catch (IllegalStateException e) {
            // the pool is closed
        } catch (Throwable e) {
            failures.add(e);
        }
    }
}
