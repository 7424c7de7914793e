package io.broxy.core.internal.relay;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import com.sun.management.ThreadMXBean;
import io.broxy.CopyException;
import io.broxy.core.internal.loop.BufferPool;
import io.broxy.core.testkit.Background;
import io.broxy.core.testkit.Payload;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.ByteBuffer;
import java.nio.channels.Channels;
import java.nio.channels.IllegalBlockingModeException;
import java.nio.channels.Pipe;
import java.nio.channels.ReadableByteChannel;
import java.nio.channels.WritableByteChannel;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Specifies that a blocking copy moves every byte, closes neither channel, and allocates nothing. */
class ChannelCopierTest {
    private static final int BUFFER = BufferPool.CALLER_BUFFER_SIZE;
    private static final int WARM_UP = 20_000;
    private static final int CALLS = 10_000;

    private final BufferPool buffers = new BufferPool(1 << 20, 1 << 20);
    private final ChannelCopier copier = new ChannelCopier(buffers);

    private static ReadableByteChannel source(byte[] bytes) {
        return Channels.newChannel(new ByteArrayInputStream(bytes));
    }

    // ------------------------------------------------------------------ bytes

    @ParameterizedTest
    @ValueSource(ints = {0, 1, BUFFER - 1, BUFFER, BUFFER + 1, 1 << 20})
    void allBytesGoOver(int size) throws IOException {
        byte[] payload = Payload.bytes(size, size);
        ByteArrayOutputStream sink = new ByteArrayOutputStream();

        assertThat(copier.copy(source(payload), Channels.newChannel(sink))).isEqualTo(size);
        assertThat(sink.toByteArray()).isEqualTo(payload);
    }

    @Test
    void shortWritesAreContinued() throws IOException {
        byte[] payload = Payload.bytes(BUFFER + 10, 1);
        Sink sink = new Sink(payload.length, 777);

        assertThat(copier.copy(source(payload), sink)).isEqualTo(payload.length);
        assertThat(sink.taken()).isEqualTo(payload);
    }

    @Test
    void emptyReadsAndWritesNowAndThenAreBorne() throws IOException {
        byte[] payload = Payload.bytes(1_000, 2);
        ReadableByteChannel inner = source(payload);
        Sink sink = new Sink(payload.length, 10);
        int[] calls = {0, 0};
        ReadableByteChannel hesitating = reading(into -> calls[0]++ % 3 == 0 ? 0 : inner.read(into));

        assertThat(copier.copy(hesitating, writing(from -> calls[1]++ % 3 == 0 ? 0 : sink.write(from))))
                .isEqualTo(payload.length);
        assertThat(sink.taken()).isEqualTo(payload);
    }

    @Test
    void neitherChannelIsClosed() throws IOException {
        ReadableByteChannel source = source(new byte[10]);
        WritableByteChannel sink = Channels.newChannel(new ByteArrayOutputStream());

        copier.copy(source, sink);

        assertThat(source.isOpen()).isTrue();
        assertThat(sink.isOpen()).isTrue();
    }

    // ------------------------------------------------------------------ failures

    @Test
    void failureOfTheSourceTellsHowManyBytesWentOver() {
        IOException broken = new IOException("broken");
        ByteBuffer bytes = ByteBuffer.allocate(1_234);
        ReadableByteChannel source = reading(into -> {
            if (!bytes.hasRemaining()) {
                throw broken;
            }
            into.put(bytes);
            return 1_234;
        });

        CopyException failure =
                catchThrowableOfType(CopyException.class, () -> copier.copy(source, new Sink(2_000, 2_000)));

        assertThat(failure.copied()).isEqualTo(1_234);
        assertThat(failure).hasCause(broken).hasMessage("reading failed after 1234 bytes: broken");
    }

    @Test
    void failureOfTheSinkTellsHowManyBytesItHasTaken() {
        IOException full = new IOException("full");
        Sink sink = new Sink(100_000, 1_000);
        WritableByteChannel limited = writing(from -> {
            if (sink.count() >= 70_000) {
                throw full;
            }
            return sink.write(from);
        });

        CopyException failure =
                catchThrowableOfType(CopyException.class, () -> copier.copy(source(new byte[100_000]), limited));

        assertThat(failure.copied()).isEqualTo(sink.count());
        assertThat(failure).hasCause(full).hasMessage("writing failed after " + sink.count() + " bytes: full");
    }

    @Test
    void sourceThatNeitherBlocksNorGivesEndsTheCopy() {
        CopyException failure =
                catchThrowableOfType(CopyException.class, () -> copier.copy(reading(into -> 0), new Sink(1, 1)));

        assertThat(failure.copied()).isZero();
        assertThat(failure).hasMessageContaining("reading made no progress");
    }

    @Test
    void sinkThatNeitherBlocksNorTakesEndsTheCopy() {
        CopyException failure =
                catchThrowableOfType(CopyException.class, () -> copier.copy(source(new byte[5]), writing(from -> 0)));

        assertThat(failure.copied()).isZero();
        assertThat(failure).hasMessageContaining("writing made no progress");
    }

    @Test
    void channelInNonBlockingModeIsMisuse() throws IOException {
        Pipe pipe = Pipe.open();
        try (Pipe.SourceChannel source = pipe.source();
                Pipe.SinkChannel sink = pipe.sink()) {
            source.configureBlocking(false);
            sink.configureBlocking(false);

            assertThatThrownBy(() -> copier.copy(source, new Sink(1, 1)))
                    .isInstanceOf(IllegalBlockingModeException.class);
            assertThatThrownBy(() -> copier.copy(source(new byte[1]), sink))
                    .isInstanceOf(IllegalBlockingModeException.class);
        }
    }

    // ------------------------------------------------------------------ the buffer

    @Test
    void bufferIsGivenBackOnEveryPath() throws IOException {
        ByteBuffer own = buffers.borrow();
        buffers.giveBack(own);

        copier.copy(source(new byte[10]), new Sink(10, 10));
        assertOwnIsFree(own);
        assertThatThrownBy(() -> copier.copy(failing(new IOException("x")), new Sink(1, 1)))
                .isInstanceOf(CopyException.class);
        assertOwnIsFree(own);
        assertThatThrownBy(() -> copier.copy(failing(new IllegalStateException("x")), new Sink(1, 1)))
                .isInstanceOf(IllegalStateException.class);
        assertOwnIsFree(own);
        assertThatThrownBy(() -> copier.copy(source(new byte[1]), writing(from -> {
                    throw new IllegalStateException("x");
                })))
                .isInstanceOf(IllegalStateException.class);
        assertOwnIsFree(own);
    }

    private void assertOwnIsFree(ByteBuffer own) {
        ByteBuffer again = buffers.borrow();
        assertThat(again).isSameAs(own);
        buffers.giveBack(again);
    }

    @Test
    void copyWithinACopyHasABufferOfItsOwn() throws IOException {
        byte[] payload = Payload.bytes(3 * BUFFER, 3);
        ReadableByteChannel inner = source(payload);
        ReadableByteChannel nesting = reading(into -> {
            int before = into.position();
            int count = inner.read(into);
            Sink aside = new Sink(2 * BUFFER, BUFFER);
            copier.copy(source(new byte[2 * BUFFER]), aside); // would overwrite what was just read
            assertThat(into.position()).isEqualTo(before + Math.max(0, count));
            return count;
        });
        Sink sink = new Sink(payload.length, BUFFER);

        assertThat(copier.copy(nesting, sink)).isEqualTo(payload.length);
        assertThat(sink.taken()).isEqualTo(payload);
    }

    @Test
    void manyPlatformThreadsCopyAtOnce() throws Exception {
        copyOn(Executors.newFixedThreadPool(8));
    }

    @Test
    void manyVirtualThreadsCopyAtOnce() throws Exception {
        Assumptions.assumeTrue(Runtime.version().feature() >= 21, "this JVM has no virtual threads");
        copyOn((ExecutorService)
                Executors.class.getMethod("newVirtualThreadPerTaskExecutor").invoke(null));
    }

    private void copyOn(ExecutorService executor) throws Exception {
        try {
            List<Future<byte[]>> copies = new ArrayList<>();
            for (int i = 0; i < 200; i++) {
                byte[] payload = Payload.bytes(100_000, i);
                copies.add(executor.submit(() -> {
                    Sink sink = new Sink(payload.length, 10_000);
                    copier.copy(source(payload), sink);
                    return sink.taken();
                }));
            }
            for (int i = 0; i < copies.size(); i++) {
                assertThat(copies.get(i).get()).isEqualTo(Payload.bytes(100_000, i));
            }
        } finally {
            executor.shutdown();
        }
    }

    @Test
    void copyAllocatesNothing() throws Exception {
        // on a thread of its own, which nothing else lets allocate
        double perCall = Background.supply(() -> {
                    ByteBuffer bytes = ByteBuffer.allocate(1_000);
                    ReadableByteChannel source = reading(into -> {
                        if (!bytes.hasRemaining()) {
                            return -1;
                        }
                        into.put(bytes);
                        return 1_000;
                    });
                    WritableByteChannel sink = writing(from -> {
                        int count = from.remaining();
                        from.position(from.limit());
                        return count;
                    });
                    ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
                    copyOften(bytes, source, sink, WARM_UP);
                    long before = threads.getCurrentThreadAllocatedBytes();
                    copyOften(bytes, source, sink, CALLS);
                    return (threads.getCurrentThreadAllocatedBytes() - before) / (double) CALLS;
                })
                .get();

        assertThat(perCall).as("bytes allocated for a copy").isLessThan(8);
    }

    private void copyOften(ByteBuffer bytes, ReadableByteChannel source, WritableByteChannel sink, int times)
            throws IOException {
        for (int i = 0; i < times; i++) {
            bytes.clear();
            copier.copy(source, sink);
        }
    }

    // ------------------------------------------------------------------ channels

    @FunctionalInterface
    private interface Move {
        int move(ByteBuffer buffer) throws IOException;
    }

    private static ReadableByteChannel failing(Exception failure) {
        return reading(into -> {
            if (failure instanceof IOException broken) {
                throw broken;
            }
            throw (RuntimeException) failure;
        });
    }

    private static ReadableByteChannel reading(Move move) {
        return new ReadableByteChannel() {
            @Override
            public int read(ByteBuffer into) throws IOException {
                return move.move(into);
            }

            @Override
            public boolean isOpen() {
                return true;
            }

            @Override
            public void close() {}
        };
    }

    private static WritableByteChannel writing(Move move) {
        return new WritableByteChannel() {
            @Override
            public int write(ByteBuffer from) throws IOException {
                return move.move(from);
            }

            @Override
            public boolean isOpen() {
                return true;
            }

            @Override
            public void close() {}
        };
    }

    /** Takes a few bytes with each call. */
    private static final class Sink implements WritableByteChannel {
        private final ByteBuffer taken;
        private final int most;

        Sink(int capacity, int most) {
            this.taken = ByteBuffer.allocate(capacity);
            this.most = most;
        }

        @Override
        public int write(ByteBuffer from) {
            int count = Math.min(most, from.remaining());
            taken.put(from.slice().limit(count));
            from.position(from.position() + count);
            return count;
        }

        int count() {
            return taken.position();
        }

        byte[] taken() {
            return Arrays.copyOf(taken.array(), taken.position());
        }

        @Override
        public boolean isOpen() {
            return true;
        }

        @Override
        public void close() {}
    }
}
