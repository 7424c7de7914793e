package io.broxy.core.internal.relay;

import static io.broxy.core.internal.relay.RelayRig.await;
import static org.assertj.core.api.Assertions.assertThat;

import io.broxy.CloseReason;
import io.broxy.core.internal.loop.Throttle;
import io.broxy.core.internal.loop.Throttles;
import io.broxy.core.internal.relay.RelayRig.Relayed;
import io.broxy.core.internal.relay.RelayRig.Side;
import io.broxy.core.internal.relay.RelayRig.Way;
import io.broxy.core.internal.time.TokenBucket;
import io.broxy.core.testkit.Background;
import io.broxy.core.testkit.LeakCheck;
import io.broxy.core.testkit.ManualTicker;
import io.broxy.core.testkit.Payload;
import io.broxy.core.testkit.Peer;
import io.broxy.core.testkit.Sockets;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * Specifies that bytes that reach no one neither wait for a rate nor use it up, and that a limited relay ends as soon
 * as an unlimited one. Real sockets, with a manual clock.
 */
@ParameterizedClass
@EnumSource
@ExtendWith(LeakCheck.class)
class RelayRateEndsTest {
    private static final int RATE = 2_000;
    private static final int QUANTUM = RATE / 20;

    /** More than a relay discards, for which the rate would take nine minutes. */
    private static final int DOWNLOAD = 4 << 20;

    /** Time enough for the threads of the test, and far less than anything here takes at the rate. */
    private static final Duration SOON = Duration.ofSeconds(60);

    private final ManualTicker ticker = new ManualTicker();

    private final Sockets sockets;

    private RelayRig rig;

    RelayRateEndsTest(Sockets sockets) {
        this.sockets = sockets.ifPossible();
    }

    @BeforeEach
    void start() throws IOException {
        rig = new RelayRig(sockets, ticker);
    }

    @AfterEach
    void stop() throws Exception {
        rig.close();
    }

    private Relayed limited(Way way, TokenBucket shared) throws Exception {
        rig.throttles = loop -> new Throttles(new Throttle(loop, shared), new Throttle(loop, shared));
        return rig.relay(way);
    }

    private TokenBucket rate(long bytesPerSecond) {
        return new TokenBucket(bytesPerSecond, ticker.nanos());
    }

    /** Lets the time pass in steps in which everything that may move has moved. */
    private void pass(Duration time) throws InterruptedException {
        Duration step = Duration.ofMillis(50);
        for (Duration left = time; left.toNanos() > 0; left = left.minus(step)) {
            ticker.advance(step);
            rig.turns(8);
        }
    }

    /** Lets the time pass until relays have ended, and gives how much it was. */
    private Duration passUntilEnded(List<Relayed> relays) {
        Duration step = Duration.ofMillis(50);
        AtomicReference<Duration> passed = new AtomicReference<>(Duration.ZERO);
        await().until(() -> {
            pass(step);
            passed.updateAndGet(time -> time.plus(step));
            return relays.stream().allMatch(Relayed::hasEnded);
        });
        return Objects.requireNonNull(passed.get());
    }

    private static void sendOnAndOn(Peer sender) {
        Background.run(() -> sender.send(new byte[DOWNLOAD])).exceptionally(reset -> null);
    }

    /** How a client gives up. */
    private enum Cancel {
        /** It has ended its stream, read what came, and closes. */
        CLOSE_BEHIND_ITS_END {
            @Override
            void cancel(Peer client) throws IOException {
                client.shutdownOutput();
                client.read(1);
                client.close();
            }
        },
        /** It closes in the middle. */
        CLOSE {
            @Override
            void cancel(Peer client) throws IOException {
                client.close();
            }
        },
        RESET {
            @Override
            void cancel(Peer client) throws IOException {
                client.reset();
            }
        };

        abstract void cancel(Peer client) throws IOException;
    }

    @ParameterizedTest
    @EnumSource
    void downloadsThatAreCancelledEndSoonAndLeaveTheRateToOthers(Cancel cancel) throws Exception {
        TokenBucket shared = rate(RATE);
        List<Relayed> cancelled = new ArrayList<>();
        for (int i = 0; i < 4; i++) {
            Relayed relayed = limited(Way.LOOP, shared);
            sendOnAndOn(relayed.origin());
            cancelled.add(relayed);
        }
        await().until(() -> {
            pass(Duration.ofMillis(50));
            return cancelled.stream().allMatch(one -> one.bytesFrom(Side.ORIGIN) > 0);
        });

        for (Relayed one : cancelled) {
            cancel.cancel(one.client());
        }
        assertThat(passUntilEnded(cancelled)).isLessThanOrEqualTo(SOON);
        Relayed next = limited(Way.LOOP, shared);
        sendOnAndOn(next.origin());
        await().until(() -> {
            rig.turns(4);
            return next.bytesFrom(Side.ORIGIN) > 0 || shared.take(1, ticker.nanos()) == 0;
        });
        long before = next.bytesFrom(Side.ORIGIN);
        pass(Duration.ofSeconds(2));

        assertThat(next.bytesFrom(Side.ORIGIN) - before).isBetween(2L * RATE - 2 * QUANTUM, 2L * RATE + RATE);
    }

    @Test
    void whatIsDiscardedTakesNothingFromTheOthersMeanwhile() throws Exception {
        TokenBucket shared = rate(RATE);
        Relayed other = limited(Way.LOOP, shared);
        Relayed cancelled = limited(Way.LOOP, shared);
        sendOnAndOn(other.origin());
        sendOnAndOn(cancelled.origin());
        await().until(() -> {
            pass(Duration.ofMillis(50));
            return cancelled.bytesFrom(Side.ORIGIN) > 0;
        });
        Cancel.CLOSE_BEHIND_ITS_END.cancel(cancelled.client());
        pass(Duration.ofMillis(300)); // two writes, of which the second fails

        long before = other.bytesFrom(Side.ORIGIN);
        pass(Duration.ofSeconds(2));

        assertThat(other.bytesFrom(Side.ORIGIN) - before).isGreaterThanOrEqualTo(2L * RATE - 2 * QUANTUM);
        assertThat(cancelled.bytesFrom(Side.ORIGIN)).isLessThan(50 * RATE);
        passUntilEnded(List.of(cancelled));
        assertThat(cancelled.result().reason()).isEqualTo(CloseReason.CLIENT_RESET);
    }

    @Test
    void aResetClientIsNoticedThoughItsBytesWaitForTheirTurn() throws Exception {
        Relayed relayed = limited(Way.LOOP, rate(RATE));
        relayed.client().send(Payload.bytes(100 * RATE, 1));
        await().until(() -> relayed.bytesFrom(Side.CLIENT) >= QUANTUM);

        relayed.client().reset();

        assertThat(passUntilEnded(List.of(relayed))).isLessThanOrEqualTo(SOON);
        assertThat(relayed.result().reason()).isEqualTo(CloseReason.CLIENT_RESET);
        assertThat(relayed.bytesFrom(Side.CLIENT)).isLessThan(50 * RATE);
        relayed.origin().expectReset();
    }

    @Test
    void aResetClientIsNoticedThoughTheNextTurnIsFar() throws Exception {
        TokenBucket shared = rate(RATE);
        Relayed relayed = limited(Way.LOOP, shared);
        shared.reserve(100 * RATE, ticker.nanos()); // others are before it
        relayed.client().send("its first bytes wait");
        rig.turns(8);

        relayed.client().reset();

        assertThat(passUntilEnded(List.of(relayed))).isLessThanOrEqualTo(SOON);
        assertThat(relayed.result().reason()).isEqualTo(CloseReason.CLIENT_RESET);
        assertThat(relayed.bytesFrom(Side.CLIENT)).isZero();
    }

    @Test
    void aCompleteUploadIsDeliveredAtItsRateThoughItsSenderIsGone() throws Exception {
        Relayed relayed = limited(Way.LOOP, rate(RATE));
        byte[] complete = Payload.bytes(3 * RATE, 8);
        relayed.client().send(complete).shutdownOutput();
        TcpStates.awaitEndDelivered(relayed.client().socket());
        relayed.client().reset();
        relayed.origin().send("one").send("two");
        CompletableFuture<byte[]> got = Background.supply(() -> {
            byte[] all = relayed.origin().read(complete.length);
            relayed.origin().expectEnd();
            relayed.origin().close();
            return all;
        });

        pass(Duration.ofSeconds(1));
        sendOnAndOn(relayed.origin()); // what is discarded is much
        assertThat(got).as("all of it within a second").isNotDone();
        AtomicReference<Duration> passed = new AtomicReference<>(Duration.ofSeconds(1));
        await().until(() -> {
            pass(Duration.ofMillis(50));
            passed.updateAndGet(time -> time.plus(Duration.ofMillis(50)));
            return got.isDone();
        });

        assertThat(got.get()).isEqualTo(complete);
        assertThat(passed.get()).isGreaterThan(Duration.ofSeconds(2));
        passUntilEnded(List.of(relayed));
        assertThat(relayed.result().reason()).isEqualTo(CloseReason.CLIENT_RESET);
    }

    @Test
    void aClientThatHasEndedItsStreamAndReadsOnKeepsItsRate() throws Exception {
        Relayed relayed = limited(Way.LOOP, rate(RATE));
        relayed.client().shutdownOutput();
        relayed.origin().expectEnd();
        sendOnAndOn(relayed.origin());
        await().until(() -> relayed.bytesFrom(Side.ORIGIN) > 0);

        pass(Duration.ofSeconds(3));

        assertThat(relayed.bytesFrom(Side.ORIGIN)).isBetween(2L * RATE, 3L * RATE + QUANTUM + 1);
        assertThat(relayed.hasEnded()).isFalse();
    }

    @Test
    void whatAClientSendsAfterTheEndOfItsOriginIsDiscardedAtNoRate() throws Exception {
        TokenBucket shared = rate(RATE);
        Relayed relayed = limited(Way.LOOP, shared);
        relayed.origin().send("all").shutdownOutput();
        assertThat(relayed.client().readText(3)).isEqualTo("all");
        CompletableFuture<?> end = Background.run(relayed.client()::expectEnd);
        await().until(() -> {
            pass(Duration.ofMillis(50)); // the end has its turn, too
            return end.isDone();
        });
        end.get();
        relayed.origin().close();
        sendOnAndOn(relayed.client());

        assertThat(passUntilEnded(List.of(relayed))).isLessThanOrEqualTo(SOON);
        assertThat(relayed.result().reason()).isEqualTo(CloseReason.ORIGIN_RESET);
        assertThat(relayed.bytesFrom(Side.CLIENT)).isLessThan(50 * RATE);
    }

    @Test
    void whatIsHeldWhenARelayIsCutIsNotChargedToItsRate() throws Exception {
        int rate = 1_000_000;
        TokenBucket shared = rate(rate);
        ticker.advance(Duration.ofSeconds(1));
        rig.throttles = loop -> new Throttles(new Throttle(loop, shared), new Throttle(loop, shared));
        Relayed relayed = rig.narrow(Way.LOOP, RelayRig.PATIENT);
        relayed.origin().send(Payload.bytes(200_000, 1));
        rig.awaitHeld();

        relayed.tunnel().close();
        long moved = relayed.result().bytesToClient();

        assertThat(shared.take(2 * rate, ticker.nanos()))
                .isBetween((int) (rate - moved) - 10, (int) (rate - moved) + 10);
    }
}
