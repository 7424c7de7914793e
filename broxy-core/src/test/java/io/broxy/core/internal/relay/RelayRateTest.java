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
import io.broxy.core.testkit.Sockets;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/** Specifies the rate limits of a relay, over real sockets with a manual clock. */
@ParameterizedClass
@EnumSource
@ExtendWith(LeakCheck.class)
class RelayRateTest {
    private static final int RATE = 20_000;
    private static final int QUANTUM = RATE / 20;

    private final ManualTicker ticker = new ManualTicker();

    private final Sockets sockets;

    private RelayRig rig;

    RelayRateTest(Sockets sockets) {
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

    private Relayed limited(Way way, @Nullable TokenBucket shared) throws Exception {
        rig.throttles = loop -> new Throttles(
                new Throttle(loop, new TokenBucket(RATE, loop.nowNanos()), shared),
                new Throttle(loop, new TokenBucket(RATE, loop.nowNanos()), shared));
        return rig.relay(way);
    }

    private void pass(Duration time) throws InterruptedException {
        ticker.advance(time);
        rig.turns(2); // the first may have begun before
    }

    /** Lets the time pass in steps in which everything that may move has moved. */
    private void passSlowly(Duration time) throws InterruptedException {
        Duration step = Duration.ofMillis(50);
        for (Duration left = time; left.toNanos() > 0; left = left.minus(step)) {
            pass(step);
            rig.turns(6);
        }
    }

    @ParameterizedTest
    @CsvSource({"LOOP,CLIENT", "LOOP,ORIGIN", "THREADS,CLIENT", "MIXED,ORIGIN"})
    void noMoreGoesOverThanTheRateAllowsAndAllOfItInTheEnd(Way way, Side sender) throws Exception {
        Relayed relayed = limited(way, null);
        byte[] payload = Payload.bytes(5 * RATE, 1);
        CompletableFuture<?> sending =
                Background.run(() -> relayed.peer(sender).send(payload).shutdownOutput());
        CompletableFuture<byte[]> got =
                Background.supply(() -> relayed.peer(sender.other()).read(payload.length));

        await().until(() -> relayed.bytesFrom(sender) > 0);
        for (int seconds = 1; seconds <= 4; seconds++) {
            passSlowly(Duration.ofSeconds(1));
            assertThat(relayed.bytesFrom(sender)).isLessThanOrEqualTo((long) seconds * RATE + QUANTUM + 1);
        }
        assertThat(got.isDone()).isFalse();
        await().until(() -> {
            passSlowly(Duration.ofMillis(200));
            return got.isDone();
        });

        assertThat(got.get()).isEqualTo(payload);
        sending.get();
        relayed.peer(sender.other()).shutdownOutput();
        await().until(() -> {
            passSlowly(Duration.ofMillis(200));
            return relayed.hasEnded();
        });
        assertThat(relayed.result().reason()).isEqualTo(CloseReason.FINISHED);
        assertThat(relayed.bytesFrom(sender)).isEqualTo(payload.length);
    }

    @Test
    void whileItWaitsForItsTurnTheLoopSleeps() throws Exception {
        Relayed relayed = limited(Way.LOOP, null);
        relayed.client().send(Payload.bytes(5 * QUANTUM, 2));
        await().until(() -> relayed.bytesFrom(Side.CLIENT) >= QUANTUM);
        rig.turns(3);

        long moved = relayed.bytesFrom(Side.CLIENT);
        long cpu = rig.loopCpuNanos();
        await().pollDelay(Duration.ofMillis(300)).until(() -> true);

        assertThat(rig.loopCpuNanos() - cpu)
                .as("CPU time of the loop")
                .isLessThan(Duration.ofMillis(100).toNanos());
        assertThat(relayed.bytesFrom(Side.CLIENT)).isEqualTo(moved);
    }

    @Test
    void theOtherDirectionHasARateOfItsOwn() throws Exception {
        Relayed relayed = limited(Way.LOOP, null);
        relayed.client().send(Payload.bytes(5 * QUANTUM, 3));
        await().until(() -> relayed.bytesFrom(Side.CLIENT) >= QUANTUM);

        relayed.origin().send("at once");

        assertThat(relayed.client().readText(7)).isEqualTo("at once");
    }

    @Test
    void connectionsThatShareARateTakeTurns() throws Exception {
        TokenBucket shared = new TokenBucket(RATE, ticker.nanos());
        List<Relayed> all = new ArrayList<>();
        for (int i = 0; i < 4; i++) {
            Relayed relayed = limited(Way.LOOP, shared);
            all.add(relayed);
            relayed.client().send(Payload.bytes(RATE, i));
        }
        rig.turns(4);

        passSlowly(Duration.ofSeconds(2));

        List<Long> moved = all.stream().map(one -> one.bytesFrom(Side.CLIENT)).toList();
        long sum = moved.stream().mapToLong(Long::longValue).sum();
        assertThat(sum).isBetween(RATE * 3L / 2, 2L * RATE + QUANTUM + 1);
        assertThat(moved).allSatisfy(bytes -> assertThat(bytes).isBetween(sum / 8, sum / 2));
    }

    @Test
    void aTunnelThatEndsWhileItWaitsLeavesItsTurnToOthers() throws Exception {
        TokenBucket shared = new TokenBucket(RATE, ticker.nanos());
        Relayed first = limited(Way.LOOP, shared);
        first.client().send(Payload.bytes(RATE, 1));
        await().until(() -> first.bytesFrom(Side.CLIENT) > 0);
        rig.turns(3);
        first.tunnel().close();
        first.result();
        Relayed second = limited(Way.LOOP, shared);
        second.client().send(Payload.bytes(QUANTUM, 2));

        pass(Duration.ofMillis(51));

        await().untilAsserted(() -> assertThat(second.bytesFrom(Side.CLIENT)).isEqualTo(QUANTUM));
    }

    @Test
    void aResetOfAWaitingSenderIsSeenAtItsNextTurn() throws Exception {
        Relayed relayed = limited(Way.LOOP, null);
        relayed.client().send(Payload.bytes(5 * QUANTUM, 3));
        await().until(() -> relayed.bytesFrom(Side.CLIENT) >= QUANTUM);

        relayed.client().reset();
        await().until(() -> {
            pass(Duration.ofMillis(100));
            return relayed.hasEnded();
        });

        assertThat(relayed.result().reason()).isEqualTo(CloseReason.CLIENT_RESET);
    }
}
