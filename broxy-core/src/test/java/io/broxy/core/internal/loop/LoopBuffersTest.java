package io.broxy.core.internal.loop;

import static org.assertj.core.api.Assertions.assertThat;

import io.broxy.core.testkit.Payload;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Set;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Specifies the buffers of a loop, and how reads shrink when buffers are scarce. */
class LoopBuffersTest {
    private static final int MIB = 1 << 20;

    private final AtomicLong held = new AtomicLong();
    private final AtomicLong kept = new AtomicLong();
    private final LoopBuffers buffers = new LoopBuffers(held, 8 * MIB, kept);

    private static ByteBuffer rest(int bytes) {
        return ByteBuffer.wrap(Payload.bytes(bytes, bytes));
    }

    @Test
    void theSharedBufferIsOneOfAMebibyteAndComesCleared() {
        ByteBuffer shared = buffers.shared();
        assertThat(shared.isDirect()).isTrue();
        assertThat(shared.capacity()).isEqualTo(LoopBuffers.MAX_READ).isEqualTo(MIB);
        shared.position(5).limit(6);

        assertThat(buffers.shared()).isSameAs(shared);
        assertThat(shared.position()).isZero();
        assertThat(shared.limit()).isEqualTo(MIB);
        assertThat(held.get()).as("no remainder").isZero();
    }

    @Test
    void aRemainderIsCopiedSoThatItsBufferCanBeUsedAnew() {
        byte[] bytes = Payload.bytes(3_000, 1);
        ByteBuffer shared = buffers.shared().put(bytes).flip().position(1_000);

        ByteBuffer kept = buffers.hold(shared);
        assertThat(shared.hasRemaining()).isFalse();
        buffers.shared().put(new byte[3_000]);

        assertThat(kept).isEqualTo(ByteBuffer.wrap(bytes, 1_000, 2_000));
    }

    @ParameterizedTest
    @CsvSource({
        "0, 1024",
        "1, 1024",
        "1024, 1024",
        "1025, 2048",
        "2048, 2048",
        "65535, 65536",
        "65536, 65536",
        "65537, 131072",
        "1048575, 1048576",
        "1048576, 1048576",
    })
    void aRemainderTakesTheNextPowerOfTwo(int bytes, int capacity) {
        ByteBuffer kept = buffers.hold(rest(bytes));

        assertThat(kept.capacity()).isEqualTo(capacity);
        assertThat(kept.isDirect()).isTrue();
        assertThat(kept).isEqualTo(rest(bytes));
        assertThat(held.get()).isEqualTo(capacity);
    }

    @Test
    void whatIsBiggerThanAnyReadIsKeptOnTheHeapAndNotForLater() {
        ByteBuffer kept = buffers.hold(rest(MIB + 1));
        assertThat(kept.isDirect()).isFalse();
        assertThat(kept).isEqualTo(rest(MIB + 1));
        assertThat(held.get()).isEqualTo(MIB + 1);

        buffers.release(kept);
        assertThat(held.get()).isZero();
        assertThat(buffers.hold(rest(MIB + 1))).isNotSameAs(kept);
    }

    @Test
    void aReleasedBufferServesTheNextRemainderOfItsSize() {
        ByteBuffer kept = buffers.hold(rest(5_000));
        buffers.release(kept);
        assertThat(held.get()).isZero();

        assertThat(buffers.hold(rest(4_000))).as("of another size").isNotSameAs(kept);
        ByteBuffer again = buffers.hold(rest(6_000));
        assertThat(again).isSameAs(kept).isEqualTo(rest(6_000));
        assertThat(buffers.hold(rest(6_000))).as("in use").isNotSameAs(kept);
    }

    @Test
    void fourMebibytesAreKeptForLaterAndNoMore() {
        List<ByteBuffer> kept = new ArrayList<>();
        for (int i = 0; i < 6; i++) {
            kept.add(buffers.hold(rest(MIB)));
        }
        kept.forEach(buffers::release);
        assertThat(held.get()).isZero();

        Set<ByteBuffer> all = Collections.newSetFromMap(new IdentityHashMap<>());
        all.addAll(kept);
        for (int i = 0; i < 6; i++) {
            all.add(buffers.hold(rest(MIB)));
        }
        assertThat(all).as("4 of the 6 were used again").hasSize(6 + 2);
        buffers.release(buffers.hold(rest(100))); // what was taken out makes room again
        assertThat(buffers.hold(rest(100)).isDirect()).isTrue();
    }

    @Test
    void readsShrinkWhenRemaindersReachTheirCapAndAgainAtTwiceTheCap() {
        assertThat(buffers.readSize(MIB)).isEqualTo(MIB);
        held.addAndGet(8 * MIB - 1);
        assertThat(buffers.readSize(MIB)).isEqualTo(MIB);
        held.addAndGet(1);
        assertThat(buffers.readSize(MIB)).isEqualTo(LoopBuffers.MIN_READ).isEqualTo(64 << 10);
        held.addAndGet(8 * MIB - 1);
        assertThat(buffers.readSize(MIB)).isEqualTo(64 << 10);
        held.addAndGet(1);
        assertThat(buffers.readSize(MIB)).isEqualTo(LoopBuffers.SCARCE_READ).isEqualTo(8 << 10);
        assertThat(buffers.readSize(100)).as("less was wanted").isEqualTo(100);
        held.addAndGet(-8 * MIB - 1);
        assertThat(buffers.readSize(MIB)).isEqualTo(MIB);
    }

    @Test
    void allLoopsOfAPoolCountTogether() {
        BufferPool pool = new BufferPool(1, 2 * MIB);
        LoopBuffers one = pool.forLoop();
        LoopBuffers other = pool.forLoop();
        ByteBuffer first = one.hold(rest(MIB));
        ByteBuffer second = one.hold(rest(MIB));

        assertThat(pool.heldBytes()).isEqualTo(2 * MIB);
        assertThat(other.readSize(MIB)).isEqualTo(LoopBuffers.MIN_READ);
        one.release(first);
        assertThat(other.readSize(MIB)).isEqualTo(MIB);
        one.release(second);
        assertThat(pool.heldBytes()).isZero();
    }

    @Test
    void aClosedLoopKeepsNothing() {
        ByteBuffer shared = buffers.shared();
        ByteBuffer kept = buffers.hold(rest(100));
        buffers.release(kept);

        buffers.close();

        assertThat(buffers.shared()).isNotSameAs(shared);
        assertThat(buffers.hold(rest(100))).isNotSameAs(kept);
    }
}
