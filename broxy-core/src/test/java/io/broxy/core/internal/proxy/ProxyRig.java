package io.broxy.core.internal.proxy;

import static org.assertj.core.api.Assertions.assertThat;

import io.broxy.AddressPolicy;
import io.broxy.Connection;
import io.broxy.DialException;
import io.broxy.DialRequest;
import io.broxy.Dialer;
import io.broxy.ProxyHandler;
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
import io.broxy.core.internal.pool.EnginePool;
import io.broxy.core.internal.pool.PoolEngine;
import io.broxy.core.internal.time.Ticker;
import io.broxy.core.internal.tls.TlsResources;
import io.broxy.core.internal.upstream.LoopDialer;
import io.broxy.core.testkit.ManualTicker;
import io.broxy.core.testkit.Peer;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.channels.SocketChannel;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** Handlers on one loop with a manual clock, which connect immediately. */
final class ProxyRig implements AutoCloseable {
    private static final long STOP_NANOS = TimeUnit.SECONDS.toNanos(20);

    final ManualTicker ticker = new ManualTicker();
    final BufferPool buffers = new BufferPool(1 << 20, 1 << 20);
    private final Workers workers = new Workers();
    private final List<ProxyHandler> handlers = new ArrayList<>();
    private final List<EnginePool> pools = new ArrayList<>();
    private final EventLoops loops;
    private final EventLoop loop;

    ProxyRig() throws IOException {
        loops = EventLoops.start(1, buffers, ticker);
        loop = loops.next();
    }

    ProxyHandler handler(Consumer<ProxyHandler.Builder> settings) {
        Ticker time = ticker;
        ProxyHandler.Builder builder = new ProxyHandlerBuilder(
                        new ProxyEngine(
                                loops,
                                null,
                                workers,
                                time,
                                new OwnAddresses(),
                                new TlsResources(BufferPool.ofJvm(), workers.tls(), time)),
                        AtOnce::new,
                        () -> {
                            EnginePool pool = new ConnPoolBuilder(
                                            new PoolEngine(loops, workers, time), built -> {}, ended -> {})
                                    .build();
                            pools.add(pool);
                            return pool;
                        },
                        ConcurrentHashMap.<AutoCloseable>newKeySet())
                .addressPolicy(AddressPolicy.any());
        settings.accept(builder);
        ProxyHandler handler = builder.build();
        handlers.add(handler);
        return handler;
    }

    private static final class AtOnce implements Dialer, LoopDialer {
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
            SocketChannel channel;
            try {
                channel = SocketChannel.open(new InetSocketAddress(
                        request.target().host(), request.target().port()));
                channel.configureBlocking(false);
            } catch (IOException e) {
                completion.failed(DialException.builder(DialException.Reason.REFUSED, request.target())
                        .cause(e)
                        .build());
                return () -> {};
            }
            completion.done(new LoopSocket(loop, channel));
            return () -> {};
        }
    }

    /** Moves the time on, and lets the loop see it. */
    void pass(Duration time) {
        ticker.advance(time);
        turns(2); // the first may have begun before
    }

    /** Lets the loop make so many turns. */
    void turns(int count) {
        for (int i = 0; i < count; i++) {
            onLoop(() -> true);
        }
    }

    /** The CPU time that the loop has used. */
    long loopCpuNanos() {
        return onLoop(() -> ManagementFactory.getThreadMXBean().getCurrentThreadCpuTime());
    }

    /** How many timers are planned. */
    int timers() {
        return onLoop(() -> loop.timers().size());
    }

    private <T> T onLoop(java.util.function.Supplier<T> task) {
        return CompletableFuture.supplyAsync(task, loop)
                .orTimeout(Peer.PATIENCE_MILLIS, TimeUnit.MILLISECONDS)
                .join();
    }

    @Override
    public void close() throws InterruptedException {
        handlers.forEach(ProxyHandler::close);
        pools.forEach(EnginePool::close);
        boolean ended = loops.stop(STOP_NANOS);
        assertThat(workers.stop(STOP_NANOS) && ended).isTrue();
        assertThat(buffers.heldBytes()).as("held bytes in the end").isZero();
        assertThat(loop.clients()).as("clients in the end").isZero();
    }
}
