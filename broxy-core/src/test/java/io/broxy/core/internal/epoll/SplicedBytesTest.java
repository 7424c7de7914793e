package io.broxy.core.internal.epoll;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.broxy.core.internal.net.KernelBytes;
import io.broxy.core.internal.socket.SocketOptions;
import io.broxy.core.testkit.LeakCheck;
import io.broxy.core.testkit.Payload;
import io.broxy.core.testkit.Sockets;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.net.StandardSocketOptions;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedChannelException;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** Specifies how bytes move from one socket to another within the kernel. */
@ExtendWith(LeakCheck.class)
class SplicedBytesTest {
    private static final int SMALL = 8 << 10;

    private List<String> pipesBefore;
    private EpollRig rig;
    private EpollRig.Pair source;
    private EpollRig.Pair sink;

    @BeforeAll
    static void needsTheTransport() {
        Sockets.EPOLL.assumePossible();
    }

    @BeforeEach
    void start() throws Exception {
        pipesBefore = EpollRig.descriptors("pipe:");
        rig = new EpollRig();
        source = rig.pair();
        sink = rig.pair(SocketOptions.DEFAULT.with(StandardSocketOptions.SO_SNDBUF, SMALL), SMALL);
    }

    @AfterEach
    void stop() throws Exception {
        rig.close();
        assertThat(pipes()).as("pipes in the end").isZero();
    }

    private int pipes() {
        List<String> now = EpollRig.descriptors("pipe:");
        now.removeAll(pipesBefore);
        return now.size() / 2;
    }

    private KernelBytes begin() {
        return Objects.requireNonNull(source.near().toKernel(sink.near()));
    }

    /** Reads until bytes have come. */
    private static int awaitRead(KernelBytes bytes) {
        int[] count = new int[1];
        EpollRig.await().until(() -> (count[0] = bytes.read()) != 0);
        return count[0];
    }

    @Test
    void nothingIsReadyYet() throws Exception {
        rig.run(() -> {
            KernelBytes bytes = begin();
            assertThat(bytes.read()).isZero();
            assertThat(bytes.remaining()).isZero();
            bytes.release();
        });
    }

    @Test
    void bytesAreReadAndWritten() throws Exception {
        source.far().send("hello");
        rig.run(() -> {
            KernelBytes bytes = begin();
            assertThat(awaitRead(bytes)).isEqualTo(5);
            assertThat(bytes.remaining()).isEqualTo(5);
            assertThat(bytes.write()).isEqualTo(5);
            assertThat(bytes.remaining()).isZero();
            bytes.release();
            assertThat(pipes()).as("the spare one").isEqualTo(1);
        });

        assertThat(sink.far().readText(5)).isEqualTo("hello");
    }

    @Test
    void aFullSinkTakesAPartAndLaterTheRest() throws Exception {
        byte[] payload = Payload.bytes(200_000, 1);
        source.far().send(payload);
        KernelBytes bytes = rig.call(() -> {
            KernelBytes begun = begin();
            awaitRead(begun);
            int written = 0;
            for (int count; (count = begun.write()) > 0; ) {
                written += count;
            }
            assertThat(written).isPositive();
            assertThat(begun.remaining()).isPositive();
            assertThat(begun.write()).as("to a full sink").isZero();
            return begun;
        });

        ByteArrayOutputStream got = new ByteArrayOutputStream();
        while (rig.call(bytes::remaining) > 0) {
            got.write(sink.far().read(1));
            rig.run(bytes::write);
        }
        rig.run(bytes::release);
        assertThat(got.toByteArray()).isEqualTo(Arrays.copyOf(payload, got.size()));
        assertThat(pipes()).as("the spare one").isEqualTo(1);
    }

    @Test
    void theEndOfTheStreamComesBehindItsBytes() throws Exception {
        source.far().send("last").shutdownOutput();
        rig.run(() -> {
            KernelBytes bytes = begin();
            assertThat(awaitRead(bytes)).isEqualTo(4);
            bytes.write();
            assertThat(awaitRead(bytes)).isEqualTo(-1);
            assertThat(bytes.remaining()).isZero();
            bytes.release();
        });

        assertThat(sink.far().readText(4)).isEqualTo("last");
    }

    @Test
    void aResetOfTheSourceIsAFailure() throws Exception {
        source.far().reset();
        rig.run(() -> {
            KernelBytes bytes = begin();
            assertThatThrownBy(() -> awaitRead(bytes)).hasStackTraceContaining("Connection reset");
            bytes.release();
        });
    }

    @Test
    void aResetOfTheSinkIsAFailureAndWhatWaitsIsDiscardedWithItsPipe() throws Exception {
        source.far().send("lost");
        sink.far().reset();
        rig.run(() -> {
            KernelBytes bytes = begin();
            awaitRead(bytes);
            assertThatThrownBy(() -> EpollRig.await().until(() -> bytes.write() < 0))
                    .isInstanceOf(IOException.class);
            assertThat(bytes.remaining()).isEqualTo(4);
            bytes.release();
            assertThat(pipes()).as("none is kept with foreign bytes in it").isZero();
        });
    }

    @Test
    void aSocketThatWasClosedIsNotTouched() throws Exception {
        source.far().send("x");
        rig.run(() -> {
            KernelBytes bytes = begin();
            awaitRead(bytes);
            sink.near().close();
            source.near().close();
            assertThatThrownBy(bytes::write).isInstanceOf(ClosedChannelException.class);
            bytes.release();
            KernelBytes none = source.near().toKernel(sink.near());
            assertThat(none).isNull();
        });
    }

    @Test
    void bytesThatWereReadAheadOrAnEndedSinkAreNoCaseForTheKernel() throws Exception {
        rig.run(() -> {
            source.near().unread(ByteBuffer.wrap(new byte[3]));
            assertThat(source.near().toKernel(sink.near())).isNull();
            assertThat(source.near().read(ByteBuffer.allocate(10))).isEqualTo(3);
            sink.near().shutdownOutput();
            assertThat(source.near().toKernel(sink.near())).isNull();
        });
    }
}
