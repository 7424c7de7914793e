package io.broxy.core.observe;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.broxy.EngineStats;
import io.broxy.core.Broxy;
import io.broxy.core.testkit.LeakCheck;
import io.broxy.core.testkit.Origin;
import io.broxy.core.testkit.Peer;
import io.broxy.core.testkit.Proxy;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** Specifies the snapshot of an engine: its loops, their clients and load, and its buffers. */
@ExtendWith(LeakCheck.class)
class EngineStatsTest {
    private static final Duration PATIENCE = Duration.ofMillis(Peer.PATIENCE_MILLIS);

    /** The loops of the clients of servers: the last two. */
    private static List<EngineStats.Loop> serving(EngineStats stats) {
        return stats.loops().subList(stats.loops().size() - 2, stats.loops().size());
    }

    private static int clients(Broxy broxy) {
        return broxy.stats().loops().stream()
                .mapToInt(EngineStats.Loop::clients)
                .sum();
    }

    private static int channels(Broxy broxy) {
        return broxy.stats().loops().stream()
                .mapToInt(EngineStats.Loop::channels)
                .sum();
    }

    @Test
    void clientsAndSocketsAreCountedByLoop() throws Exception {
        try (Origin origin = Origin.echo();
                Proxy proxy = Proxy.start()) {
            EngineStats idle = proxy.broxy().stats();
            boolean epoll = idle.transport() == EngineStats.Transport.EPOLL;
            assertThat(idle.loops())
                    .extracting(EngineStats.Loop::name)
                    .startsWith("broxy-loop-1", "broxy-loop-2")
                    .endsWith(epoll ? "broxy-epoll-2" : "broxy-loop-2")
                    .hasSize(epoll ? 4 : 2);
            await("the listener").atMost(PATIENCE).until(() -> channels(proxy.broxy()) == 1);
            List<Peer> peers = new ArrayList<>();
            try {
                for (int i = 0; i < 4; i++) {
                    Peer peer = proxy.connect(origin.target());
                    peers.add(peer);
                    peer.send("hello").readText(5);
                }
                EngineStats busy = proxy.broxy().stats();
                assertThat(serving(busy)).extracting(EngineStats.Loop::clients).containsExactly(2, 2);
                assertThat(channels(proxy.broxy()))
                        .as("the listener, and two of each tunnel")
                        .isEqualTo(9);
                assertThat(busy.bufferBytes())
                        .as("with the buffers for reading")
                        .isGreaterThan(idle.bufferBytes());
                assertThat(busy.heldBytes()).isZero();
                assertThat(busy.heldBytesCap()).isPositive();
                assertThat(busy.lookUps().maxRunning()).isPositive();
            } finally {
                for (Peer peer : peers) {
                    peer.close();
                }
            }
            await().atMost(PATIENCE).until(() -> clients(proxy.broxy()) == 0);
        }
    }

    @Test
    void aLoopIsBusyWhileItWorksAndNotWhileItWaits() throws Exception {
        try (Origin origin = Origin.echo();
                Proxy proxy = Proxy.start();
                Peer client = proxy.connect(origin.target())) {
            EngineStats before = proxy.broxy().stats();
            for (int i = 0; i < 200; i++) {
                client.send("hello").readText(5);
            }
            EngineStats after = proxy.broxy().stats();
            double busiest = 0;
            for (int loop = 0; loop < 2; loop++) {
                EngineStats.Loop now = serving(after).get(loop);
                EngineStats.Loop earlier = serving(before).get(loop);
                assertThat(now.busy()).isBetween(earlier.busy(), now.running());
                busiest = Math.max(busiest, now.busyShare(earlier));
            }
            assertThat(busiest).isGreaterThan(0).isLessThanOrEqualTo(1);
        }
    }

    @Test
    void whatSlowPeersHaveNotAcceptedIsHeld() throws Exception {
        try (Origin origin = Origin.start(peer -> {
                    peer.send(new byte[8 << 20]);
                    peer.readAll();
                });
                Proxy proxy = Proxy.start();
                Peer client = proxy.connect(origin.target())) {
            await().atMost(PATIENCE).until(() -> proxy.broxy().stats().heldBytes() > 0);
            EngineStats stats = proxy.broxy().stats();
            assertThat(stats.bufferBytes()).isGreaterThanOrEqualTo(stats.heldBytes());
            client.read(8 << 20);
            await().atMost(PATIENCE).until(() -> proxy.broxy().stats().heldBytes() == 0);
        }
    }

    @Test
    void aClosedEngineHasNothing() throws Exception {
        Broxy broxy = Broxy.create();
        broxy.close();
        EngineStats stats = broxy.stats();
        assertThat(stats.loops()).isNotEmpty().allSatisfy(loop -> {
            assertThat(loop.channels()).isZero();
            assertThat(loop.clients()).isZero();
        });
        assertThat(stats.bufferBytes()).isZero();
        EngineStats later = broxy.stats();
        for (int loop = 0; loop < later.loops().size(); loop++) {
            assertThat(later.loops().get(loop).busy())
                    .isEqualTo(stats.loops().get(loop).busy());
        }
    }
}
