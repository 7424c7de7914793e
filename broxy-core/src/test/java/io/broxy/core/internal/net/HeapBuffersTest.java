package io.broxy.core.internal.net;

import static org.assertj.core.api.Assertions.assertThat;

import io.broxy.Connection;
import io.broxy.core.testkit.LeakCheck;
import io.broxy.core.testkit.Origin;
import io.broxy.core.testkit.Peer;
import io.broxy.core.testkit.Threads;
import java.io.OutputStream;
import java.lang.management.BufferPoolMXBean;
import java.lang.management.ManagementFactory;
import java.net.Socket;
import java.nio.ByteBuffer;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * Specifies that large heap buffers take no direct memory of their size, although the JDK copies them through direct
 * buffers that each thread keeps.
 */
@ExtendWith(LeakCheck.class)
class HeapBuffersTest {
    private static final int SIZE = 32 << 20;
    /** For the pooled buffers of all threads at work, and those that the JDK keeps of slices. */
    private static final long ALLOWED = 8 << 20;

    @ParameterizedTest
    @EnumSource(ConnectionKind.class)
    @Tag("sweep")
    void readsAndWritesKeepNoDirectMemoryOfTheirSize(ConnectionKind kind) throws Exception {
        try (ConnectionKind.Rig rig = new ConnectionKind.Rig();
                Origin origin = kind.origin(peer -> {
                    peer.socket().getInputStream().readNBytes(2 * SIZE);
                    OutputStream out = peer.socket().getOutputStream();
                    out.write(new byte[1 << 20]);
                    peer.read(1);
                    out.write(new byte[1 << 20]);
                    peer.read(1);
                });
                Connection connection = kind.open(rig, origin)) {
            Socket socket = connection.asSocket();
            CountDownLatch measured = new CountDownLatch(1);
            CompletableFuture<Integer> read = new CompletableFuture<>();
            long before = directBytes();
            Callable<Integer> use = () -> {
                connection.write(ByteBuffer.wrap(new byte[SIZE]));
                socket.getOutputStream().write(new byte[SIZE]);
                ByteBuffer into = ByteBuffer.wrap(new byte[SIZE]);
                while (into.position() < 1 << 20) {
                    connection.read(into);
                }
                connection.write(ByteBuffer.allocate(1));
                int count = socket.getInputStream().readNBytes(new byte[SIZE], 0, 1 << 20);
                connection.write(ByteBuffer.allocate(1));
                return into.position() + count;
            };
            Threads.PLATFORM.start(() -> {
                try {
                    read.complete(use.call());
                    measured.await(Peer.PATIENCE_MILLIS, TimeUnit.MILLISECONDS); // what the thread keeps is counted
                } catch (Throwable e) {
                    read.completeExceptionally(e);
                }
            });

            assertThat(read.get(3L * Peer.PATIENCE_MILLIS, TimeUnit.MILLISECONDS))
                    .isEqualTo(2 << 20);
            assertThat(directBytes() - before).isLessThan(ALLOWED);
            measured.countDown();
        }
    }

    private static long directBytes() {
        return ManagementFactory.getPlatformMXBeans(BufferPoolMXBean.class).stream()
                .filter(pool -> pool.getName().equals("direct"))
                .mapToLong(BufferPoolMXBean::getMemoryUsed)
                .sum();
    }
}
