package io.broxy.core.internal.forward;

import static org.assertj.core.api.Assertions.assertThat;

import io.broxy.AddressPolicy;
import io.broxy.ConnectionResult;
import io.broxy.ProxyHandler;
import io.broxy.core.internal.dial.CallerDials;
import io.broxy.core.internal.dial.DialEngine;
import io.broxy.core.internal.dial.DirectDialerBuilder;
import io.broxy.core.internal.loop.BufferPool;
import io.broxy.core.internal.loop.EventLoops;
import io.broxy.core.internal.loop.Workers;
import io.broxy.core.internal.net.OwnAddresses;
import io.broxy.core.internal.pool.ConnPoolBuilder;
import io.broxy.core.internal.pool.PoolEngine;
import io.broxy.core.internal.proxy.ProxyEngine;
import io.broxy.core.internal.proxy.ProxyHandlerBuilder;
import io.broxy.core.internal.time.Ticker;
import io.broxy.core.internal.tls.TlsResources;
import io.broxy.core.testkit.Accepted;
import io.broxy.core.testkit.Peer;
import java.io.IOException;
import java.net.StandardSocketOptions;
import java.nio.channels.SocketChannel;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;

/**
 * A handler on one loop with buffers that a test can inspect. The buffers of its sockets have a fixed size: else the kernel
 * lets them grow, and they take in tens of mebibytes.
 */
final class ForwardRig implements AutoCloseable {
    /** Of each socket, and as much again for the other direction. */
    static final int SOCKET_BUFFER = 512 << 10;

    final BufferPool buffers = new BufferPool(64 << 20, 64 << 20);
    final ProxyHandler handler;

    private final Workers workers = new Workers();
    private final EventLoops loops;
    private final Set<AutoCloseable> open = ConcurrentHashMap.newKeySet();

    ForwardRig() throws IOException {
        loops = EventLoops.start(1, buffers, Ticker.SYSTEM);
        DialEngine dials = new DialEngine(loops, workers, buffers, Ticker.SYSTEM, new CallerDials());
        PoolEngine pools = new PoolEngine(loops, workers, Ticker.SYSTEM);
        handler = new ProxyHandlerBuilder(
                        new ProxyEngine(
                                loops,
                                null,
                                workers,
                                Ticker.SYSTEM,
                                new OwnAddresses(),
                                new TlsResources(BufferPool.ofJvm(), workers.tls(), Ticker.SYSTEM)),
                        () -> new DirectDialerBuilder(dials)
                                .option(StandardSocketOptions.SO_RCVBUF, SOCKET_BUFFER)
                                .option(StandardSocketOptions.SO_SNDBUF, SOCKET_BUFFER)
                                .build(),
                        () -> new ConnPoolBuilder(pools, built -> {}, ended -> {}).build(),
                        open)
                .addressPolicy(AddressPolicy.any())
                .build();
    }

    /** A client that is served. */
    record Client(Accepted<SocketChannel> accepted, CompletableFuture<ConnectionResult> result)
            implements AutoCloseable {
        Peer peer() {
            return accepted.client();
        }

        ConnectionResult end() throws Exception {
            return result.get(Peer.PATIENCE_MILLIS, TimeUnit.MILLISECONDS);
        }

        @Override
        public void close() throws Exception {
            accepted.close();
        }
    }

    /** Gives the buffers of a peer the same size. */
    static void sizeBuffers(Peer peer) throws IOException {
        peer.socket().setReceiveBufferSize(SOCKET_BUFFER);
        peer.socket().setSendBufferSize(SOCKET_BUFFER);
    }

    /** A new client. */
    Client client() throws IOException {
        Accepted<SocketChannel> accepted = Accepted.channel();
        sizeBuffers(accepted.client());
        accepted.end()
                .setOption(StandardSocketOptions.SO_RCVBUF, SOCKET_BUFFER)
                .setOption(StandardSocketOptions.SO_SNDBUF, SOCKET_BUFFER);
        return new Client(accepted, handler.handle(accepted.end()).completion());
    }

    /** Ends it; by then nothing may be held. */
    @Override
    public void close() throws Exception {
        handler.close();
        assertThat(loops.stop(TimeUnit.SECONDS.toNanos(20))).isTrue();
        assertThat(workers.stop(TimeUnit.SECONDS.toNanos(20))).isTrue();
        assertThat(buffers.heldBytes()).as("bytes held on the loop").isZero();
    }
}
