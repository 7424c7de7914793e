package io.broxy.core.internal.loop;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Specifies that the engine's direct buffers begin on a cache line. */
class AlignedMemoryTest {
    @ParameterizedTest
    @ValueSource(ints = {64, 128, 1 << 10, 16 << 10, 64 << 10, 1 << 20})
    void aBufferHasTheSizeThatIsAskedForAndIsLikeANewOne(int bytes) {
        ByteBuffer buffer = AlignedMemory.allocate(bytes);

        assertThat(buffer.isDirect()).isTrue();
        assertThat(buffer.capacity()).isEqualTo(bytes);
        assertThat(buffer.position()).isZero();
        assertThat(buffer.limit()).isEqualTo(bytes);
        assertThat(buffer.order()).isEqualTo(ByteOrder.BIG_ENDIAN);
    }

    /** All that the kernel copies into. */
    static Stream<ByteBuffer> buffersOfTheEngine() {
        BufferPool pool = new BufferPool(1 << 20, 1 << 20);
        LoopBuffers loop = pool.forLoop();
        return Stream.of(pool.borrow(), pool.borrow(), loop.shared(), loop.staging(), loop.transfer(), loop.borrow(1));
    }

    @ParameterizedTest
    @MethodSource("buffersOfTheEngine")
    void theEnginesBuffersBeginOnACacheLine(ByteBuffer buffer) {
        assertThat(buffer.isDirect()).isTrue();
        assertThat(buffer.alignmentOffset(0, AlignedMemory.CACHE_LINE)).isZero();
    }
}
