package io.broxy.core.internal.pool;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.broxy.ConnPool;
import io.broxy.ConnPool.Lease;
import io.broxy.PoolStats.Eviction;
import io.broxy.core.Broxy;
import io.broxy.core.testkit.HeldPort;
import io.broxy.core.testkit.LeakCheck;
import io.broxy.core.testkit.Origin;
import java.io.IOException;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.channels.SocketChannel;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** Specifies that spares are kept connected and are replaced after use, over sockets. */
@ExtendWith(LeakCheck.class)
class PoolWarmTest {
    private final Broxy broxy = Broxy.builder().eventLoops(2).build();
    private final ConnPool pool = broxy.connPool().build();

    @AfterEach
    void close() {
        broxy.close();
    }

    private void awaitIdle(int idle) {
        await().atMost(Talk.PATIENCE).until(() -> pool.stats().idle() == idle);
    }

    @Test
    void sparesAreConnectedAndUsedOnesReplaced() throws Exception {
        try (Origin origin = Origin.echo()) {
            ConnPool.Key key =
                    ConnPool.Key.of(origin.target(), broxy.directDialer().build());
            pool.warm(key, 3);
            awaitIdle(3);
            List<Lease> leases = new ArrayList<>();
            for (int i = 0; i < 3; i++) {
                Lease lease = pool.lease(key);
                assertThat(lease.wasIdle()).isTrue();
                assertThat(Talk.ask(lease, "spare " + i)).isEqualTo("spare " + i);
                leases.add(lease);
                awaitIdle(3);
            }
            leases.forEach(Lease::detach);
            for (Lease lease : leases) {
                lease.connection().close();
            }
            assertThat(origin.accepted()).isGreaterThanOrEqualTo(6);
            assertThat(Talk.accountedFor(pool.stats())).isEqualTo(pool.stats().created());
        }
    }

    @Test
    void sparesThatTheirPeerClosesAreReplaced() throws Exception {
        AtomicBoolean closing = new AtomicBoolean();
        try (Origin origin = Origin.start(peer -> {
            if (closing.compareAndSet(false, true)) {
                return; // closes the first
            }
            peer.expectEnd();
        })) {
            pool.warm(ConnPool.Key.of(origin.target(), broxy.directDialer().build()), 2);
            await().atMost(Talk.PATIENCE)
                    .until(() -> pool.stats().evicted(Eviction.PEER_CLOSED) == 1
                            && pool.stats().idle() == 2);
        }
    }

    @Test
    void sparesOfAUsersDialerAreKeptToo() throws Exception {
        try (Origin origin = Origin.echo()) {
            ConnPool.Key key = ConnPool.Key.of(origin.target(), request -> {
                try {
                    return broxy.asConnection(SocketChannel.open(origin.address()));
                } catch (IOException e) {
                    throw new AssertionError(e);
                }
            });
            pool.warm(key, 2);
            awaitIdle(2);
            try (Lease lease = pool.lease(key)) {
                assertThat(lease.wasIdle()).isTrue();
                assertThat(Talk.ask(lease, "hello")).isEqualTo("hello");
            }
        }
    }

    @Test
    void aPeerThatComesBackGetsItsSpares() throws Exception {
        try (HeldPort held = HeldPort.open()) {
            ConnPool.Key key =
                    ConnPool.Key.of(held.target(), broxy.directDialer().build());
            pool.warm(key, 2);
            await().atMost(Talk.PATIENCE).until(() -> pool.stats().opening() == 0);
            assertThat(pool.stats().idle()).isZero();
            List<Socket> accepted = new ArrayList<>();
            try (ServerSocket server = new ServerSocket()) {
                server.setReuseAddress(true);
                server.bind(held.address());
                awaitIdle(2);
                while (accepted.size() < 2) {
                    accepted.add(server.accept());
                }
            }
            for (Socket socket : accepted) {
                socket.close();
            }
            await().atMost(Talk.PATIENCE).until(() -> pool.stats().evicted(Eviction.PEER_CLOSED) == 2);
        }
    }

    @Test
    void nothingIsOpenedOnceThePoolIsClosed() throws Exception {
        try (Origin origin = Origin.echo()) {
            ConnPool.Key key =
                    ConnPool.Key.of(origin.target(), broxy.directDialer().build());
            pool.warm(key, 5);
            pool.close();
            await().atMost(Talk.PATIENCE).until(() -> pool.stats().opening() == 0);
            assertThat(pool.stats().idle()).isZero();
            assertThat(Talk.accountedFor(pool.stats())).isEqualTo(pool.stats().created());
        }
    }
}
