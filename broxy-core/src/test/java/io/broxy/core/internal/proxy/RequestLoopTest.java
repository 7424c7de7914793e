package io.broxy.core.internal.proxy;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.broxy.AddressPolicy;
import io.broxy.CloseReason;
import io.broxy.Connection;
import io.broxy.DialException;
import io.broxy.DialRequest;
import io.broxy.Dialer;
import io.broxy.ProxyHandler;
import io.broxy.Tunnel;
import io.broxy.core.internal.loop.BufferPool;
import io.broxy.core.internal.loop.EventLoop;
import io.broxy.core.internal.loop.EventLoops;
import io.broxy.core.internal.loop.Workers;
import io.broxy.core.internal.net.Completion;
import io.broxy.core.internal.net.DialHandle;
import io.broxy.core.internal.net.LoopConnection;
import io.broxy.core.internal.net.LoopSocket;
import io.broxy.core.internal.net.OwnAddresses;
import io.broxy.core.internal.pool.ConnPoolBuilder;
import io.broxy.core.internal.pool.PoolEngine;
import io.broxy.core.internal.time.Ticker;
import io.broxy.core.internal.tls.TlsResources;
import io.broxy.core.internal.upstream.LoopDialer;
import io.broxy.core.testkit.Accepted;
import io.broxy.core.testkit.Ends;
import io.broxy.core.testkit.LeakCheck;
import io.broxy.core.testkit.Origin;
import io.broxy.core.testkit.Peer;
import io.broxy.core.testkit.Proxy;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.SocketTimeoutException;
import java.nio.channels.SocketChannel;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** Specifies what a dialer on the client's own loop can do to that client. */
@ExtendWith(LeakCheck.class)
class RequestLoopTest {
    private static final long STOP_NANOS = TimeUnit.SECONDS.toNanos(20);

    private final BufferPool buffers = new BufferPool(1 << 20, 1 << 20);
    private final Workers workers = new Workers();
    private final CompletableFuture<Tunnel> tunnel = new CompletableFuture<>();
    private EventLoops loops;

    @BeforeEach
    void startLoop() throws IOException {
        loops = EventLoops.start(1, buffers, Ticker.SYSTEM);
    }

    @AfterEach
    void stopLoop() throws InterruptedException {
        loops.stop(STOP_NANOS);
        workers.stop(STOP_NANOS);
    }

    private ProxyHandler handler(LoopDialer dialer) {
        return new ProxyHandlerBuilder(
                        new ProxyEngine(
                                loops,
                                null,
                                workers,
                                Ticker.SYSTEM,
                                new OwnAddresses(),
                                new TlsResources(BufferPool.ofJvm(), workers.tls(), Ticker.SYSTEM)),
                        () -> new OnLoop(dialer),
                        () -> new ConnPoolBuilder(
                                        new PoolEngine(loops, workers, Ticker.SYSTEM), built -> {}, ended -> {})
                                .build(),
                        ConcurrentHashMap.<AutoCloseable>newKeySet())
                .addressPolicy(AddressPolicy.any())
                .build();
    }

    private record OnLoop(LoopDialer inner) implements Dialer, LoopDialer {
        @Override
        public Connection dial(DialRequest request) {
            throw new AssertionError("a loop has no use for that");
        }

        @Override
        public DialHandle dial(
                EventLoop loop,
                DialRequest request,
                @Nullable InetAddress client,
                Completion<LoopConnection> completion) {
            return inner.dial(loop, request, client, completion);
        }
    }

    /** Connects at once. */
    private static DialHandle connected(Origin origin, EventLoop loop, Completion<LoopConnection> completion) {
        try {
            SocketChannel channel = SocketChannel.open(origin.address());
            channel.configureBlocking(false);
            completion.done(new LoopSocket(loop, channel));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return () -> {};
    }

    @Test
    void aCloseJustBeforeTheConnectionOpensLeavesNothing() throws Exception {
        CompletableFuture<Boolean> originReset = new CompletableFuture<>();
        try (Origin origin = Origin.start(peer -> {
                    peer.expectReset();
                    originReset.complete(true);
                });
                Accepted<SocketChannel> accepted = Accepted.channel()) {
            ProxyHandler handler = handler((loop, request, address, completion) -> {
                CompletableFuture.runAsync(tunnel.join()::close).join();
                return connected(origin, loop, completion);
            });
            accepted.client().send(Proxy.connectHead(origin.target()) + "early bytes, which are held");
            tunnel.complete(handler.handleConnect(accepted.end()));

            Ends.assertEnded(tunnel.join().join(), CloseReason.CLOSED);
            accepted.client().expectReset();
            assertThat(originReset.get(Peer.PATIENCE_MILLIS, TimeUnit.MILLISECONDS))
                    .isTrue();
            await().atMost(Duration.ofMillis(Peer.PATIENCE_MILLIS)).until(() -> buffers.heldBytes() == 0);
            assertThat(handler.stats().openTunnels()).isZero();
        }
    }

    @Test
    void aDialerThatThrowsIntoTheLoopClosesTheClient() throws Exception {
        IllegalStateException thrown = new IllegalStateException("a mistake");
        ProxyHandler handler = handler((loop, request, address, completion) -> {
            throw thrown;
        });
        for (boolean headIsThere : new boolean[] {true, false}) {
            try (Accepted<SocketChannel> accepted = Accepted.channel()) {
                String head = "CONNECT somewhere.example:1 HTTP/1.1\r\nHost: x\r\n\r\n";
                accepted.client().send(headIsThere ? head + "early" : head.substring(0, 9));
                Tunnel failing = handler.handleConnect(accepted.end());
                if (!headIsThere) {
                    accepted.client().send(head.substring(9));
                }

                assertThat(failing.join().reason()).isEqualTo(CloseReason.FAILED);
                assertThat(failing.join().cause()).isSameAs(thrown);
                accepted.client().expectReset();
            }
        }
        assertThat(handler.stats().openTunnels()).isZero();
        assertThat(handler.stats().openConnections()).isZero();
        assertThat(buffers.heldBytes()).isZero();
    }

    @Test
    void aDialThatFailsBecauseTheLoopEndsIsAClosedTunnel() throws Exception {
        CompletableFuture<EventLoop> dialing = new CompletableFuture<>();
        ProxyHandler handler = handler((loop, request, address, completion) -> {
            loop.timers() // a deadline, which the end of the loop fires
                    .schedule(
                            loop.nowNanos() + TimeUnit.HOURS.toNanos(1),
                            () -> completion.failed(
                                    DialException.builder(DialException.Reason.TIMEOUT, request.target())
                                            .duration(Duration.ofHours(1))
                                            .cause(new SocketTimeoutException("the dialer did not end in its time"))
                                            .build()));
            dialing.complete(loop);
            return () -> {};
        });
        try (Accepted<SocketChannel> accepted = Accepted.channel()) {
            accepted.client().send("CONNECT somewhere.example:1 HTTP/1.1\r\nHost: x\r\n\r\nearly");
            Tunnel stopped = handler.handleConnect(accepted.end());
            dialing.join();

            loops.stop(STOP_NANOS);

            Ends.assertEnded(stopped.join(), CloseReason.CLOSED);
            accepted.client().expectReset();
            assertThat(buffers.heldBytes()).isZero();
        }
    }
}
