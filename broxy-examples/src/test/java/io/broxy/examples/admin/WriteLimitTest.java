package io.broxy.examples.admin;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedByInterruptException;
import java.nio.channels.Pipe;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Specifies how a writing ends that takes too long, and that others are left alone. */
class WriteLimitTest {
    private final WriteLimit limit = new WriteLimit(50);
    private final WriteLimit longLimit = new WriteLimit(60_000);

    @AfterEach
    void close() {
        limit.close();
        longLimit.close();
    }

    private static void writeForever(Pipe.SinkChannel sink) throws IOException {
        ByteBuffer bytes = ByteBuffer.allocate(64 * 1024);
        while (true) {
            sink.write(bytes.clear());
        }
    }

    @Test
    void aChannelThatTakesNothingIsClosed() throws Exception {
        Pipe pipe = Pipe.open();
        try (Pipe.SourceChannel source = pipe.source();
                Pipe.SinkChannel sink = pipe.sink()) {
            assertThatThrownBy(() -> limit.within(() -> writeForever(sink)))
                    .isInstanceOf(ClosedByInterruptException.class);
            assertThat(sink.isOpen()).isFalse();
            assertThat(source.isOpen()).isTrue();
            assertThat(Thread.currentThread().isInterrupted()).isFalse();
        }
    }

    @Test
    void aWritingThatEndsAfterItsLimitHasFailed() {
        assertThatThrownBy(() -> limit.within(() -> {
                    while (!Thread.currentThread().isInterrupted()) {
                        Thread.onSpinWait();
                    }
                }))
                .isInstanceOf(IOException.class);
        assertThat(Thread.currentThread().isInterrupted()).isFalse();
    }

    @Test
    void aWritingInTimeIsLeftAlone() throws Exception {
        List<String> written = new ArrayList<>();
        longLimit.within(() -> written.add("all"));
        assertThat(written).containsExactly("all");
        assertThat(Thread.currentThread().isInterrupted()).isFalse();
    }

    @Test
    void aFailureIsPassedOn() {
        assertThatThrownBy(() -> longLimit.within(() -> {
                    throw new IOException("gone");
                }))
                .isInstanceOf(IOException.class)
                .hasMessage("gone");
    }
}
