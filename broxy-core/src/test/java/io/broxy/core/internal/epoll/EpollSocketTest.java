package io.broxy.core.internal.epoll;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.broxy.core.internal.loop.ChannelEvents;
import io.broxy.core.internal.loop.EventLoop;
import io.broxy.core.internal.loop.EventLoops;
import io.broxy.core.internal.net.LoopConnection;
import io.broxy.core.internal.net.StaysOnLoopException;
import io.broxy.core.internal.time.Ticker;
import io.broxy.core.testkit.Background;
import io.broxy.core.testkit.LeakCheck;
import io.broxy.core.testkit.Payload;
import io.broxy.core.testkit.Sockets;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.SelectionKey;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Specifies a connected socket of the engine's own, against a usual one. */
@ExtendWith(LeakCheck.class)
class EpollSocketTest {
    private EpollRig rig;
    private EpollRig.Pair pair;
    private EpollSocket near;

    @BeforeAll
    static void needsTheTransport() {
        Sockets.EPOLL.assumePossible();
    }

    @BeforeEach
    void start() throws Exception {
        rig = new EpollRig();
        pair = rig.pair();
        near = pair.near();
    }

    @AfterEach
    void stop() throws Exception {
        rig.close();
    }

    private static ByteBuffer buffer(boolean direct, int size) {
        return direct ? ByteBuffer.allocateDirect(size) : ByteBuffer.allocate(size);
    }

    /** Reads on the loop until as many bytes have come. */
    private byte[] read(LoopConnection connection, boolean direct, int count) throws Exception {
        ByteBuffer into = buffer(direct, count);
        EpollRig.await().until(() -> {
            EpollRig.call(connection.loop(), () -> connection.read(into));
            return !into.hasRemaining();
        });
        byte[] bytes = new byte[count];
        into.flip().get(bytes);
        return bytes;
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void bytesGoBothWaysWithEitherKindOfBuffer(boolean direct) throws Exception {
        byte[] payload = Payload.bytes(300_000, 1);
        CompletableFuture<?> sending = Background.run(() -> pair.far().send(payload));
        assertThat(read(near, direct, payload.length)).isEqualTo(payload);
        sending.get();

        ByteBuffer from = buffer(direct, payload.length).put(payload).flip();
        CompletableFuture<byte[]> reading = Background.supply(() -> pair.far().read(payload.length));
        EpollRig.await().until(() -> {
            int before = from.position();
            int count = rig.call(() -> near.write(from));
            assertThat(from.position() - before).isEqualTo(count);
            return !from.hasRemaining();
        });
        assertThat(reading.get()).isEqualTo(payload);
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void onlyWhatIsBetweenPositionAndLimitIsTouched(boolean direct) throws Exception {
        ByteBuffer from = buffer(direct, 10)
                .put("0123456789".getBytes(US_ASCII))
                .position(3)
                .limit(7);
        assertThat(rig.call(() -> near.write(from))).isEqualTo(4);
        assertThat(pair.far().readText(4)).isEqualTo("3456");

        pair.far().send("abcdef");
        ByteBuffer into = buffer(direct, 10).position(2).limit(5);
        EpollRig.await().until(() -> rig.call(() -> near.read(into)) > 0);
        assertThat(into.position()).isEqualTo(5);
        assertThat(into.get(1)).isZero();
        assertThat(into.get(2)).isEqualTo((byte) 'a');
        assertThat(into.limit(10).get(5)).isZero();
        assertThat(rig.call(() -> near.read(buffer(direct, 0)))).as("no room").isZero();
    }

    @Test
    void eitherSideEndsItsStreamAlone() throws Exception {
        rig.run(near::shutdownOutput);
        pair.far().expectEnd();
        assertThatThrownBy(() -> rig.run(() -> near.write(ByteBuffer.allocateDirect(1))))
                .hasCauseInstanceOf(ClosedChannelException.class);

        pair.far().send("late").shutdownOutput();
        assertThat(read(near, true, 4)).isEqualTo("late".getBytes(US_ASCII));
        EpollRig.await().until(() -> rig.call(() -> near.read(ByteBuffer.allocateDirect(1))) == -1);
        assertThat(rig.call(() -> near.read(ByteBuffer.allocate(1)))).isEqualTo(-1);
    }

    @Test
    void closeIsAnEndForThePeer() throws Exception {
        rig.run(near::close);
        rig.run(near::close);
        rig.run(near::abort);

        pair.far().expectEnd();
        assertThat(near.isOpen()).isFalse();
    }

    @Test
    void abortIsAResetForThePeer() throws Exception {
        rig.run(near::abort);

        pair.far().expectReset();
        assertThat(near.isOpen()).isFalse();
    }

    @Test
    void aClosedSocketIsNotTouched() throws Exception {
        rig.run(near::close);

        assertThatThrownBy(() -> rig.run(() -> near.read(ByteBuffer.allocateDirect(1))))
                .hasCauseInstanceOf(ClosedChannelException.class);
        assertThatThrownBy(() -> rig.run(() -> near.write(ByteBuffer.allocateDirect(1))))
                .hasCauseInstanceOf(ClosedChannelException.class);
        rig.run(() -> {
            near.shutdownOutput();
            near.interest(SelectionKey.OP_READ);
            near.unread(ByteBuffer.wrap(new byte[1]));
            near.lookForBreak(failure -> {
                throw new AssertionError(failure);
            });
            assertThat(near.interest()).isZero();
            assertThat(near.localAddress()).isNull();
            assertThat(rig.poller.sockets()).isZero();
        });
    }

    /** Its number may be another socket's by now. */
    @Test
    void aClosedSocketIsNotMoved() throws Exception {
        CompletableFuture<IOException> failure = new CompletableFuture<>();
        rig.run(near::close);
        EpollRig.Pair heir = rig.pair();
        rig.run(() -> near.moveTo(
                rig.loops.next(),
                moved -> failure.completeExceptionally(new AssertionError("moved")),
                failure::complete));

        assertThat(failure.get(20, TimeUnit.SECONDS)).isInstanceOf(ClosedChannelException.class);
        heir.far().send("x");
        assertThat(read(heir.near(), true, 1)).isEqualTo("x".getBytes(US_ASCII));
    }

    @Test
    void bytesThatWereReadAheadComeFirst() throws Exception {
        pair.far().send("cd");
        rig.run(() -> near.unread(ByteBuffer.wrap("ab".getBytes(US_ASCII))));

        assertThat(read(near, true, 4)).isEqualTo("abcd".getBytes(US_ASCII));
    }

    @Test
    void itsHandlerIsNotifiedOfWhatItWants() throws Exception {
        List<Integer> told = new CopyOnWriteArrayList<>();
        rig.run(() -> {
            near.handler(new Recorder(told, new AtomicReference<>()));
            near.interest(SelectionKey.OP_WRITE);
        });
        EpollRig.await().until(() -> told.contains(SelectionKey.OP_WRITE));
        rig.run(() -> near.interest(0));
        rig.turn();
        told.clear();
        pair.far().send("x");
        rig.turn();
        assertThat(told).as("without interest").isEmpty();

        rig.run(() -> near.interest(SelectionKey.OP_READ));
        EpollRig.await().until(() -> told.contains(SelectionKey.OP_READ));
        rig.run(() -> near.interest(0));
    }

    @Test
    void theEndOfTheLoopAbandonsItsHandlerAndClosesIt() throws Exception {
        AtomicReference<Throwable> abandoned = new AtomicReference<>();
        rig.run(() -> near.handler(new Recorder(new CopyOnWriteArrayList<>(), abandoned)));

        assertThat(rig.loops.stop(EpollRig.PATIENCE.toNanos())).isTrue();

        assertThat(abandoned.get()).hasMessage("the event loop has stopped");
        pair.far().expectEnd();
    }

    @Test
    void itMovesToAnotherLoopWithTheBytesThatWereReadAhead() throws Exception {
        EventLoop other = rig.loops.next();
        assertThat(other).isNotSameAs(rig.loop);
        CompletableFuture<LoopConnection> arrived = new CompletableFuture<>();
        pair.far().send("cd");
        rig.run(() -> {
            near.handler(new Recorder(new CopyOnWriteArrayList<>(), new AtomicReference<>()));
            near.interest(SelectionKey.OP_READ);
        });
        rig.turn();
        rig.run(() -> {
            near.unread(ByteBuffer.wrap("ab".getBytes(US_ASCII)));
            near.moveTo(other, arrived::complete, arrived::completeExceptionally);
        });

        LoopConnection moved = arrived.get(20, TimeUnit.SECONDS);
        assertThat(moved.loop()).isSameAs(other);
        assertThat(read(moved, true, 4)).isEqualTo("abcd".getBytes(US_ASCII));
        assertThat(rig.call(rig.poller::sockets)).isZero();
        assertThat(moved.remoteAddress()).isEqualTo(near.remoteAddress());
        EpollRig.call(other, () -> {
            moved.abort();
            return 0;
        });
        pair.far().expectReset();
    }

    @Test
    void itCannotMoveToALoopOfChannelsNorToAUserAndIsClosed() throws Exception {
        EventLoops channels = EventLoops.start(1, rig.buffers, Ticker.SYSTEM);
        try {
            CompletableFuture<IOException> failure = new CompletableFuture<>();
            rig.run(() -> near.moveTo(
                    channels.next(),
                    moved -> failure.completeExceptionally(new AssertionError("moved")),
                    failure::complete));
            assertThat(failure.get(20, TimeUnit.SECONDS)).isInstanceOf(StaysOnLoopException.class);
            pair.far().expectEnd();
        } finally {
            assertThat(channels.stop(EpollRig.PATIENCE.toNanos())).isTrue();
        }
        EpollRig.Pair released = rig.pair();
        CompletableFuture<IOException> failure = new CompletableFuture<>();
        rig.run(() -> released.near()
                .release(
                        connection -> failure.completeExceptionally(new AssertionError("released")),
                        failure::complete));
        assertThat(failure.get(20, TimeUnit.SECONDS)).isInstanceOf(StaysOnLoopException.class);
        released.far().expectEnd();
    }

    @Test
    void itCannotMoveToALoopThatHasStoppedAndIsClosed() throws Exception {
        EventLoops others = Sockets.EPOLL.startLoops(1, rig.buffers, Ticker.SYSTEM);
        EventLoop stopped = others.next();
        assertThat(others.stop(EpollRig.PATIENCE.toNanos())).isTrue();
        CompletableFuture<IOException> failure = new CompletableFuture<>();
        rig.run(() -> near.moveTo(
                stopped, moved -> failure.completeExceptionally(new AssertionError("moved")), failure::complete));

        assertThat(failure.get(20, TimeUnit.SECONDS)).hasMessage("the event loop has stopped");
        pair.far().expectEnd();
    }

    @Test
    void aBreakIsFoundWithoutInterestAndAnEndIsNone() throws Exception {
        List<IOException> breaks = new CopyOnWriteArrayList<>();
        pair.far().send("unread").shutdownOutput();
        rig.run(() -> near.lookForBreak(breaks::add));
        rig.turn();
        assertThat(breaks).isEmpty();

        pair.far().reset();
        EpollRig.await().until(() -> {
            rig.run(() -> near.lookForBreak(breaks::add));
            rig.turn();
            return !breaks.isEmpty();
        });
        assertThat(breaks.get(0)).isInstanceOf(IOException.class);
    }

    private record Recorder(List<Integer> told, AtomicReference<Throwable> abandonedBy) implements ChannelEvents {
        @Override
        public void ready(int readyOps) {
            told.add(readyOps);
        }

        @Override
        public void abandoned(Throwable cause) {
            abandonedBy.set(cause);
        }
    }
}
