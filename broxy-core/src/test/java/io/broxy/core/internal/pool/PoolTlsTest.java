package io.broxy.core.internal.pool;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.broxy.ConnPool;
import io.broxy.ConnPool.Lease;
import io.broxy.DialException;
import io.broxy.Dialer;
import io.broxy.HostPort;
import io.broxy.PoolStats.Eviction;
import io.broxy.core.internal.loop.BufferPool;
import io.broxy.core.internal.loop.EventLoops;
import io.broxy.core.internal.loop.Workers;
import io.broxy.core.internal.net.NetEngine;
import io.broxy.core.internal.time.Ticker;
import io.broxy.core.testkit.Certificates;
import io.broxy.core.testkit.LeakCheck;
import io.broxy.core.testkit.Origin;
import io.broxy.core.testkit.Peer;
import io.broxy.core.testkit.TlsOrigin;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Specifies idle TLS connections: records that TLS sends on its own, such as session tickets, evict nothing. */
@ExtendWith(LeakCheck.class)
class PoolTlsTest {
    private static final long PATIENCE_NANOS = Talk.PATIENCE.toNanos();

    private final Workers workers = new Workers();
    private final BufferPool buffers = new BufferPool(16 << 20, 16 << 20);
    private final Certificates certificates = Certificates.loopback();
    private NetEngine net;
    private EventLoops loops;
    private ConnPool pool;

    @BeforeEach
    void start() throws Exception {
        net = new NetEngine();
        loops = EventLoops.start(2, buffers, Ticker.SYSTEM);
        pool = new ConnPoolBuilder(new PoolEngine(loops, workers, Ticker.SYSTEM), built -> {}, closed -> {}).build();
    }

    @AfterEach
    void stop() throws Exception {
        pool.close();
        assertThat(loops.stop(PATIENCE_NANOS)).isTrue();
        assertThat(workers.stop(PATIENCE_NANOS)).isTrue();
        net.close();
    }

    private ConnPool.Key key(Origin origin) {
        HostPort peer = HostPort.of("localhost", origin.port());
        Dialer dialer = request -> {
            try {
                return net.secure(NetEngine.connect(origin.port()), certificates.client(), peer);
            } catch (Exception e) {
                throw new DialException(DialException.Reason.PROTOCOL, request.target(), Duration.ZERO, List.of(), e);
            }
        };
        return ConnPool.Key.of(peer, dialer);
    }

    @ParameterizedTest
    @ValueSource(strings = {"TLSv1.2", "TLSv1.3"})
    void sparesStayAndAreUsedOverAndOver(String version) throws Exception {
        try (Origin origin = TlsOrigin.start(
                certificates.server(),
                peer -> {
                    peer.socket().getInputStream().transferTo(peer.socket().getOutputStream());
                    peer.close();
                },
                version)) {
            ConnPool.Key key = key(origin);
            pool.warm(key, 2);
            await().atMost(Talk.PATIENCE).until(() -> pool.stats().idle() == 2);
            pool.warm(key, 0);
            for (int i = 0; i < 30; i++) {
                Lease lease = i % 2 == 0
                        ? pool.lease(key)
                        : pool.leaseAsync(key, Talk.PATIENCE).get(Peer.PATIENCE_MILLIS, TimeUnit.MILLISECONDS);
                assertThat(lease.wasIdle()).isTrue();
                assertThat(Talk.ask(lease, "secure " + i)).isEqualTo("secure " + i);
                lease.giveBack();
            }
            assertThat(pool.stats().evicted()).isZero();
            assertThat(origin.accepted()).isEqualTo(2);
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"TLSv1.2", "TLSv1.3"})
    void anEndOrAStrayByteEvicts(String version) throws Exception {
        CountDownLatch now = new CountDownLatch(1);
        CountDownLatch first = new CountDownLatch(1);
        try (Origin origin = TlsOrigin.start(
                certificates.server(),
                peer -> {
                    boolean stray = first.getCount() > 0;
                    first.countDown();
                    now.await();
                    if (stray) {
                        peer.send("x");
                        peer.readAll();
                    }
                },
                version)) {
            ConnPool.Key key = key(origin);
            Lease one = pool.lease(key);
            first.await();
            Lease other = pool.lease(key);
            one.giveBack();
            other.giveBack();
            now.countDown();
            await().atMost(Talk.PATIENCE).untilAsserted(() -> {
                assertThat(pool.stats().evicted(Eviction.STRAY_BYTES)).isEqualTo(1);
                assertThat(pool.stats().evicted(Eviction.PEER_CLOSED)).isEqualTo(1);
            });
            assertThat(pool.stats().idle()).isZero();
        }
    }
}
