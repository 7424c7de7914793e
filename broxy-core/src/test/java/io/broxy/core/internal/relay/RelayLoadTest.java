package io.broxy.core.internal.relay;

import static io.broxy.core.internal.relay.RelayRig.await;
import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeFalse;

import com.sun.management.ThreadMXBean;
import io.broxy.core.internal.relay.RelayRig.Relayed;
import io.broxy.core.internal.relay.RelayRig.Way;
import io.broxy.core.testkit.Background;
import io.broxy.core.testkit.LeakCheck;
import io.broxy.core.testkit.Peer;
import io.broxy.core.testkit.Sockets;
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
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.EnumSource;

/** Specifies that bulk data does not starve other tunnels of its loop, and that a relayed message allocates nothing. */
@ParameterizedClass
@EnumSource
@ExtendWith(LeakCheck.class)
class RelayLoadTest {
    private static final int BULK_TUNNELS = 8;
    private static final int ROUNDS = 50;
    private static final int WARM_UP = 5_000;
    private static final int MESSAGES = 5_000;
    private static final int MESSAGE = 64;
    /** The most rounds of messages that the JVM may take to compile the calls of the C library. */
    private static final int COMPILED_AFTER = 40;

    private final Sockets sockets;

    private RelayRig rig;

    RelayLoadTest(Sockets sockets) {
        this.sockets = sockets.ifPossible();
    }

    @BeforeEach
    void start() throws IOException {
        rig = new RelayRig(sockets);
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
        long loopThread = loopThread();

        double allocated = allocatedForAMessage(relayed, loopThread);
        if (sockets == Sockets.EPOLL) {
            List<String> options = ManagementFactory.getRuntimeMXBean().getInputArguments();
            assumeFalse(
                    options.contains("-XX:TieredStopAtLevel=1"),
                    "only the JVM's second compiler removes what the foreign-function API allocates in each call");
            for (int round = 0; round < COMPILED_AFTER && allocated >= 8; round++) {
                allocated = allocatedForAMessage(relayed, loopThread);
            }
        }

        assertThat(allocated).as("bytes allocated for a relayed message").isLessThan(8);
    }

    private static double allocatedForAMessage(Relayed relayed, long loopThread) throws Exception {
        ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
        long before = threads.getThreadAllocatedBytes(loopThread);
        pingPong(relayed, MESSAGES);
        return (threads.getThreadAllocatedBytes(loopThread) - before) / (2.0 * MESSAGES);
    }

    @SuppressWarnings("deprecation") // Thread.threadId() came with Java 19
    private long loopThread() {
        for (Thread thread : Thread.getAllStackTraces().keySet()) {
            if (thread.getName().startsWith(sockets.loopName() + "-")) {
                return thread.getId();
            }
        }
        throw new AssertionError("no loop runs");
    }
}
