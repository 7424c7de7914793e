package io.broxy.core.internal.loop;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

/** Specifies that buffers come from the heap when direct memory runs out, in a JVM of its own that has little of it. */
class ScarceDirectMemoryTest {

    @Test
    void callersAndRemaindersGoToTheHeapWhenDirectMemoryIsUsedUp() throws Exception {
        Process process = new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "-XX:MaxDirectMemorySize=1026k", // sixteen buffers, each with what its alignment takes
                        "-Xmx64m",
                        "-XX:TieredStopAtLevel=1",
                        "-cp",
                        System.getProperty("java.class.path"),
                        Program.class.getName())
                .redirectErrorStream(true)
                .start();
        String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);

        assertThat(process.waitFor(LoopDriver.PATIENCE_NANOS, TimeUnit.NANOSECONDS))
                .isTrue();
        assertThat(output.trim())
                .endsWith("16 direct of callers, then 8192 on the heap; remainder of 65536 on the heap");
    }

    /** Takes buffers until the heap has to help out. */
    public static final class Program {
        private Program() {}

        /** The program. */
        public static void main(String[] args) {
            BufferPool pool = new BufferPool(64 << 20, 64 << 20);
            List<ByteBuffer> taken = new ArrayList<>();
            ByteBuffer buffer = pool.borrow();
            while (buffer.isDirect()) {
                taken.add(buffer);
                buffer = pool.borrow();
            }
            ByteBuffer remainder = pool.forLoop().hold(ByteBuffer.allocate(50_000));
            if (pool.callerBuffers() != taken.size() || remainder.remaining() != 50_000) {
                throw new AssertionError(pool.callerBuffers() + " counted, " + remainder);
            }
            System.out.println(taken.size() + " direct of callers, then " + buffer.capacity()
                    + " on the heap; remainder of " + remainder.capacity()
                    + (remainder.isDirect() ? " direct" : " on the heap"));
        }
    }
}
