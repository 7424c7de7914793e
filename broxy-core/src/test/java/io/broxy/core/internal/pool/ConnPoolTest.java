package io.broxy.core.internal.pool;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.broxy.ConnPool;
import io.broxy.ConnPool.Lease;
import io.broxy.Connection;
import io.broxy.DialException;
import io.broxy.DialException.Reason;
import io.broxy.Dialer;
import io.broxy.HostPort;
import io.broxy.PoolStats.Eviction;
import io.broxy.Tunnel;
import io.broxy.core.Broxy;
import io.broxy.core.testkit.HeldPort;
import io.broxy.core.testkit.LeakCheck;
import io.broxy.core.testkit.Origin;
import io.broxy.core.testkit.Peer;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.channels.SocketChannel;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** Specifies the pool as its users see it, over sockets. */
@ExtendWith(LeakCheck.class)
class ConnPoolTest {
    private static final long PATIENCE_MILLIS = Talk.PATIENCE.toMillis();

    private final Broxy broxy = Broxy.builder().eventLoops(2).build();
    private final Dialer direct = broxy.directDialer().build();

    @AfterEach
    void close() {
        broxy.close();
    }

    private static void awaitIdle(ConnPool pool, int idle) {
        await().atMost(Talk.PATIENCE).until(() -> pool.stats().idle() == idle);
    }

    private static void awaitEvicted(ConnPool pool, Eviction cause, long times) {
        await().atMost(Talk.PATIENCE)
                .untilAsserted(() -> assertThat(pool.stats().evicted(cause)).isEqualTo(times));
    }

    private static void awaitWaiting(ConnPool pool, int waiting) {
        await().atMost(Talk.PATIENCE).until(() -> pool.stats().waiting() == waiting);
    }

    // ------------------------------------------------------------------ leases and their ends

    @Test
    void aConnectionGivenBackIsLeasedAgain() throws Exception {
        try (Origin origin = Origin.echo();
                ConnPool pool = broxy.connPool().build()) {
            ConnPool.Key key = ConnPool.Key.of(origin.target(), direct);
            Lease first = pool.lease(key);
            assertThat(first.wasIdle()).isFalse();
            assertThat(Talk.ask(first, "first")).isEqualTo("first");
            int port = Talk.port(first.connection());
            first.giveBack();
            try (Lease second = pool.lease(key)) {
                assertThat(second.wasIdle()).isTrue();
                assertThat(Talk.port(second.connection())).isEqualTo(port);
                assertThat(Talk.ask(second, "second")).isEqualTo("second");
            }
            assertThat(origin.accepted()).isEqualTo(1);
            assertThat(pool.stats().created()).isEqualTo(1);
            assertThat(pool.stats().reused()).isEqualTo(1);
            assertThat(pool.stats().discarded()).isEqualTo(1);
        }
    }

    @Test
    @Tag("sweep")
    void noByteIsLostOverManyLeases() throws Exception {
        try (Origin origin = Origin.echo();
                ConnPool pool = broxy.connPool().build()) {
            ConnPool.Key key = ConnPool.Key.of(origin.target(), direct);
            for (int i = 0; i < 500; i++) {
                Lease lease = pool.lease(key);
                String text = "message " + i;
                assertThat(Talk.ask(lease, text)).isEqualTo(text);
                lease.giveBack();
            }
            assertThat(origin.accepted()).isEqualTo(1);
            assertThat(pool.stats().reused()).isEqualTo(499);
        }
    }

    @Test
    void theFirstEndOfALeaseCounts() throws Exception {
        try (Origin origin = Origin.echo();
                ConnPool pool = broxy.connPool().build()) {
            ConnPool.Key key = ConnPool.Key.of(origin.target(), direct);
            Lease reused = pool.lease(key);
            reused.giveBack();
            reused.close();
            reused.detach();
            reused.giveBack();
            assertThat(pool.stats().idle()).isEqualTo(1);
            assertThatThrownBy(() -> Talk.ask(reused, "late")).isInstanceOf(IOException.class);

            Lease detached = pool.lease(key);
            detached.detach();
            detached.close();
            detached.giveBack();
            assertThat(Talk.ask(detached, "mine")).isEqualTo("mine");
            detached.connection().close();

            Lease closed = pool.lease(key);
            closed.close();
            closed.giveBack();
            assertThat(closed.connection().isOpen()).isFalse();
            assertThat(pool.stats().idle()).isZero();
            assertThat(pool.stats().leased()).isZero();
            assertThat(pool.stats().detached()).isEqualTo(1);
            assertThat(pool.stats().discarded()).isEqualTo(1);
        }
    }

    @Test
    void aConnectionClosedByItsUserIsNotKept() throws Exception {
        try (Origin origin = Origin.echo();
                ConnPool pool = broxy.connPool().build()) {
            Lease lease = pool.lease(ConnPool.Key.of(origin.target(), direct));
            lease.connection().close();
            lease.giveBack();
            assertThat(pool.stats().idle()).isZero();
            assertThat(pool.stats().discarded()).isEqualTo(1);
        }
    }

    @Test
    void aConnectionGivenToARelayCannotBeGivenBack() throws Exception {
        try (Origin origin = Origin.echo();
                ConnPool pool = broxy.connPool().build()) {
            ConnPool.Key key = ConnPool.Key.of(origin.target(), direct);
            Lease one = pool.lease(key);
            Lease other = pool.lease(key);
            Tunnel tunnel = broxy.copier().relay(one.connection(), other.connection());
            assertThatThrownBy(one::giveBack).isInstanceOf(IllegalStateException.class);
            other.detach();
            assertThat(pool.stats().leased()).isZero();
            assertThat(pool.stats().detached()).isEqualTo(2);
            tunnel.close();
            tunnel.join();
        }
    }

    @Test
    void aLeasedConnectionIsAsGoodAsAnyOther() throws Exception {
        try (Origin origin = Origin.echo();
                ConnPool pool = broxy.connPool().build()) {
            ConnPool.Key key = ConnPool.Key.of(origin.target(), direct);
            pool.lease(key).giveBack();
            try (Lease lease = pool.lease(key)) {
                Connection connection = lease.connection();
                assertThat(connection.remoteAddress()).isEqualTo(origin.address());
                Peer peer = new Peer(connection.asSocket());
                assertThat(peer.send("socket").readText(6)).isEqualTo("socket");
                connection.shutdownOutput();
                peer.expectEnd();
            }
        }
    }

    // ------------------------------------------------------------------ what idle connections die of

    @Test
    void theEndOfTheStreamEvictsAtOnce() throws Exception {
        CountDownLatch end = new CountDownLatch(1);
        try (Origin origin = Origin.start(peer -> end.await());
                ConnPool pool = broxy.connPool().build()) {
            pool.lease(ConnPool.Key.of(origin.target(), direct)).giveBack();
            assertThat(pool.stats().idle()).isEqualTo(1);
            end.countDown();
            awaitIdle(pool, 0);
            awaitEvicted(pool, Eviction.PEER_CLOSED, 1);
        }
    }

    @Test
    void aStrayByteEvictsAtOnceAndIsNeverAnAnswer() throws Exception {
        CountDownLatch stray = new CountDownLatch(1);
        CountDownLatch first = new CountDownLatch(1);
        try (Origin origin = Origin.start(peer -> {
                    if (first.getCount() > 0) {
                        first.countDown();
                        stray.await();
                        peer.send("x");
                        peer.expectEnd();
                    } else {
                        peer.socket().getInputStream().transferTo(peer.socket().getOutputStream());
                    }
                });
                ConnPool pool = broxy.connPool().build()) {
            ConnPool.Key key = ConnPool.Key.of(origin.target(), direct);
            Lease lease = pool.lease(key);
            first.await();
            lease.giveBack();
            stray.countDown();
            awaitEvicted(pool, Eviction.STRAY_BYTES, 1);
            try (Lease next = pool.lease(key)) {
                assertThat(next.wasIdle()).isFalse();
                assertThat(Talk.ask(next, "clean")).isEqualTo("clean");
            }
        }
    }

    @Test
    void aStrayByteThatCameBeforeItWasGivenBackEvictsToo() throws Exception {
        try (Origin origin = Origin.greeting("hello!");
                ConnPool pool = broxy.connPool().build()) {
            Lease lease = pool.lease(ConnPool.Key.of(origin.target(), direct));
            assertThat(Talk.read(lease.connection(), 5)).isEqualTo("hello");
            lease.giveBack();
            awaitEvicted(pool, Eviction.STRAY_BYTES, 1);
        }
    }

    @Test
    void aResetEvictsAtOnce() throws Exception {
        CountDownLatch reset = new CountDownLatch(1);
        try (Origin origin = Origin.start(peer -> {
                    reset.await();
                    peer.reset();
                });
                ConnPool pool = broxy.connPool().build()) {
            pool.lease(ConnPool.Key.of(origin.target(), direct)).giveBack();
            reset.countDown();
            awaitEvicted(pool, Eviction.FAILED, 1);
        }
    }

    @Test
    void theIdleTimeoutCloses() throws Exception {
        CountDownLatch ended = new CountDownLatch(1);
        try (Origin origin = Origin.start(peer -> {
                    peer.expectEnd();
                    ended.countDown();
                });
                ConnPool pool =
                        broxy.connPool().idleTimeout(Duration.ofMillis(30)).build()) {
            pool.lease(ConnPool.Key.of(origin.target(), direct)).giveBack();
            assertThat(ended.await(PATIENCE_MILLIS, TimeUnit.MILLISECONDS)).isTrue();
            awaitEvicted(pool, Eviction.IDLE_TIMEOUT, 1);
        }
    }

    @Test
    void theMaximumAgeCloses() throws Exception {
        try (Origin origin = Origin.echo();
                ConnPool pool = broxy.connPool().maxAge(Duration.ofMillis(30)).build()) {
            ConnPool.Key key = ConnPool.Key.of(origin.target(), direct);
            pool.lease(key).giveBack();
            awaitEvicted(pool, Eviction.MAX_AGE, 1);
        }
    }

    // ------------------------------------------------------------------ caps and waiting

    @Test
    void waitersAreServedInOrderOfArrival() throws Exception {
        try (Origin origin = Origin.echo();
                ConnPool pool = broxy.connPool()
                        .maxOpenPerKey(1)
                        .leaseTimeout(Talk.PATIENCE)
                        .build()) {
            ConnPool.Key key = ConnPool.Key.of(origin.target(), direct);
            Lease held = pool.lease(key);
            List<Integer> served = new CopyOnWriteArrayList<>();
            List<Thread> threads = new ArrayList<>();
            for (int i = 0; i < 6; i++) {
                int number = i;
                Thread thread = new Thread(() -> {
                    try (Lease lease = pool.lease(key)) {
                        served.add(number);
                        Talk.ask(lease, "hello");
                        lease.giveBack();
                    } catch (IOException e) {
                        served.add(-1);
                    }
                });
                thread.start();
                threads.add(thread);
                awaitWaiting(pool, i + 1);
            }
            held.giveBack();
            for (Thread thread : threads) {
                thread.join(PATIENCE_MILLIS);
            }
            assertThat(served).containsExactly(0, 1, 2, 3, 4, 5);
            assertThat(origin.accepted()).isEqualTo(1);
        }
    }

    @Test
    void aLeaseThatWaitsTooLongReportsThatThePoolIsExhausted() throws Exception {
        try (Origin origin = Origin.echo();
                ConnPool pool = broxy.connPool().maxOpen(1).build()) {
            ConnPool.Key key = ConnPool.Key.of(origin.target(), direct);
            Lease held = pool.lease(key);
            assertThatThrownBy(() -> pool.lease(key, Duration.ofMillis(20)))
                    .isInstanceOfSatisfying(DialException.class, e -> {
                        assertThat(e.reason()).isEqualTo(Reason.POOL_EXHAUSTED);
                        assertThat(e.target()).isEqualTo(origin.target());
                        assertThat(e).hasMessageContaining("1 connections are leased");
                    });
            assertThatThrownBy(() ->
                            pool.leaseAsync(key, Duration.ofMillis(20)).get(PATIENCE_MILLIS, TimeUnit.MILLISECONDS))
                    .isInstanceOf(ExecutionException.class)
                    .cause()
                    .isInstanceOfSatisfying(
                            DialException.class, e -> assertThat(e.reason()).isEqualTo(Reason.POOL_EXHAUSTED));
            assertThat(pool.stats().waiting()).isZero();
            held.giveBack();
            pool.lease(key).close();
        }
    }

    @Test
    void anInterruptEndsTheWaitAndTheNextIsServed() throws Exception {
        try (Origin origin = Origin.echo();
                ConnPool pool =
                        broxy.connPool().maxOpen(1).leaseTimeout(Talk.PATIENCE).build()) {
            ConnPool.Key key = ConnPool.Key.of(origin.target(), direct);
            Lease held = pool.lease(key);
            AtomicReference<Object> outcome = new AtomicReference<>();
            Thread waiter = new Thread(() -> {
                try {
                    outcome.set(pool.lease(key));
                } catch (DialException e) {
                    outcome.set(e.reason() + " " + Thread.currentThread().isInterrupted());
                }
            });
            waiter.start();
            awaitWaiting(pool, 1);
            CompletableFuture<Lease> next = pool.leaseAsync(key, Talk.PATIENCE);
            awaitWaiting(pool, 2);
            waiter.interrupt();
            waiter.join(PATIENCE_MILLIS);
            assertThat(outcome).hasValue("CANCELLED true");
            held.giveBack();
            try (Lease lease = next.get(PATIENCE_MILLIS, TimeUnit.MILLISECONDS)) {
                assertThat(lease.wasIdle()).isTrue();
                assertThat(Talk.ask(lease, "next")).isEqualTo("next");
            }
        }
    }

    // ------------------------------------------------------------------ futures

    @Test
    void aFutureGivesANewConnectionAndThenTheIdleOne() throws Exception {
        try (Origin origin = Origin.echo();
                ConnPool pool = broxy.connPool().build()) {
            ConnPool.Key key = ConnPool.Key.of(origin.target(), direct);
            for (int i = 0; i < 20; i++) {
                Lease lease = pool.leaseAsync(key, Talk.PATIENCE).get(PATIENCE_MILLIS, TimeUnit.MILLISECONDS);
                assertThat(lease.wasIdle()).isEqualTo(i > 0);
                assertThat(Talk.ask(lease, "async " + i)).isEqualTo("async " + i);
                lease.giveBack();
            }
            assertThat(origin.accepted()).isEqualTo(1);
        }
    }

    @Test
    void aCancelledFutureWaitsNoLonger() throws Exception {
        try (Origin origin = Origin.echo();
                ConnPool pool = broxy.connPool().maxOpen(1).build()) {
            ConnPool.Key key = ConnPool.Key.of(origin.target(), direct);
            Lease held = pool.lease(key);
            CompletableFuture<Lease> future = pool.leaseAsync(key, Talk.PATIENCE);
            awaitWaiting(pool, 1);
            future.cancel(false);
            awaitWaiting(pool, 0);
            held.giveBack();
            assertThat(pool.stats().idle()).isEqualTo(1);
        }
    }

    @Test
    @Tag("sweep")
    void aFutureCancelledAtAnyMomentLosesNothing() throws Exception {
        try (Origin origin = Origin.echo();
                ConnPool pool = broxy.connPool().maxOpen(2).build()) {
            ConnPool.Key key = ConnPool.Key.of(origin.target(), direct);
            for (int i = 0; i < 300; i++) {
                CompletableFuture<Lease> one = pool.leaseAsync(key, Talk.PATIENCE);
                CompletableFuture<Lease> other = pool.leaseAsync(key, Talk.PATIENCE);
                LockSupport.parkNanos(i * 1_000L); // each time at another moment
                if (!one.cancel(false)) {
                    one.join().giveBack();
                }
                if (!other.cancel(false)) {
                    other.join().close();
                }
            }
            await().atMost(Talk.PATIENCE).untilAsserted(() -> {
                assertThat(pool.stats().leased()).isZero();
                assertThat(pool.stats().opening()).isZero();
                assertThat(pool.stats().waiting()).isZero();
            });
            assertThat(Talk.accountedFor(pool.stats())).isEqualTo(pool.stats().created());
        }
    }

    // ------------------------------------------------------------------ other people's dialers

    @Test
    void aDialersFailureIsTheLeases() throws Exception {
        int port = HeldPort.refusing().port();
        try (ConnPool pool = broxy.connPool().build()) {
            ConnPool.Key key = ConnPool.Key.of(HostPort.of("127.0.0.1", port), direct);
            assertThatThrownBy(() -> pool.lease(key))
                    .isInstanceOfSatisfying(
                            DialException.class, e -> assertThat(e.reason()).isEqualTo(Reason.REFUSED));
            assertThatThrownBy(() -> pool.leaseAsync(key, Talk.PATIENCE).get(PATIENCE_MILLIS, TimeUnit.MILLISECONDS))
                    .cause()
                    .isInstanceOfSatisfying(
                            DialException.class, e -> assertThat(e.reason()).isEqualTo(Reason.REFUSED));
            ConnPool.Key broken = ConnPool.Key.of(key.address(), request -> {
                throw new IllegalStateException("broken dialer");
            });
            assertThatThrownBy(() -> pool.lease(broken)).isInstanceOf(IllegalStateException.class);
            assertThatThrownBy(() -> pool.leaseAsync(broken, Talk.PATIENCE).get(PATIENCE_MILLIS, TimeUnit.MILLISECONDS))
                    .cause()
                    .isInstanceOf(DialException.class)
                    .hasMessageContaining("broken dialer");
            assertThat(pool.stats().opening()).isZero();
        }
    }

    @Test
    void connectionsOverOwnChannelsArePooled() throws Exception {
        try (Origin origin = Origin.echo();
                ConnPool pool = broxy.connPool().build()) {
            ConnPool.Key key = ConnPool.Key.of(origin.target(), request -> {
                try {
                    return broxy.asConnection(SocketChannel.open(origin.address()));
                } catch (IOException e) {
                    throw new AssertionError(e);
                }
            });
            pool.lease(key).giveBack();
            pool.leaseAsync(key, Talk.PATIENCE)
                    .get(PATIENCE_MILLIS, TimeUnit.MILLISECONDS)
                    .giveBack();
            Lease first = pool.lease(key);
            Lease second = pool.leaseAsync(key, Talk.PATIENCE).get(PATIENCE_MILLIS, TimeUnit.MILLISECONDS);
            assertThat(Talk.ask(first, "1")).isEqualTo("1");
            assertThat(Talk.ask(second, "2")).isEqualTo("2");
            first.close();
            second.close();
            assertThat(origin.accepted()).isEqualTo(2);
            assertThat(pool.stats().reused()).isEqualTo(2);
        }
    }

    @Test
    void aSocketWithoutAChannelIsLeasedAndNeverKept() throws Exception {
        try (Origin origin = Origin.echo();
                ConnPool pool = broxy.connPool().build()) {
            ConnPool.Key key = ConnPool.Key.of(origin.target(), streams(origin.address()));
            Lease lease = pool.lease(key);
            assertThat(Talk.ask(lease, "streams")).isEqualTo("streams");
            lease.giveBack();
            assertThat(lease.connection().isOpen()).isFalse();
            assertThat(pool.stats().evicted(Eviction.UNWATCHABLE)).isEqualTo(1);
            try (Lease async = pool.leaseAsync(key, Talk.PATIENCE).get(PATIENCE_MILLIS, TimeUnit.MILLISECONDS)) {
                assertThat(Talk.ask(async, "async")).isEqualTo("async");
            }
            pool.warm(key, 3);
            awaitEvicted(pool, Eviction.UNWATCHABLE, 4);
            int before = origin.accepted();
            await().during(Duration.ofMillis(300)).atMost(Talk.PATIENCE).until(() -> origin.accepted() == before);
        }
    }

    private Dialer streams(InetSocketAddress address) {
        return request -> {
            try {
                return broxy.asConnection(new Socket(address.getAddress(), address.getPort()));
            } catch (IOException e) {
                throw new AssertionError(e);
            }
        };
    }

    // ------------------------------------------------------------------ the end of the pool

    @Test
    void closingEndsIdleConnectionsAndWaitersButNotLeases() throws Exception {
        CountDownLatch ended = new CountDownLatch(2);
        try (Origin origin = Origin.start(peer -> {
            peer.socket().getInputStream().transferTo(peer.socket().getOutputStream());
            ended.countDown();
        })) {
            ConnPool pool =
                    broxy.connPool().maxOpen(3).leaseTimeout(Talk.PATIENCE).build();
            ConnPool.Key key = ConnPool.Key.of(origin.target(), direct);
            Lease kept = pool.lease(key);
            Lease detached = pool.lease(key);
            pool.lease(key).giveBack();
            Lease last = pool.lease(key);
            CompletableFuture<Lease> waiting = pool.leaseAsync(key, Talk.PATIENCE);
            awaitWaiting(pool, 1);
            last.close();
            Lease got = waiting.get(PATIENCE_MILLIS, TimeUnit.MILLISECONDS);
            CompletableFuture<Lease> refused = pool.leaseAsync(key, Talk.PATIENCE);
            awaitWaiting(pool, 1);

            pool.close();
            pool.close();

            assertThatThrownBy(() -> refused.get(PATIENCE_MILLIS, TimeUnit.MILLISECONDS))
                    .cause()
                    .isInstanceOfSatisfying(
                            DialException.class, e -> assertThat(e.reason()).isEqualTo(Reason.CANCELLED));
            assertThatThrownBy(() -> pool.lease(key)).isInstanceOf(IllegalStateException.class);
            assertThatThrownBy(() -> pool.warm(key, 1)).isInstanceOf(IllegalStateException.class);
            assertThat(Talk.ask(kept, "still")).isEqualTo("still");
            kept.giveBack();
            got.close();
            detached.detach();
            assertThat(Talk.ask(detached, "mine")).isEqualTo("mine");
            detached.connection().close();
            assertThat(ended.await(PATIENCE_MILLIS, TimeUnit.MILLISECONDS)).isTrue();
            assertThat(pool.stats().leased()).isZero();
            assertThat(pool.stats().evicted(Eviction.CLOSED)).isEqualTo(1);
            assertThat(Talk.accountedFor(pool.stats())).isEqualTo(pool.stats().created());
        }
    }

    @Test
    void theEndOfTheEngineEndsThePool() throws Exception {
        try (Origin origin = Origin.echo()) {
            ConnPool.Key key;
            Lease held;
            ConnPool pool;
            try (Broxy other = Broxy.builder().eventLoops(2).build()) {
                key = ConnPool.Key.of(origin.target(), other.directDialer().build());
                pool = other.connPool().build();
                pool.warm(key, 3);
                awaitIdle(pool, 3);
                held = pool.lease(key);
            }
            assertThat(pool.stats().idle()).isZero();
            assertThat(Talk.ask(held, "held")).isEqualTo("held");
            held.giveBack();
            assertThat(held.connection().isOpen()).isFalse();
            assertThat(Talk.accountedFor(pool.stats())).isEqualTo(pool.stats().created());
        }
    }

    @Test
    void settingsThatMakeNoSenseAreRefused() {
        ConnPool.Builder builder = broxy.connPool();
        assertThatThrownBy(() -> builder.maxIdle(-1)).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> builder.maxIdlePerKey(-1)).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> builder.maxOpen(0)).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> builder.maxOpenPerKey(0)).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> builder.idleTimeout(Duration.ZERO)).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> builder.maxAge(Duration.ofSeconds(-1))).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> builder.leaseTimeout(Duration.ZERO)).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> builder.reportLeaks(-1)).isInstanceOf(IllegalArgumentException.class);
    }

    @Test
    void aKeyShowsNoIdentity() {
        ConnPool.Key key =
                ConnPool.Key.of(HostPort.of("proxy.example", 3128), direct).withIdentity("alice:secret");
        assertThat(key).hasToString("Key[proxy.example:3128, with an identity]");
    }
}
