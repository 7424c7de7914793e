package io.broxy.core.internal.net;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.broxy.Connection;
import io.broxy.core.testkit.Origin;
import io.broxy.core.testkit.Payload;
import io.broxy.core.testkit.Peer;
import io.broxy.core.testkit.Threads;
import java.io.IOException;
import java.net.Socket;
import java.net.SocketAddress;
import java.net.SocketTimeoutException;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedChannelException;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.Test;

/** Specifies the contract of {@link Connection}, for each kind that implements it. */
interface ConnectionContract {

    Transferable connect(SocketAddress address) throws IOException;

    // ------------------------------------------------------------------ bytes

    @Test
    default void bytesGoBothWays() throws Exception {
        try (Origin origin = Origin.echo();
                Connection connection = connect(origin.address())) {
            assertThat(connection.write(bytes("there and back"))).isEqualTo(14);
            connection.shutdownOutput();

            assertThat(readAll(connection)).isEqualTo("there and back");
            assertThat(connection.read(ByteBuffer.allocate(1))).isEqualTo(-1);
        }
    }

    @Test
    default void bufferWithoutRoomReadsNothing() throws Exception {
        try (Origin origin = Origin.greeting("hello");
                Connection connection = connect(origin.address())) {
            assertThat(connection.read(ByteBuffer.allocate(0))).isZero();
            assertThat(connection.write(ByteBuffer.allocate(0))).isZero();
        }
    }

    @Test
    default void directAndReadOnlyAndPartialBuffersDo() throws Exception {
        try (Origin origin = Origin.echo();
                Connection connection = connect(origin.address())) {
            ByteBuffer middle = bytes("[hello]").asReadOnlyBuffer().position(1).limit(6);
            connection.write(middle);
            connection.shutdownOutput();
            assertThat(middle.hasRemaining()).isFalse();

            ByteBuffer into = ByteBuffer.allocateDirect(10).position(2).limit(5);
            while (into.hasRemaining()) {
                assertThat(connection.read(into)).isPositive();
            }
            assertThat(US_ASCII.decode(into.position(2)).toString()).isEqualTo("hel");
        }
    }

    @Test
    default void writeTakesAllThoughThePeerReadsSlowly() throws Exception {
        byte[] payload = Payload.bytes(8 << 20, 1);
        CountDownLatch writing = new CountDownLatch(1);
        try (Origin origin = Origin.start(peer -> {
                    await(writing);
                    assertThat(peer.read(payload.length)).isEqualTo(payload);
                    peer.send("all");
                });
                Connection connection = connect(origin.address())) {
            writing.countDown();
            assertThat(connection.write(ByteBuffer.wrap(payload))).isEqualTo(payload.length);

            assertThat(readAll(connection)).isEqualTo("all");
        }
    }

    @Test
    default void outputEndsOnceAndReadingGoesOn() throws Exception {
        try (Origin origin = Origin.start(peer -> {
                    assertThat(peer.readAll()).isEqualTo("question");
                    peer.send("answer");
                });
                Connection connection = connect(origin.address())) {
            connection.write(bytes("question"));
            connection.shutdownOutput();
            connection.shutdownOutput();

            assertThat(readAll(connection)).isEqualTo("answer");
            assertThatThrownBy(() -> connection.write(bytes("more"))).isInstanceOf(IOException.class);
            connection.shutdownOutput();
        }
    }

    @Test
    default void addressesAreKnownAfterTheEndToo() throws Exception {
        try (Origin origin = Origin.discard()) {
            Connection connection = connect(origin.address());
            SocketAddress local = connection.localAddress();
            connection.close();

            assertThat(connection.remoteAddress()).isEqualTo(origin.address());
            assertThat(connection.localAddress()).isNotNull().isEqualTo(local);
            assertThat(connection.toString())
                    .contains(local.toString(), origin.address().toString());
        }
    }

    // ------------------------------------------------------------------ ends

    @Test
    default void closeEndsTheStream() throws Exception {
        try (Origin origin = Origin.start(Peer::expectEnd)) {
            Connection connection = connect(origin.address());
            assertThat(connection.isOpen()).isTrue();
            connection.close();
            connection.close();
            connection.abort();

            assertThat(connection.isOpen()).isFalse();
            assertEnded(connection);
        }
    }

    @Test
    default void abortResets() throws Exception {
        CountDownLatch reset = new CountDownLatch(1);
        try (Origin origin = Origin.start(peer -> {
            peer.expectReset();
            reset.countDown();
        })) {
            Connection connection = connect(origin.address());
            connection.abort();
            connection.abort();
            connection.close();

            assertThat(connection.isOpen()).isFalse();
            assertEnded(connection);
            await(reset);
        }
    }

    @Test
    default void abortResetsAfterAnEndedOutputToo() throws Exception {
        CountDownLatch ended = new CountDownLatch(1);
        CountDownLatch aborted = new CountDownLatch(1);
        try (Origin origin = Origin.start(peer -> {
            peer.expectEnd();
            ended.countDown();
            await(aborted);
            assertThatThrownBy(() -> {
                        while (true) {
                            peer.send(new byte[64 << 10]);
                        }
                    })
                    .isInstanceOf(IOException.class);
        })) {
            Connection connection = connect(origin.address());
            connection.shutdownOutput();
            await(ended);
            connection.abort();
            aborted.countDown();
        }
    }

    private static void assertEnded(Connection connection) {
        assertThatThrownBy(() -> connection.read(ByteBuffer.allocate(1))).isInstanceOf(ClosedChannelException.class);
        assertThatThrownBy(() -> connection.write(bytes("x"))).isInstanceOf(ClosedChannelException.class);
        assertThatThrownBy(connection::shutdownOutput).isInstanceOf(ClosedChannelException.class);
        assertThatThrownBy(connection::asSocket).isInstanceOf(ClosedChannelException.class);
    }

    @Test
    default void closeEndsABlockedRead() throws Exception {
        try (Origin origin = Origin.discard()) {
            Connection connection = connect(origin.address());
            CompletableFuture<Integer> reading = startBlocking(() -> connection.read(ByteBuffer.allocate(1)));
            connection.close();

            assertThatThrownBy(() -> reading.get(Peer.PATIENCE_MILLIS, TimeUnit.MILLISECONDS))
                    .hasCauseInstanceOf(IOException.class);
        }
    }

    @Test
    default void abortEndsABlockedReadAndResets() throws Exception {
        CountDownLatch reset = new CountDownLatch(1);
        try (Origin origin = Origin.start(peer -> {
            peer.expectReset();
            reset.countDown();
        })) {
            Connection connection = connect(origin.address());
            CompletableFuture<Integer> reading = startBlocking(() -> connection.read(ByteBuffer.allocate(1)));
            connection.abort();

            assertThatThrownBy(() -> reading.get(Peer.PATIENCE_MILLIS, TimeUnit.MILLISECONDS))
                    .hasCauseInstanceOf(IOException.class);
            await(reset);
        }
    }

    @Test
    default void abortEndsABlockedWrite() throws Exception {
        CountDownLatch aborted = new CountDownLatch(1);
        try (Origin origin = Origin.start(peer -> await(aborted))) {
            Connection connection = connect(origin.address());
            CompletableFuture<Integer> writing = startBlocking(() -> connection.write(ByteBuffer.allocate(64 << 20)));
            connection.abort();

            assertThatThrownBy(() -> writing.get(Peer.PATIENCE_MILLIS, TimeUnit.MILLISECONDS))
                    .hasCauseInstanceOf(IOException.class);
            aborted.countDown();
        }
    }

    /** Runs a call on a thread of its own, which has begun with it when this returns. */
    private static <T> CompletableFuture<T> startBlocking(Callable<T> call) throws Exception {
        CompletableFuture<T> result = new CompletableFuture<>();
        CountDownLatch begun = new CountDownLatch(1);
        Threads.PLATFORM.start(() -> {
            begun.countDown();
            try {
                result.complete(call.call());
            } catch (Exception e) {
                result.completeExceptionally(e);
            }
        });
        await(begun);
        return result;
    }

    // ------------------------------------------------------------------ owners

    @Test
    default void connectionThatWasGivenAwayIsUnusableForItsUser() throws Exception {
        try (Origin origin = Origin.echo()) {
            Transferable connection = connect(origin.address());
            connection.detach();

            assertThat(connection.isOpen()).isFalse();
            for (ThrowingCallable call : new ThrowingCallable[] {
                () -> connection.read(ByteBuffer.allocate(1)),
                () -> connection.write(bytes("x")),
                connection::shutdownOutput,
                connection::asSocket
            }) {
                assertThatThrownBy(call).isInstanceOf(IOException.class).hasMessageContaining("given away");
            }
            assertThatThrownBy(connection::detach).isInstanceOf(IllegalStateException.class);
            connection.close();
            connection.abort();

            try (Connection detached = connection.detached()) {
                detached.write(bytes("still here"));
                detached.shutdownOutput();
                assertThat(readAll(detached)).isEqualTo("still here");
            }
        }
    }

    @Test
    default void connectionThatWasTakenBackIsItsUsersAgain() throws Exception {
        try (Origin origin = Origin.echo();
                Transferable connection = connect(origin.address())) {
            connection.detach();
            connection.reattach();

            connection.write(bytes("mine"));
            connection.shutdownOutput();
            assertThat(readAll(connection)).isEqualTo("mine");
        }
    }

    // ------------------------------------------------------------------ the socket

    @Test
    default void socketSharesTheStreamAndTheLife() throws Exception {
        try (Origin origin = Origin.echo()) {
            Connection connection = connect(origin.address());
            Socket socket = connection.asSocket();
            socket.setSoTimeout(Peer.PATIENCE_MILLIS);
            connection.write(bytes("one "));
            socket.getOutputStream().write("two".getBytes(US_ASCII));
            socket.shutdownOutput();

            assertThat(socket.getInputStream().readNBytes(4)).isEqualTo("one ".getBytes(US_ASCII));
            assertThat(readAll(connection)).isEqualTo("two");
            assertThat(socket.getInputStream().read()).isEqualTo(-1);
            connection.close();
        }
    }

    @Test
    default void closingTheSocketClosesTheConnection() throws Exception {
        try (Origin origin = Origin.start(Peer::expectEnd)) {
            Connection connection = connect(origin.address());
            connection.asSocket().close();

            assertThat(connection.isOpen()).isFalse();
            assertThatThrownBy(() -> connection.read(ByteBuffer.allocate(1))).isInstanceOf(IOException.class);
            assertThatThrownBy(() -> connection.write(bytes("x"))).isInstanceOf(IOException.class);
            connection.close();
        }
    }

    @Test
    default void closingTheConnectionClosesTheSocket() throws Exception {
        try (Origin origin = Origin.discard()) {
            Connection connection = connect(origin.address());
            Socket socket = connection.asSocket();
            connection.close();

            assertThat(socket.isClosed()).isTrue();
        }
    }

    @Test
    default void readsOfTheSocketTimeOutAndGoOn() throws Exception {
        CountDownLatch timedOut = new CountDownLatch(1);
        try (Origin origin = Origin.start(peer -> {
                    await(timedOut);
                    peer.send("late");
                });
                Connection connection = connect(origin.address())) {
            Socket socket = connection.asSocket();
            socket.setSoTimeout(20);
            assertThatThrownBy(() -> socket.getInputStream().read()).isInstanceOf(SocketTimeoutException.class);
            socket.setSoTimeout(Peer.PATIENCE_MILLIS);
            timedOut.countDown();

            assertThat(socket.getInputStream().readAllBytes()).isEqualTo("late".getBytes(US_ASCII));
        }
    }

    @Test
    default void socketReadsAndWritesAtTheSameTime() throws Exception {
        long size = 8 << 20;
        try (Origin origin = Origin.echo();
                Connection connection = connect(origin.address())) {
            Socket socket = connection.asSocket();
            socket.setSoTimeout(Peer.PATIENCE_MILLIS);
            CompletableFuture<String> read = startBlocking(() -> Payload.read(socket.getInputStream()));
            String written = Payload.write(socket.getOutputStream(), size, 7);
            socket.shutdownOutput();

            assertThat(read.get(Peer.PATIENCE_MILLIS, TimeUnit.MILLISECONDS)).isEqualTo(written);
        }
    }

    // ------------------------------------------------------------------ the rig

    private static ByteBuffer bytes(String text) {
        return ByteBuffer.wrap(text.getBytes(US_ASCII));
    }

    private static String readAll(Connection connection) throws IOException {
        ByteBuffer all = ByteBuffer.allocate(1_000);
        while (connection.read(all) >= 0) {
            // more
        }
        return US_ASCII.decode(all.flip()).toString();
    }

    private static void await(CountDownLatch latch) {
        try {
            assertThat(latch.await(Peer.PATIENCE_MILLIS, TimeUnit.MILLISECONDS))
                    .as("it came to that")
                    .isTrue();
        } catch (InterruptedException e) {
            throw new AssertionError("interrupted", e);
        }
    }
}
