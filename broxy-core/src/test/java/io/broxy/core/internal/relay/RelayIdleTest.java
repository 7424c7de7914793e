package io.broxy.core.internal.relay;

import static io.broxy.core.internal.relay.RelayRig.await;
import static org.assertj.core.api.Assertions.assertThat;

import io.broxy.CloseReason;
import io.broxy.core.internal.relay.RelayRig.Relayed;
import io.broxy.core.internal.relay.RelayRig.Side;
import io.broxy.core.internal.relay.RelayRig.Way;
import io.broxy.core.testkit.Background;
import io.broxy.core.testkit.LeakCheck;
import io.broxy.core.testkit.ManualTicker;
import io.broxy.core.testkit.Payload;
import io.broxy.core.testkit.Peer;
import io.broxy.core.testkit.Sockets;
import java.io.IOException;
import java.time.Duration;
import java.util.Arrays;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/** Specifies the idle, half-close and stall limits of a relay, over real sockets with a manual clock. */
@ParameterizedClass
@EnumSource
@ExtendWith(LeakCheck.class)
class RelayIdleTest {
    private static final Idleness LIMITS =
            new Idleness(TimeUnit.SECONDS.toNanos(300), TimeUnit.SECONDS.toNanos(60), TimeUnit.SECONDS.toNanos(300));

    private static final Idleness STALL_SOON =
            new Idleness(TimeUnit.SECONDS.toNanos(300), TimeUnit.SECONDS.toNanos(300), TimeUnit.SECONDS.toNanos(60));

    private final ManualTicker ticker = new ManualTicker();

    private final Sockets sockets;

    private RelayRig rig;

    RelayIdleTest(Sockets sockets) {
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

    private void pass(long seconds) throws InterruptedException {
        ticker.advance(Duration.ofSeconds(seconds));
        rig.turns(2); // the first may have begun before
    }

    /** A byte goes over, and the relay has taken note of it. */
    private static void exchange(Relayed relayed, Side from) throws IOException {
        long before = relayed.bytesFrom(from);
        relayed.peer(from).send("x");
        relayed.peer(from.other()).read(1);
        await().until(() -> relayed.bytesFrom(from) == before + 1);
    }

    @ParameterizedTest
    @CsvSource({"LOOP,CLIENT", "LOOP,ORIGIN", "THREADS,CLIENT", "THREADS,ORIGIN", "MIXED,CLIENT"})
    void oneTalkingSideKeepsBothAlive(Way way, Side talking) throws Exception {
        Relayed relayed = rig.relay(way, LIMITS);

        for (int i = 0; i < 10; i++) {
            pass(200);
            exchange(relayed, talking);
        }

        assertThat(relayed.hasEnded()).isFalse();
        exchange(relayed, talking.other());
    }

    @ParameterizedTest
    @EnumSource
    void silenceOfBothSidesIsCutAtTheLimitAndNotBefore(Way way) throws Exception {
        Relayed relayed = rig.relay(way, LIMITS);
        exchange(relayed, Side.CLIENT);
        pass(250);
        exchange(relayed, Side.ORIGIN);
        pass(299);
        exchange(relayed, Side.CLIENT); // still there

        pass(300);

        relayed.client().expectReset();
        relayed.origin().expectReset();
        assertThat(relayed.result().reason()).isEqualTo(CloseReason.IDLE);
        assertThat(relayed.result().duration()).isEqualTo(Duration.ofSeconds(849));
    }

    @ParameterizedTest
    @CsvSource({"LOOP,CLIENT", "LOOP,ORIGIN", "THREADS,CLIENT", "MIXED,CLIENT"})
    void onceOneSideHasEndedAnotherLimitCounts(Way way, Side ended) throws Exception {
        Relayed relayed = rig.relay(way, LIMITS);
        relayed.peer(ended).shutdownOutput();
        relayed.peer(ended.other()).expectEnd();
        rig.turns(2); // a relay on threads hands the new limit to the clock
        for (int i = 0; i < 5; i++) {
            pass(50);
            exchange(relayed, ended.other());
        }
        assertThat(relayed.hasEnded()).isFalse();

        pass(60);

        relayed.peer(ended).expectReset();
        assertThat(relayed.result().reason()).isEqualTo(CloseReason.IDLE);
    }

    @ParameterizedTest
    @EnumSource
    void peerThatReadsNothingIsCutTooAndItsBytesAreReleased(Way way) throws Exception {
        Relayed relayed = rig.narrow(way, LIMITS);
        relayed.client().send(Payload.bytes(100_000, 1));
        if (way == Way.LOOP) {
            rig.awaitHeld();
        }
        await().until(() -> {
            pass(300); // the last bytes may go over at this very moment, and begin another idle time
            return relayed.hasEnded();
        });

        assertThat(relayed.result().reason()).isEqualTo(CloseReason.IDLE);
        relayed.client().expectReset();
        relayed.origin().expectReset();
    }

    @ParameterizedTest
    @CsvSource({"CLIENT", "ORIGIN"})
    void sideThatTakesNothingIsCutThoughTheOtherDirectionGoesOn(Side stuck) throws Exception {
        Relayed relayed = rig.narrow(Way.LOOP, STALL_SOON);
        relayed.peer(stuck.other()).send(Payload.bytes(100_000, 1));
        rig.awaitHeld();

        for (int i = 0; i < 6; i++) {
            assertThat(relayed.hasEnded()).isFalse();
            pass(9);
            exchange(relayed, stuck);
        }
        await().until(() -> {
            pass(10); // the last bytes may have gone over just now
            return relayed.hasEnded();
        });

        assertThat(relayed.result().reason()).isEqualTo(CloseReason.STALLED);
        relayed.client().expectReset();
        relayed.origin().expectReset();
    }

    @Test
    void sideThatTakesALittleAtATimeIsNotCut() throws Exception {
        Relayed relayed = rig.narrow(Way.LOOP, STALL_SOON);
        byte[] payload = Payload.bytes(500_000, 1);
        CompletableFuture<?> sending = Background.run(() -> relayed.client().send(payload));
        rig.awaitHeld();

        for (int at = 0; at < payload.length; at += 50_000) {
            pass(50);
            byte[] got = relayed.origin().read(50_000);
            assertThat(got).isEqualTo(Arrays.copyOfRange(payload, at, at + 50_000));
            long taken = at + 50_000L;
            await().until(() -> relayed.bytesFrom(Side.CLIENT) >= taken);
        }

        sending.get();
        assertThat(relayed.hasEnded()).isFalse();
    }

    @ParameterizedTest
    @CsvSource({"LOOP,CLIENT", "LOOP,ORIGIN", "THREADS,CLIENT", "THREADS,ORIGIN"})
    void readerOfACompleteStreamHasTheHalfCloseTimeThoughItsOwnBytesGoNowhere(Way way, Side gone) throws Exception {
        Relayed relayed = rig.relay(way, LIMITS);
        byte[] complete = Payload.bytes(50_000, 2);
        Peer sender = relayed.peer(gone);
        Peer reader = relayed.peer(gone.other());
        sender.send(complete).shutdownOutput();
        await().until(() -> relayed.bytesFrom(gone) == complete.length);
        sender.reset();
        reader.send("into").send("the void");

        pass(59); // longer than any lingering close would wait
        reader.send("more");
        assertThat(reader.read(complete.length)).isEqualTo(complete);
        reader.expectEnd();
        assertThat(relayed.hasEnded()).isFalse();

        await().alias("the end, though more comes within each half-close time")
                .ignoreExceptionsInstanceOf(IOException.class) // what is sent may meet the end
                .until(() -> {
                    if (!relayed.hasEnded()) {
                        pass(30);
                        reader.send("more");
                    }
                    return relayed.hasEnded();
                });
        assertThat(relayed.result().reason()).isEqualTo(CloseReason.IDLE);
    }
}
