package io.broxy.core.internal.dial;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;
import static org.awaitility.Awaitility.await;

import io.broxy.AddressPolicy;
import io.broxy.Cidr;
import io.broxy.Connection;
import io.broxy.DialException;
import io.broxy.DialException.Reason;
import io.broxy.DialRequest;
import io.broxy.Dialer;
import io.broxy.HostPort;
import io.broxy.HttpProxyDialer;
import io.broxy.Route;
import io.broxy.Rules;
import io.broxy.core.internal.loop.BufferPool;
import io.broxy.core.internal.loop.EventLoop;
import io.broxy.core.internal.loop.EventLoops;
import io.broxy.core.internal.loop.Workers;
import io.broxy.core.internal.net.Completion;
import io.broxy.core.internal.pool.ConnPoolBuilder;
import io.broxy.core.internal.pool.EnginePool;
import io.broxy.core.internal.pool.IdleUse;
import io.broxy.core.internal.pool.LoopLease;
import io.broxy.core.internal.pool.PoolEngine;
import io.broxy.core.internal.time.Ticker;
import io.broxy.core.internal.upstream.HttpHop;
import io.broxy.core.internal.upstream.HttpRoute;
import io.broxy.core.internal.upstream.HttpRouter;
import io.broxy.core.testkit.Certificates;
import io.broxy.core.testkit.HeldPort;
import io.broxy.core.testkit.LeakCheck;
import io.broxy.core.testkit.LoopTalk;
import io.broxy.core.testkit.Origin;
import io.broxy.core.testkit.Peer;
import io.broxy.core.testkit.SocksServer;
import java.io.IOException;
import java.time.Duration;
import java.util.Objects;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** Specifies that routes of plain HTTP work with real servers, through a pool as an exchange uses them. */
@ExtendWith(LeakCheck.class)
class HttpRoutesTest {
    private static final long PATIENCE_NANOS = TimeUnit.MILLISECONDS.toNanos(Peer.PATIENCE_MILLIS);
    private static final String ANSWER = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";

    private final Workers workers = new Workers();
    private final BlockingQueue<String> heads = new LinkedBlockingQueue<>();
    private EventLoops loops;
    private EventLoop loop;
    private DialEngine engine;
    private EnginePool pool;
    private Dialer direct;

    @BeforeEach
    void start() throws Exception {
        loops = EventLoops.start(1, new BufferPool(1 << 20, 1 << 20), Ticker.SYSTEM);
        loop = loops.next();
        engine = new DialEngine(loops, workers, new BufferPool(1 << 20, 1 << 20), Ticker.SYSTEM, new CallerDials());
        pool = new ConnPoolBuilder(new PoolEngine(loops, workers, Ticker.SYSTEM), built -> {}, ended -> {}).build();
        direct = new DirectDialerBuilder(engine).build();
    }

    @AfterEach
    void stop() throws Exception {
        pool.close();
        assertThat(loops.stop(PATIENCE_NANOS)).isTrue();
        assertThat(workers.stop(PATIENCE_NANOS)).isTrue();
    }

    /** A server or proxy that notes each head and answers it. */
    private Origin answering() throws IOException {
        return Origin.start(this::answerAll);
    }

    private void answerAll(Peer peer) throws IOException {
        while (true) {
            heads.add(peer.readHead());
            peer.send(ANSWER);
        }
    }

    private HttpProxyDialer.Builder through(Origin proxy) {
        return new HttpProxyDialerBuilder(proxy.target(), engine, () -> direct);
    }

    private HttpRouter router(Dialer dialer) {
        return HttpRouter.of(dialer, workers);
    }

    private static DialRequest request(HostPort target, AddressPolicy policy) {
        return DialRequest.builder(target)
                .addressPolicy(policy)
                .timeout(Duration.ofNanos(PATIENCE_NANOS))
                .build();
    }

    private LoopLease lease(HttpHop way) throws Exception {
        return LoopTalk.on(
                loop,
                future -> pool.lease(loop, way.key(), IdleUse.ANY, null, null, way.timeoutNanos(), new Completion<>() {
                    @Override
                    public void done(LoopLease lease) {
                        future.complete(lease);
                    }

                    @Override
                    public void failed(DialException failure) {
                        future.completeExceptionally(failure);
                    }
                }));
    }

    private DialException failure(HttpHop way) {
        ExecutionException failure = catchThrowableOfType(ExecutionException.class, () -> lease(way));
        return (DialException) Objects.requireNonNull(failure.getCause(), "why");
    }

    /** Sends a head, reads the answer, and leaves the connection to the pool. */
    private void exchange(LoopLease lease, String head) throws Exception {
        String answer = LoopTalk.ask(loop, lease.connection(), head, ANSWER.length());
        assertThat(answer).isEqualTo(ANSWER);
        LoopTalk.run(loop, lease::giveBack);
        assertThat(heads.poll(Peer.PATIENCE_MILLIS, TimeUnit.MILLISECONDS)).isEqualTo(head);
    }

    private static String get(String target) {
        return "GET " + target + " HTTP/1.1\r\nHost: target.example\r\n\r\n";
    }

    // ------------------------------------------------------------------ to the target

    @Test
    void aConnectionThatALaxPolicyOpenedIsNotLeasedUnderAStrictOne() throws Exception {
        try (Origin origin = answering()) {
            AddressPolicy lax = AddressPolicy.allowing(Cidr.parse("127.0.0.0/8"));
            HttpRouter router = router(direct);
            exchange(lease(router.route(request(origin.target(), lax)).hop()), get("/"));
            assertThat(pool.stats().idle()).isEqualTo(1);

            DialException denied = failure(router.route(request(origin.target(), AddressPolicy.publicOnly()))
                    .hop());

            assertThat(denied.reason()).isEqualTo(Reason.DENIED);
            assertThat(denied).hasMessageContaining("loopback");
            LoopLease again = lease(router.route(request(origin.target(), lax)).hop());
            assertThat(again.wasIdle()).isTrue();
            exchange(again, get("/again"));
            LoopLease any = lease(
                    router.route(request(origin.target(), AddressPolicy.any())).hop());
            assertThat(any.wasIdle()).as("policies never mix").isFalse();
            exchange(any, get("/any"));
            assertThat(origin.accepted()).isEqualTo(2);
        }
    }

    @Test
    void aUserDialerReceivesThePolicyAndItsConnectionsAreReused() throws Exception {
        BlockingQueue<DialRequest> dialed = new LinkedBlockingQueue<>();
        Dialer own = request -> {
            dialed.add(request);
            return direct.dial(
                    request.toBuilder().addressPolicy(AddressPolicy.any()).build());
        };
        try (Origin origin = answering()) {
            HttpRouter router = router(own);
            for (int i = 0; i < 2; i++) {
                LoopLease lease = lease(router.route(request(origin.target(), AddressPolicy.publicOnly()))
                        .hop());
                assertThat(lease.wasIdle()).isEqualTo(i > 0);
                exchange(lease, get("/" + i));
            }
            assertThat(dialed).hasSize(1);
            assertThat(dialed.remove().addressPolicy()).isSameAs(AddressPolicy.publicOnly());
        }
    }

    @Test
    void socks5LeadsToTheTarget() throws Exception {
        try (Origin origin = answering();
                Origin proxy = Origin.start(SocksServer::relay)) {
            Dialer dialer = new Socks5DialerBuilder(proxy.target(), engine, () -> direct).build();

            HttpHop way = router(dialer)
                    .route(request(origin.target(), AddressPolicy.any()))
                    .hop();

            exchange(lease(way), get("/"));
            assertThat(proxy.accepted()).isEqualTo(1);
            DialException denied = failure(router(dialer)
                    .route(request(origin.target(), AddressPolicy.publicOnly()))
                    .hop());
            assertThat(denied.reason()).as("a literal, and another connection").isEqualTo(Reason.DENIED);
            assertThat(proxy.accepted()).isEqualTo(1);
        }
    }

    // ------------------------------------------------------------------ to a proxy

    @Test
    void aWarmSpareServesPlainHttpAndThenATunnel() throws Exception {
        try (Origin proxy = answering()) {
            HttpProxyDialer dialer = through(proxy).pool(pool).build();
            pool.warm(dialer.key(), 1);
            await().atMost(Duration.ofNanos(PATIENCE_NANOS))
                    .until(() -> pool.stats().idle() == 1);
            pool.warm(dialer.key(), 0); // it stays, and no other is opened when it is used
            HostPort target = HostPort.parse("target.example:80");

            LoopLease lease = lease(router(dialer)
                    .route(request(target, AddressPolicy.publicOnly()))
                    .hop());

            assertThat(lease.wasIdle()).isTrue();
            exchange(lease, get("http://target.example/"));
            try (Connection tunnel = dialer.dial(target)) {
                assertThat(heads.take()).startsWith("CONNECT target.example:80 ");
                assertThat(tunnel.isOpen()).isTrue();
            }
            assertThat(proxy.accepted()).as("all over the one connection").isEqualTo(1);
        }
    }

    @Test
    void aProxyMaySpeakTls() throws Exception {
        Certificates certificates = Certificates.loopback();
        try (Origin proxy = Origin.startTls(certificates, this::answerAll)) {
            HttpProxyDialer dialer = through(proxy).tls(certificates.client()).build();
            HttpHop way = router(dialer)
                    .route(request(HostPort.parse("target.example:80"), AddressPolicy.publicOnly()))
                    .hop();

            exchange(lease(way), get("http://target.example/"));
            LoopLease again = lease(way);
            assertThat(again.wasIdle()).isTrue();
            exchange(again, get("http://target.example/again"));
        }
    }

    @Test
    void aProxyThatIsDownLeavesTheRequestToTheNextHop() throws Exception {
        int closed = HeldPort.refusing().port();
        try (Origin proxy = answering()) {
            Dialer down = new HttpProxyDialerBuilder(HostPort.of("127.0.0.1", closed), engine, () -> direct).build();
            HttpRouter router = router(new RoutingDialerBuilder(engine, () -> direct)
                    .hop("down", down)
                    .hop("up", through(proxy).build())
                    .rules(Rules.always(Route.via("down", "up")))
                    .build());
            DialRequest request = request(HostPort.parse("target.example:80"), AddressPolicy.publicOnly());
            HttpRoute route = router.route(request);

            assertThat(route.failed(failure(route.hop()))).isNull();
            exchange(lease(route.hop()), get("http://target.example/"));
            route.connected();

            assertThat(router.route(request).hop().key().address())
                    .as("the other one has a penalty")
                    .isEqualTo(proxy.target());
        }
    }
}
