package io.broxy.core.internal.pool;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.broxy.ConnPool;
import io.broxy.ConnPool.Lease;
import io.broxy.Connection;
import io.broxy.Dialer;
import io.broxy.core.Broxy;
import io.broxy.core.testkit.LeakCheck;
import io.broxy.core.testkit.Origin;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** Specifies that a lease that is garbage-collected before its end gives up its place and its connection. */
@ExtendWith(LeakCheck.class)
class LeaseLeakTest {
    private final Broxy broxy = Broxy.builder().eventLoops(2).build();
    private final Dialer direct = broxy.directDialer().build();

    @AfterEach
    void close() {
        broxy.close();
    }

    private static void dropLease(ConnPool pool, ConnPool.Key key) throws Exception {
        assertThat(Talk.ask(pool.lease(key), "hello")).isEqualTo("hello");
    }

    private static void awaitLeaked(ConnPool pool, int leaked) {
        await().atMost(Talk.PATIENCE).until(() -> {
            System.gc();
            return pool.stats().leaked() == leaked;
        });
    }

    @Test
    void itsPlaceComesBackAndItsConnectionIsClosed() throws Exception {
        CountDownLatch ended = new CountDownLatch(1);
        try (Origin origin = Origin.start(peer -> {
                    try {
                        peer.socket().getInputStream().transferTo(peer.socket().getOutputStream());
                    } finally {
                        ended.countDown();
                    }
                });
                ConnPool pool = broxy.connPool().maxOpen(1).build()) {
            ConnPool.Key key = ConnPool.Key.of(origin.target(), direct);
            dropLease(pool, key);
            awaitLeaked(pool, 1);
            assertThat(ended.await(Talk.PATIENCE.toMillis(), TimeUnit.MILLISECONDS))
                    .isTrue();
            pool.lease(key).close();
            assertThat(Talk.accountedFor(pool.stats())).isEqualTo(pool.stats().created());
        }
    }

    @Test
    void holdingTheConnectionHoldsTheLease() throws Exception {
        try (Origin origin = Origin.echo();
                ConnPool pool = broxy.connPool().build()) {
            ConnPool.Key key = ConnPool.Key.of(origin.target(), direct);
            Connection held = pool.lease(key).connection();
            dropLease(pool, key);
            awaitLeaked(pool, 1);
            assertThat(Talk.ask(held, "still mine")).isEqualTo("still mine");
            assertThat(pool.stats().leased()).isEqualTo(1);
            held.close();
        }
    }

    @Test
    void anEndedLeaseIsNoLeak() throws Exception {
        try (Origin origin = Origin.echo();
                ConnPool pool = broxy.connPool().build()) {
            ConnPool.Key key = ConnPool.Key.of(origin.target(), direct);
            for (int i = 0; i < 3; i++) {
                Lease lease = pool.lease(key);
                lease.giveBack();
            }
            dropLease(pool, key);
            awaitLeaked(pool, 1);
            assertThat(pool.stats().created()).isEqualTo(1);
        }
    }

    @Test
    void whereItWasTakenIsReportedIfThatWasAskedFor() throws Exception {
        PrintStream before = System.err;
        ByteArrayOutputStream log = new ByteArrayOutputStream();
        System.setErr(new PrintStream(log, true, UTF_8));
        try (Origin origin = Origin.echo();
                ConnPool silent = broxy.connPool().build();
                ConnPool reporting = broxy.connPool().reportLeaks(1).build()) {
            dropLease(silent, ConnPool.Key.of(origin.target(), direct));
            awaitLeaked(silent, 1);
            assertThat(log.toString(UTF_8)).doesNotContain("dropLease");
            dropLease(reporting, ConnPool.Key.of(origin.target(), direct));
            awaitLeaked(reporting, 1);
            assertThat(log.toString(UTF_8))
                    .contains("a lease of Key[" + origin.target() + "] was leaked: it was never ended")
                    .contains("LeaseLeakTest.dropLease");
        } finally {
            System.setErr(before);
        }
    }
}
