package io.broxy.jmh;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.ByteBuffer;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** Specifies that the source and the sink of {@code CopyConn} copy exactly. */
class CopyingTest {

    @Test
    void copyingIsExact() {
        byte[] bytes = new byte[100_000];
        new Random(1).nextBytes(bytes);
        ArraySource source = new ArraySource(bytes);
        GrowingSink sink = new GrowingSink();

        ByteBuffer buffer = ByteBuffer.allocate(32 << 10);
        while (source.read(buffer.clear()) >= 0) {
            sink.write(buffer.flip());
        }

        assertThat(sink.toByteArray()).isEqualTo(bytes);
    }
}
