package io.broxy.core.internal.relay;

import static io.broxy.core.internal.relay.RelayRig.await;
import static org.assertj.core.api.Assertions.assertThat;

import io.broxy.CloseReason;
import io.broxy.TunnelResult;
import io.broxy.core.internal.net.StreamConnection;
import io.broxy.core.internal.relay.RelayRig.Relayed;
import io.broxy.core.internal.relay.RelayRig.Side;
import io.broxy.core.internal.relay.RelayRig.Way;
import io.broxy.core.testkit.Background;
import io.broxy.core.testkit.LeakCheck;
import io.broxy.core.testkit.Payload;
import io.broxy.core.testkit.Peer;
import io.broxy.core.testkit.Sockets;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.net.Socket;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/** Specifies how the two directions of a relay behave, on a loop and on threads alike. */
@ParameterizedClass
@EnumSource
@ExtendWith(LeakCheck.class)
class RelayTest {
    private static final int MEBIBYTE = 1 << 20;

    private final Sockets sockets;

    private RelayRig rig;

    RelayTest(Sockets sockets) {
        this.sockets = sockets.ifPossible();
    }

    @BeforeEach
    void start() throws IOException {
        rig = new RelayRig(sockets);
    }

    @AfterEach
    void stop() throws Exception {
        rig.close();
    }

    // ------------------------------------------------------------------ bytes and ends

    @ParameterizedTest
    @CsvSource({"LOOP,CLIENT", "LOOP,ORIGIN", "THREADS,CLIENT", "THREADS,ORIGIN", "MIXED,CLIENT", "MIXED,ORIGIN"})
    void endOfOneStreamLeavesTheOtherRunning(Way way, Side first) throws Exception {
        Relayed relayed = rig.relay(way);
        Peer ends = relayed.peer(first);
        Peer goesOn = relayed.peer(first.other());
        byte[] early = Payload.bytes(1_000, 1);
        byte[] late = Payload.bytes(MEBIBYTE, 2);

        ends.send(early).shutdownOutput();
        assertThat(goesOn.read(early.length)).isEqualTo(early);
        goesOn.expectEnd();
        CompletableFuture<?> sending = Background.run(() -> goesOn.send(late).shutdownOutput());
        assertThat(ends.read(late.length)).isEqualTo(late);
        ends.expectEnd();
        sending.get();

        TunnelResult result = relayed.result();
        assertThat(result.reason()).isEqualTo(CloseReason.FINISHED);
        assertThat(result.cause()).isNull();
        assertThat(relayed.bytesFrom(first)).isEqualTo(early.length);
        assertThat(relayed.bytesFrom(first.other())).isEqualTo(late.length);
    }

    @ParameterizedTest
    @EnumSource
    void bulkGoesBothWaysAtOnceUnchanged(Way way) throws Exception {
        Relayed relayed = rig.relay(way);
        long count = 64L * MEBIBYTE;

        CompletableFuture<String> sentByClient = sending(relayed.client(), count, 1);
        CompletableFuture<String> sentByOrigin = sending(relayed.origin(), count, 2);
        CompletableFuture<String> gotByClient = receiving(relayed.client());

        assertThat(Payload.read(relayed.origin().socket().getInputStream())).isEqualTo(sentByClient.get());
        assertThat(gotByClient.get()).isEqualTo(sentByOrigin.get());
        assertThat(relayed.result().reason()).isEqualTo(CloseReason.FINISHED);
        assertThat(relayed.result().bytesToOrigin()).isEqualTo(count);
        assertThat(relayed.result().bytesToClient()).isEqualTo(count);
    }

    @Test
    void readTimeoutOfASocketsFormerOwnerDoesNotCutASilentSide() throws Exception {
        RelayRig.Accepted<Socket> client = rig.socket(false);
        RelayRig.Accepted<Socket> origin = rig.socket(false);
        client.near().setSoTimeout(50);
        Relayed relayed = rig.onThreads(
                client.peer(),
                new StreamConnection(client.near()),
                origin.peer(),
                new StreamConnection(origin.near()),
                RelayRig.PATIENT);

        await().during(Duration.ofMillis(300)).until(() -> !relayed.hasEnded());
        relayed.client().send("late");
        assertThat(relayed.origin().readText(4)).isEqualTo("late");
    }

    // ------------------------------------------------------------------ back-pressure

    @ParameterizedTest
    @CsvSource({"LOOP,CLIENT", "THREADS,ORIGIN"})
    @Tag("slow")
    void slowReaderStopsTheSenderAndGetsAllInTheEnd(Way way, Side slow) throws Exception {
        Relayed relayed = rig.relay(way);
        byte[] payload = Payload.bytes(64 * MEBIBYTE, 3);
        AtomicLong sent = new AtomicLong();
        CompletableFuture<?> sending = Background.run(() -> {
            Peer sender = relayed.peer(slow.other());
            for (int at = 0; at < payload.length; at += 1 << 16) {
                sender.socket().getOutputStream().write(payload, at, 1 << 16);
                sent.addAndGet(1 << 16);
            }
            sender.shutdownOutput();
        });

        awaitStandstill(sent);
        assertThat(sent.get()).isLessThan(payload.length);
        if (way == Way.LOOP) {
            assertThat(rig.buffers.heldBytes()).as("one remainder").isBetween(1L, (long) MEBIBYTE);
        }

        assertThat(Payload.read(relayed.peer(slow).socket().getInputStream()))
                .isEqualTo(Payload.read(new ByteArrayInputStream(payload)));
        sending.get();
        assertThat(rig.buffers.heldBytes()).isZero();
        relayed.peer(slow).shutdownOutput();
        assertThat(relayed.result().reason()).isEqualTo(CloseReason.FINISHED);
    }

    private static void awaitStandstill(AtomicLong sent) {
        AtomicLong seen = new AtomicLong(-1);
        await().pollInterval(Duration.ofMillis(500))
                .until(() -> sent.get() > 0 && seen.getAndSet(sent.get()) == sent.get());
    }

    @Test
    void eachDirectionHoldsItsOwnRemainder() throws Exception {
        Relayed relayed = rig.narrow(Way.LOOP);
        byte[] toOrigin = Payload.bytes(MEBIBYTE, 4);
        byte[] toClient = Payload.bytes(MEBIBYTE, 5);
        CompletableFuture<?> client =
                Background.run(() -> relayed.client().send(toOrigin).shutdownOutput());
        CompletableFuture<?> origin =
                Background.run(() -> relayed.origin().send(toClient).shutdownOutput());
        rig.awaitHeld();

        CompletableFuture<byte[]> gotByClient =
                Background.supply(() -> relayed.client().read(toClient.length));
        assertThat(relayed.origin().read(toOrigin.length)).isEqualTo(toOrigin);
        assertThat(gotByClient.get()).isEqualTo(toClient);
        client.get();
        origin.get();
        assertThat(relayed.result().reason()).isEqualTo(CloseReason.FINISHED);
        assertThat(rig.buffers.heldBytes()).isZero();
    }

    // ------------------------------------------------------------------ resets

    @ParameterizedTest
    @CsvSource({"LOOP,CLIENT", "LOOP,ORIGIN", "THREADS,CLIENT", "THREADS,ORIGIN", "MIXED,CLIENT", "MIXED,ORIGIN"})
    void resetBeforeAnyByteResetsTheOther(Way way, Side side) throws Exception {
        Relayed relayed = rig.relay(way);

        relayed.peer(side).reset();

        relayed.peer(side.other()).expectReset();
        assertThat(relayed.result().reason()).isEqualTo(side.reset());
        assertThat(relayed.result().cause()).isInstanceOf(IOException.class);
        assertThat(relayed.result().bytesToOrigin()).isZero();
        assertThat(relayed.result().bytesToClient()).isZero();
    }

    @ParameterizedTest
    @CsvSource({"LOOP,CLIENT", "LOOP,ORIGIN", "THREADS,CLIENT", "THREADS,ORIGIN", "MIXED,CLIENT", "MIXED,ORIGIN"})
    void resetWithinAStreamResetsTheOther(Way way, Side side) throws Exception {
        Relayed relayed = rig.relay(way);
        relayed.peer(side).send(new byte[10_000]);
        relayed.peer(side.other()).read(10_000);

        relayed.peer(side).reset();

        relayed.peer(side.other()).expectReset();
        assertThat(relayed.result().reason()).isEqualTo(side.reset());
        assertThat(relayed.bytesFrom(side)).isEqualTo(10_000);
    }

    @ParameterizedTest
    @CsvSource({"LOOP,CLIENT", "LOOP,ORIGIN", "THREADS,CLIENT", "THREADS,ORIGIN"})
    void resetOfASenderWhoseBytesAreHeldIsSeenOnceTheReaderReadsOn(Way way, Side side) throws Exception {
        Relayed relayed = rig.narrow(way);
        relayed.peer(side).send(Payload.bytes(100_000, 6));
        await().until(() -> relayed.bytesFrom(side) > 0);

        relayed.peer(side).reset();

        relayed.peer(side.other()).expectReset();
        assertThat(relayed.result().reason()).isEqualTo(side.reset());
        assertThat(rig.buffers.heldBytes()).isZero();
    }

    @ParameterizedTest
    @CsvSource({"LOOP,CLIENT", "LOOP,ORIGIN", "THREADS,CLIENT", "THREADS,ORIGIN"})
    void resetOfAReaderForWhomBytesAreHeldResetsTheSender(Way way, Side side) throws Exception {
        Relayed relayed = rig.narrow(way);
        CompletableFuture<?> sending =
                Background.run(() -> relayed.peer(side.other()).send(Payload.bytes(100_000, 7)));
        sending.get();
        await().until(() -> relayed.bytesFrom(side.other()) > 0);

        relayed.peer(side).reset();

        relayed.peer(side.other()).expectReset();
        assertThat(relayed.result().reason()).isEqualTo(side.reset());
        assertThat(rig.buffers.heldBytes()).isZero();
    }

    @ParameterizedTest
    @CsvSource({"LOOP,CLIENT", "LOOP,ORIGIN", "THREADS,CLIENT", "THREADS,ORIGIN"})
    void resetAfterTheOthersEndStillCuts(Way way, Side side) throws Exception {
        Relayed relayed = rig.relay(way);
        relayed.peer(side.other()).shutdownOutput();
        relayed.peer(side).expectEnd();

        relayed.peer(side).send("half of an answer").reset();

        relayed.peer(side.other()).expectReset();
        assertThat(relayed.result().reason()).isEqualTo(side.reset());
    }

    // ------------------------------------------------------------------ resets after the peer's own end

    @ParameterizedTest
    @CsvSource({"LOOP,CLIENT", "LOOP,ORIGIN", "THREADS,CLIENT", "THREADS,ORIGIN", "MIXED,CLIENT", "MIXED,ORIGIN"})
    void completeStreamIsDeliveredThoughItsSenderResets(Way way, Side side) throws Exception {
        Relayed relayed = rig.narrow(way);
        byte[] complete = Payload.bytes(50_000, 8);
        sendAllAndReset(relayed.peer(side), complete);
        Peer reader = relayed.peer(side.other());

        assertThat(reader.read(complete.length)).isEqualTo(complete);
        reader.expectEnd();
        reader.shutdownOutput();

        assertThat(relayed.result().reason()).isEqualTo(CloseReason.FINISHED);
        assertThat(relayed.bytesFrom(side)).isEqualTo(complete.length);
    }

    @ParameterizedTest
    @CsvSource({"LOOP,CLIENT", "LOOP,ORIGIN", "THREADS,CLIENT", "THREADS,ORIGIN", "MIXED,CLIENT", "MIXED,ORIGIN"})
    void completeStreamIsDeliveredThoughItsReaderSendsIntoTheVoid(Way way, Side side) throws Exception {
        Relayed relayed = rig.narrow(way);
        byte[] complete = Payload.bytes(50_000, 9);
        sendAllAndReset(relayed.peer(side), complete);
        Peer reader = relayed.peer(side.other());

        reader.send("one").send(Payload.bytes(20_000, 10)); // while its own bytes are still held
        assertThat(reader.read(complete.length)).isEqualTo(complete);
        reader.expectEnd();
        reader.send("three").shutdownOutput();

        TunnelResult result = relayed.result();
        assertThat(result.reason()).as("bytes were lost").isEqualTo(side.reset());
        assertThat(result.cause()).isInstanceOf(IOException.class);
        assertThat(relayed.bytesFrom(side)).isEqualTo(complete.length);
        assertThat(relayed.bytesFrom(side.other())).isZero();
    }

    private static void sendAllAndReset(Peer peer, byte[] bytes) throws IOException {
        peer.send(bytes).shutdownOutput();
        TcpStates.awaitEndDelivered(peer.socket());
        peer.reset();
    }

    // ------------------------------------------------------------------ closing from outside

    @ParameterizedTest
    @EnumSource
    void closeFromManyThreadsResetsBothSidesOnce(Way way) throws Exception {
        Relayed relayed = rig.narrow(way);
        relayed.client().send("x");
        relayed.origin().read(1);
        relayed.client().send(Payload.bytes(100_000, 12)); // some of it is held

        CompletableFuture<?>[] closers = new CompletableFuture<?>[8];
        for (int i = 0; i < closers.length; i++) {
            closers[i] = Background.run(() -> relayed.tunnel().close());
        }
        CompletableFuture.allOf(closers).get();

        relayed.client().expectReset();
        relayed.origin().expectReset();
        assertThat(relayed.result().reason()).isEqualTo(CloseReason.CLOSED);
        assertThat(rig.buffers.heldBytes()).isZero();
        relayed.tunnel().close();
        assertThat(relayed.tunnel().join().reason()).isEqualTo(CloseReason.CLOSED);
    }

    @ParameterizedTest
    @EnumSource
    void endOfTheEngineEndsTheRelay(Way way) throws Exception {
        Relayed relayed = rig.relay(way);
        relayed.client().send("x");
        relayed.origin().read(1);

        rig.close();

        assertThat(relayed.result().reason()).isEqualTo(CloseReason.CLOSED);
    }

    // ------------------------------------------------------------------ asynchronous peers

    private static CompletableFuture<String> sending(Peer peer, long count, long seed) {
        return Background.supply(() -> {
            String digest = Payload.write(peer.socket().getOutputStream(), count, seed);
            peer.shutdownOutput();
            return digest;
        });
    }

    private static CompletableFuture<String> receiving(Peer peer) {
        return Background.supply(() -> Payload.read(peer.socket().getInputStream()));
    }
}
