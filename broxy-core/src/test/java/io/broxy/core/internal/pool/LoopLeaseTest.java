package io.broxy.core.internal.pool;

import static io.broxy.core.testkit.LoopTalk.begin;
import static io.broxy.core.testkit.LoopTalk.on;
import static io.broxy.core.testkit.LoopTalk.run;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.broxy.ConnPool;
import io.broxy.ConnPool.Lease;
import io.broxy.Connection;
import io.broxy.DialException;
import io.broxy.DialException.Reason;
import io.broxy.DialRequest;
import io.broxy.Dialer;
import io.broxy.PoolStats.Eviction;
import io.broxy.core.internal.dial.CallerDials;
import io.broxy.core.internal.dial.DialEngine;
import io.broxy.core.internal.dial.DirectDialerBuilder;
import io.broxy.core.internal.loop.BufferPool;
import io.broxy.core.internal.loop.EventLoop;
import io.broxy.core.internal.loop.EventLoops;
import io.broxy.core.internal.loop.Workers;
import io.broxy.core.internal.net.Completion;
import io.broxy.core.internal.net.DialHandle;
import io.broxy.core.internal.net.LoopConnection;
import io.broxy.core.internal.net.SocketConnection;
import io.broxy.core.internal.net.StreamConnection;
import io.broxy.core.internal.time.Ticker;
import io.broxy.core.testkit.LeakCheck;
import io.broxy.core.testkit.LoopTalk;
import io.broxy.core.testkit.Origin;
import io.broxy.core.testkit.Peer;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.channels.SocketChannel;
import java.time.Duration;
import java.util.Objects;
import java.util.Optional;
import java.util.Queue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Consumer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Specifies leases on event loops, as dialers and exchanges take them. */
@ExtendWith(LeakCheck.class)
class LoopLeaseTest {
    private static final long PATIENCE_NANOS = Talk.PATIENCE.toNanos();

    private final Workers workers = new Workers();
    private EventLoops loops;
    private EventLoop one;
    private EventLoop other;
    private EnginePool pool;
    private Dialer direct;

    @BeforeEach
    void start() throws Exception {
        loops = EventLoops.start(2, new BufferPool(1 << 20, 1 << 20), Ticker.SYSTEM);
        one = loops.next();
        other = loops.next();
        pool = pool(settings -> {});
        direct = new DirectDialerBuilder(new DialEngine(
                        loops, workers, new BufferPool(1 << 20, 1 << 20), Ticker.SYSTEM, new CallerDials()))
                .build();
    }

    private EnginePool pool(Consumer<ConnPool.Builder> settings) {
        ConnPoolBuilder builder =
                new ConnPoolBuilder(new PoolEngine(loops, workers, Ticker.SYSTEM), built -> {}, closed -> {});
        settings.accept(builder);
        return builder.build();
    }

    @AfterEach
    void stop() throws Exception {
        pool.close();
        assertThat(loops.stop(PATIENCE_NANOS)).isTrue();
        assertThat(workers.stop(PATIENCE_NANOS)).isTrue();
    }

    private static Completion<LoopLease> into(CompletableFuture<LoopLease> future) {
        return new Completion<>() {
            @Override
            public void done(LoopLease lease) {
                future.complete(lease);
            }

            @Override
            public void failed(DialException failure) {
                future.completeExceptionally(failure);
            }
        };
    }

    private LoopLease lease(EventLoop loop, ConnPool.Key key) throws Exception {
        return on(loop, future -> pool.lease(loop, key, IdleUse.ANY, null, null, PATIENCE_NANOS, into(future)));
    }

    /** Sends a text and reads the same number of bytes back. */
    private static String ask(EventLoop loop, LoopConnection connection, String text) throws Exception {
        return LoopTalk.ask(loop, connection, text, text.length());
    }

    private static void assertExhausted(CompletableFuture<LoopLease> late) {
        assertThat(late)
                .failsWithin(Talk.PATIENCE)
                .withThrowableOfType(ExecutionException.class)
                .havingCause()
                .isInstanceOfSatisfying(
                        DialException.class, e -> assertThat(e.reason()).isEqualTo(Reason.POOL_EXHAUSTED));
    }

    @Test
    void whatIsIdleOnTheLoopIsLeasedThereAsItIs() throws Exception {
        try (Origin origin = Origin.echo()) {
            ConnPool.Key key = ConnPool.Key.of(origin.target(), direct);
            LoopLease first = lease(one, key);
            assertThat(first.wasIdle()).isFalse();
            assertThat(ask(one, first.connection(), "first")).isEqualTo("first");
            run(one, first::giveBack);
            LoopLease second = lease(one, key);
            assertThat(second.wasIdle()).isTrue();
            assertThat(second.connection()).isSameAs(first.connection());
            assertThat(ask(one, second.connection(), "second")).isEqualTo("second");
            run(one, second::close);
            assertThat(pool.stats().discarded()).isEqualTo(1);
        }
    }

    @Test
    void whatIsIdleOnAnotherLoopMoves() throws Exception {
        try (Origin origin = Origin.echo()) {
            ConnPool.Key key = ConnPool.Key.of(origin.target(), direct);
            run(one, lease(one, key)::giveBack);
            LoopLease moved = lease(other, key);
            assertThat(moved.wasIdle()).isTrue();
            assertThat(moved.connection().loop()).isSameAs(other);
            assertThat(ask(other, moved.connection(), "moved")).isEqualTo("moved");
            run(other, moved::giveBack);
            LoopLease back = lease(one, key);
            assertThat(ask(one, back.connection(), "back")).isEqualTo("back");
            run(one, back::close);
            assertThat(origin.accepted()).isEqualTo(1);
            assertThat(pool.stats().reused()).isEqualTo(2);
        }
    }

    @Test
    void theOwnLoopsIsTakenBeforeAnotherLoops() throws Exception {
        try (Origin origin = Origin.echo()) {
            ConnPool.Key key = ConnPool.Key.of(origin.target(), direct);
            LoopLease here = lease(one, key);
            LoopLease there = lease(other, key);
            run(one, here::giveBack);
            run(other, there::giveBack); // the newer one
            LoopLease again = lease(one, key);
            assertThat(again.connection()).isSameAs(here.connection());
            run(one, again::close);
        }
    }

    @Test
    void usersAndLoopsShareConnections() throws Exception {
        try (Origin origin = Origin.echo()) {
            ConnPool.Key key = ConnPool.Key.of(origin.target(), direct);
            for (int i = 0; i < 20; i++) {
                EventLoop loop = i % 2 == 0 ? one : other;
                Lease user = pool.lease(key);
                assertThat(Talk.ask(user, "user")).isEqualTo("user");
                user.giveBack();
                LoopLease own = lease(loop, key);
                assertThat(ask(loop, own.connection(), "loop")).isEqualTo("loop");
                run(loop, own::giveBack);
            }
            assertThat(origin.accepted()).isEqualTo(1);
        }
    }

    @Test
    void oneDetachedIsTheCallers() throws Exception {
        try (Origin origin = Origin.echo()) {
            LoopLease lease = lease(one, ConnPool.Key.of(origin.target(), direct));
            run(one, () -> {
                lease.detach();
                lease.close();
                lease.giveBack();
            });
            assertThat(ask(one, lease.connection(), "mine")).isEqualTo("mine");
            run(one, lease.connection()::close);
            assertThat(pool.stats().detached()).isEqualTo(1);
            assertThat(pool.stats().idle()).isZero();
        }
    }

    @Test
    void aWaiterGetsAConnectionThatBecomesFreeOnAnotherLoop() throws Exception {
        pool = pool(settings -> settings.maxOpen(1));
        try (Origin origin = Origin.echo()) {
            ConnPool.Key key = ConnPool.Key.of(origin.target(), direct);
            LoopLease held = lease(one, key);
            CompletableFuture<LoopLease> waiting = begin(
                    other, future -> pool.lease(other, key, IdleUse.ANY, null, null, PATIENCE_NANOS, into(future)));
            await().atMost(Talk.PATIENCE).until(() -> pool.stats().waiting() == 1);
            run(one, held::giveBack);
            LoopLease got = waiting.get(PATIENCE_NANOS, TimeUnit.NANOSECONDS);
            assertThat(ask(other, got.connection(), "got")).isEqualTo("got");
            run(other, got::close);
        }
    }

    @Test
    void aWaiterThatTimesOutOrGivesUpIsNotServed() throws Exception {
        pool = pool(settings -> settings.maxOpen(1));
        try (Origin origin = Origin.echo()) {
            ConnPool.Key key = ConnPool.Key.of(origin.target(), direct);
            LoopLease held = lease(one, key);
            CompletableFuture<LoopLease> late = begin(
                    one,
                    future -> pool.lease(
                            one, key, IdleUse.ANY, null, null, TimeUnit.MILLISECONDS.toNanos(20), into(future)));
            assertExhausted(late);
            CompletableFuture<LoopLease> told = new CompletableFuture<>();
            DialHandle dialing = on(
                    other,
                    future -> future.complete(
                            pool.lease(other, key, IdleUse.ANY, null, null, PATIENCE_NANOS, into(told))));
            await().atMost(Talk.PATIENCE).until(() -> pool.stats().waiting() == 1);
            run(other, dialing::cancel);
            assertThat(pool.stats().waiting()).isZero();
            run(one, held::giveBack);
            assertThat(pool.stats().idle()).isEqualTo(1);
            assertThat(told).isNotDone();
        }
    }

    @Test
    @Tag("sweep")
    void oneCancelledAtAnyMomentLosesNothing() throws Exception {
        pool = pool(settings -> settings.maxOpen(2));
        try (Origin origin = Origin.echo()) {
            ConnPool.Key key = ConnPool.Key.of(origin.target(), direct);
            for (int i = 0; i < 200; i++) {
                EventLoop loop = i % 2 == 0 ? one : other;
                CompletableFuture<LoopLease> told = new CompletableFuture<>();
                DialHandle dialing = on(
                        loop,
                        future -> future.complete(
                                pool.lease(loop, key, IdleUse.ANY, null, null, PATIENCE_NANOS, into(told))));
                run(loop, () -> {
                    dialing.cancel();
                    if (told.isDone()) {
                        told.join().giveBack();
                    }
                });
            }
            await().atMost(Talk.PATIENCE)
                    .until(() -> pool.stats().leased() == 0 && pool.stats().opening() == 0);
            assertThat(Talk.accountedFor(pool.stats())).isEqualTo(pool.stats().created());
        }
    }

    @Test
    void aConnectionThatTakesThreadsIsLeasedButNeverLiesIdle() throws Exception {
        try (Origin origin = Origin.start(Peer::expectEnd)) {
            ConnPool.Key key = ConnPool.Key.of(origin.target(), request -> {
                try {
                    return new StreamConnection(new Socket(origin.address().getAddress(), origin.port()));
                } catch (IOException e) {
                    throw new AssertionError(e);
                }
            });
            LoopLease lease = begin(
                            one,
                            (CompletableFuture<LoopLease> future) ->
                                    pool.lease(one, key, IdleUse.ANY, null, null, PATIENCE_NANOS, into(future)))
                    .get(Talk.PATIENCE.toMillis(), TimeUnit.MILLISECONDS);
            assertThat(lease.connection().takesThreads()).isTrue();

            one.execute(lease::giveBack);

            await().atMost(Talk.PATIENCE).until(() -> pool.stats().evicted(Eviction.UNWATCHABLE) == 1);
            assertThat(pool.stats().idle()).isZero();
        }
    }

    @Test
    void aDialerThatHangsIsLeftAtTheDeadline() throws Exception {
        CompletableFuture<Void> interrupted = new CompletableFuture<>();
        try (Origin origin = Origin.echo()) {
            ConnPool.Key key = ConnPool.Key.of(origin.target(), request -> {
                try {
                    new CompletableFuture<Void>().get();
                } catch (InterruptedException e) {
                    interrupted.complete(null);
                } catch (ExecutionException e) {
                    throw new AssertionError(e);
                }
                throw new IllegalStateException("interrupted");
            });
            CompletableFuture<LoopLease> late = begin(
                    one,
                    future -> pool.lease(
                            one, key, IdleUse.ANY, null, null, TimeUnit.MILLISECONDS.toNanos(500), into(future)));
            assertThat(late)
                    .failsWithin(Talk.PATIENCE)
                    .withThrowableOfType(ExecutionException.class)
                    .havingCause()
                    .isInstanceOfSatisfying(
                            DialException.class, e -> assertThat(e.reason()).isEqualTo(Reason.TIMEOUT));
            interrupted.get(PATIENCE_NANOS, TimeUnit.NANOSECONDS);
            assertThat(pool.stats().opening()).isZero();
        }
    }

    @Test
    void aClosedPoolLeasesNothing() throws Exception {
        try (Origin origin = Origin.echo()) {
            ConnPool.Key key = ConnPool.Key.of(origin.target(), direct);
            LoopLease held = lease(one, key);
            pool.close();
            CompletableFuture<LoopLease> refused = begin(
                    other, future -> pool.lease(other, key, IdleUse.ANY, null, null, PATIENCE_NANOS, into(future)));
            assertThat(refused)
                    .failsWithin(Talk.PATIENCE)
                    .withThrowableOfType(ExecutionException.class)
                    .havingCause()
                    .isInstanceOfSatisfying(
                            DialException.class, e -> assertThat(e.reason()).isEqualTo(Reason.CANCELLED));
            run(one, held::giveBack);
            await().atMost(Talk.PATIENCE).until(() -> !held.connection().isOpen());
            assertThat(pool.stats().evicted(Eviction.CLOSED)).isEqualTo(1);
        }
    }

    @Test
    void leasesThatWaitForAClosingEngineFail() throws Exception {
        pool = pool(settings -> settings.maxOpen(1));
        try (Origin origin = Origin.echo()) {
            ConnPool.Key key = ConnPool.Key.of(origin.target(), direct);
            Lease held = pool.lease(key);
            CompletableFuture<LoopLease> waiting = begin(
                    other, future -> pool.lease(other, key, IdleUse.ANY, null, null, PATIENCE_NANOS, into(future)));
            await().atMost(Talk.PATIENCE).until(() -> pool.stats().waiting() == 1);
            assertThat(loops.stop(PATIENCE_NANOS)).isTrue();
            assertThat(waiting)
                    .failsWithin(Talk.PATIENCE)
                    .withThrowableOfType(ExecutionException.class)
                    .havingCause()
                    .isInstanceOfSatisfying(
                            DialException.class, e -> assertThat(e.reason()).isEqualTo(Reason.CANCELLED));
            held.giveBack();
            assertThat(held.connection().isOpen()).isFalse();
        }
    }

    // ------------------------------------------------------------------ new ones only

    private CompletableFuture<LoopLease> beginFresh(EventLoop loop, ConnPool.Key key) {
        return begin(loop, future -> pool.lease(loop, key, IdleUse.NEVER, null, null, PATIENCE_NANOS, into(future)));
    }

    @Test
    void aLeaseThatWantsAFreshConnectionGetsItThoughAnotherIsIdle() throws Exception {
        try (Origin origin = Origin.echo()) {
            ConnPool.Key key = ConnPool.Key.of(origin.target(), direct);
            LoopLease first = lease(one, key);
            run(one, first::giveBack);
            LoopLease fresh = beginFresh(one, key).get(PATIENCE_NANOS, TimeUnit.NANOSECONDS);
            assertThat(fresh.wasIdle()).isFalse();
            assertThat(fresh.connection()).isNotSameAs(first.connection());
            assertThat(ask(one, fresh.connection(), "fresh")).isEqualTo("fresh");
            assertThat(pool.stats().idle()).isEqualTo(1);
            run(one, fresh::giveBack);
            assertThat(pool.stats().idle()).isEqualTo(2);
            assertThat(origin.accepted()).isEqualTo(2);
        }
    }

    @Test
    void aFreshOneKeepsTheCaps() throws Exception {
        pool = pool(settings -> settings.maxOpenPerKey(1));
        try (Origin origin = Origin.echo()) {
            ConnPool.Key key = ConnPool.Key.of(origin.target(), direct);
            LoopLease held = lease(one, key);
            CompletableFuture<LoopLease> waiting = beginFresh(other, key);
            await().atMost(Talk.PATIENCE).until(() -> pool.stats().waiting() == 1);
            run(one, held::giveBack);
            LoopLease fresh = waiting.get(PATIENCE_NANOS, TimeUnit.NANOSECONDS);
            assertThat(fresh.wasIdle()).isFalse();
            assertThat(ask(other, fresh.connection(), "fresh")).isEqualTo("fresh");
            assertThat(pool.stats().evicted(Eviction.CAP)).isEqualTo(1);
            await().atMost(Talk.PATIENCE).until(() -> !held.connection().isOpen());
            run(other, fresh::close);
        }
    }

    @Test
    void aFreshOneThatComesTooLateIsExhaustion() throws Exception {
        pool = pool(settings -> settings.maxOpen(1));
        try (Origin origin = Origin.echo()) {
            ConnPool.Key key = ConnPool.Key.of(origin.target(), direct);
            LoopLease held = lease(one, key);
            CompletableFuture<LoopLease> late = begin(
                    one,
                    future -> pool.lease(
                            one, key, IdleUse.NEVER, null, null, TimeUnit.MILLISECONDS.toNanos(20), into(future)));
            assertExhausted(late);
            run(one, held::giveBack);
            LoopLease again = lease(one, key);
            assertThat(again.wasIdle()).as("the one that gave up took nothing").isTrue();
            run(one, again::close);
        }
    }

    /** All is in one turn of the loop, so that its selector cannot tell of what comes. */
    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void whatWaitsAtTheGiveBackOrAtTheLeaseSpoilsTheConnection(boolean before) throws Exception {
        Semaphore now = new Semaphore(0);
        try (Origin origin = Origin.start(peer -> {
            now.acquire();
            peer.send("x");
            peer.readAll();
        })) {
            AtomicReference<SocketChannel> channel = new AtomicReference<>();
            ConnPool.Key key = ConnPool.Key.of(origin.target(), request -> open(origin, channel));
            LoopLease first = lease(one, key);
            SocketChannel spoilt = Objects.requireNonNull(channel.get());
            CompletableFuture<LoopLease> next = begin(one, future -> {
                if (before) {
                    spoil(now, spoilt);
                }
                first.giveBack();
                assertThat(pool.stats().idle())
                        .as("nothing is read before the lease")
                        .isEqualTo(1);
                if (!before) {
                    spoil(now, spoilt);
                }
                pool.lease(one, key, IdleUse.ANY, null, null, PATIENCE_NANOS, into(future));
            });
            LoopLease fresh = next.get(PATIENCE_NANOS, TimeUnit.NANOSECONDS);
            assertThat(fresh.wasIdle()).isFalse();
            assertThat(pool.stats().evicted(Eviction.STRAY_BYTES)).isEqualTo(1);
            run(one, fresh::close);
            now.release();
        }
    }

    private static Connection open(Origin origin, AtomicReference<SocketChannel> opened) throws DialException {
        try {
            SocketChannel channel = SocketChannel.open(origin.address());
            opened.set(channel);
            return SocketConnection.of(channel);
        } catch (IOException e) {
            throw DialException.builder(Reason.UNREACHABLE, origin.target())
                    .cause(e)
                    .build();
        }
    }

    /** Has the peer send, and waits until it has come. */
    private static void spoil(Semaphore now, SocketChannel channel) {
        now.release();
        try {
            InputStream in = channel.socket().getInputStream();
            await().pollInterval(Duration.ofMillis(1)).atMost(Talk.PATIENCE).until(() -> in.available() > 0);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Test
    void aConnectionThatAnnouncedAClientIsNeverKept() throws Exception {
        Queue<Optional<DialRequest.Client>> named = new ConcurrentLinkedQueue<>();
        Dialer telling = new Dialer() {
            @Override
            public Connection dial(DialRequest request) throws DialException {
                named.add(Optional.ofNullable(request.client()));
                return direct.dial(request);
            }

            @Override
            public boolean sendsClientAddress() {
                return true;
            }
        };
        DialRequest.Client client = new DialRequest.Client(
                new InetSocketAddress("192.0.2.7", 1), new InetSocketAddress("192.0.2.1", 3_128));
        try (Origin origin = Origin.echo()) {
            ConnPool.Key key = ConnPool.Key.of(origin.target(), telling);
            run(one, lease(one, key)::giveBack);
            for (int i = 0; i < 2; i++) {
                LoopLease lease = on(
                        one, future -> pool.lease(one, key, IdleUse.ANY, client, null, PATIENCE_NANOS, into(future)));
                assertThat(lease.wasIdle()).isFalse();
                assertThat(ask(one, lease.connection(), "hello")).isEqualTo("hello");
                run(one, () -> {
                    lease.answered(PATIENCE_NANOS, -1);
                    lease.giveBack();
                });
                assertThat(lease.connection().isOpen()).isFalse();
            }
            assertThat(named).containsExactly(Optional.empty(), Optional.of(client), Optional.of(client));
            assertThat(pool.stats().idle()).isEqualTo(1);
            assertThat(pool.stats().discarded()).isEqualTo(2);
            LoopLease ofNobody = lease(one, key);
            assertThat(ofNobody.wasIdle()).isTrue();
            run(one, ofNobody::close);
        }
    }
}
