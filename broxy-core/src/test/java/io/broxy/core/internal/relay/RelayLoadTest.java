package io.broxy.core.internal.relay;

import static io.broxy.core.internal.relay.RelayRig.await;
import static org.assertj.core.api.Assertions.assertThat;

import com.sun.management.ThreadMXBean;
import io.broxy.core.internal.relay.RelayRig.Relayed;
import io.broxy.core.internal.relay.RelayRig.Way;
import io.broxy.core.testkit.Background;
import io.broxy.core.testkit.LeakCheck;
import io.broxy.core.testkit.Peer;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.lang.management.ManagementFactory;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** Specifies that bulk data does not starve other tunnels of its loop, and that a relayed message allocates nothing. */
@ExtendWith(LeakCheck.class)
class RelayLoadTest {
    private static final int BULK_TUNNELS = 8;
    private static final int ROUNDS = 50;
    private static final int WARM_UP = 5_000;
    private static final int MESSAGES = 5_000;
    private static final int MESSAGE = 64;

    private RelayRig rig;

    @BeforeEach
    void start() throws IOException {
        rig = new RelayRig();
    }

    @AfterEach
    void stop() throws Exception {
        rig.close();
    }

    @Test
    void pingPongGoesOnWhileBulkFloodsTheSameLoop() throws Exception {
        List<Relayed> bulk = new ArrayList<>();
        List<CompletableFuture<?>> workers = new ArrayList<>();
        for (int i = 0; i < BULK_TUNNELS; i++) {
            Relayed relayed = rig.relay(Way.LOOP);
            bulk.add(relayed);
            workers.add(Background.run(() -> flood(relayed.origin().socket().getOutputStream())));
            workers.add(Background.run(() -> swallow(relayed.client().socket().getInputStream())));
        }
        Relayed talk = rig.relay(Way.LOOP);
        AtomicLong[] before = new AtomicLong[BULK_TUNNELS];
        for (int i = 0; i < BULK_TUNNELS; i++) {
            Relayed one = bulk.get(i);
            await().until(() -> one.tunnel().bytesToClient() > 0);
            before[i] = new AtomicLong(one.tunnel().bytesToClient());
        }

        pingPong(talk, ROUNDS);

        for (int i = 0; i < BULK_TUNNELS; i++) {
            Relayed one = bulk.get(i);
            long had = before[i].get();
            await().alias("tunnel " + i + " has moved on too")
                    .until(() -> one.tunnel().bytesToClient() > had);
            one.tunnel().close();
        }
        for (CompletableFuture<?> worker : workers) {
            worker.get();
        }
    }

    private static void flood(OutputStream to) {
        byte[] piece = new byte[256 << 10];
        try {
            while (true) {
                to.write(piece);
            }
        } catch (IOException e) {
            // the tunnel was closed
        }
    }

    private static void swallow(InputStream from) {
        try {
            from.transferTo(OutputStream.nullOutputStream());
        } catch (IOException e) {
            // the tunnel was closed
        }
    }

    private static void pingPong(Relayed relayed, int rounds) throws Exception {
        CompletableFuture<?> echo = Background.run(() -> {
            Peer origin = relayed.origin();
            byte[] message = new byte[MESSAGE];
            for (int i = 0; i < rounds; i++) {
                origin.socket().getInputStream().readNBytes(message, 0, MESSAGE);
                origin.socket().getOutputStream().write(message);
            }
        });
        byte[] message = new byte[MESSAGE];
        for (int i = 0; i < rounds; i++) {
            relayed.client().socket().getOutputStream().write(message);
            assertThat(relayed.client().socket().getInputStream().readNBytes(message, 0, MESSAGE))
                    .isEqualTo(MESSAGE);
        }
        echo.get();
    }

    @Test
    void relayedMessageAllocatesNothing() throws Exception {
        Relayed relayed = rig.relay(Way.LOOP);
        pingPong(relayed, WARM_UP);
        ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
        long loopThread = loopThread();

        long before = threads.getThreadAllocatedBytes(loopThread);
        pingPong(relayed, MESSAGES);
        long allocated = threads.getThreadAllocatedBytes(loopThread) - before;

        assertThat(allocated / (2.0 * MESSAGES))
                .as("bytes allocated for a relayed message")
                .isLessThan(8);
    }

    @SuppressWarnings("deprecation") // Thread.threadId() came with Java 19
    private static long loopThread() {
        for (Thread thread : Thread.getAllStackTraces().keySet()) {
            if (thread.getName().startsWith("broxy-loop-")) {
                return thread.getId();
            }
        }
        throw new AssertionError("no loop runs");
    }
}
