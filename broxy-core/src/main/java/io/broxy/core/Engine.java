package io.broxy.core;

import io.broxy.ClientHandler;
import io.broxy.EngineStats;
import io.broxy.core.internal.dial.CallerDials;
import io.broxy.core.internal.dial.DialEngine;
import io.broxy.core.internal.dial.SettingProblems;
import io.broxy.core.internal.epoll.EpollTransport;
import io.broxy.core.internal.loop.BufferPool;
import io.broxy.core.internal.loop.EventLoops;
import io.broxy.core.internal.loop.Workers;
import io.broxy.core.internal.net.NativeTransport;
import io.broxy.core.internal.net.OwnAddresses;
import io.broxy.core.internal.pool.PoolEngine;
import io.broxy.core.internal.proxy.ProxyEngine;
import io.broxy.core.internal.relay.EngineCopier;
import io.broxy.core.internal.time.Ticker;
import io.broxy.core.internal.tls.TlsResources;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.nio.channels.ServerSocketChannel;
import java.nio.file.attribute.PosixFilePermission;
import java.util.Objects;
import java.util.Set;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * What a {@link Broxy} consists of: threads, buffers, and what its dialers, pools and handlers share.
 *
 * <p>Threading: thread-safe.
 */
final class Engine {
    final BufferPool buffers = BufferPool.ofJvm();
    final Workers workers;
    final EventLoops loops;
    /** Sockets of the engine's own, and their loops; null for NIO alone. */
    final @Nullable NativeTransport transport;

    final @Nullable EventLoops transportLoops;
    final DialEngine dial;
    final PoolEngine pool;
    final ProxyEngine proxy;
    final EngineCopier copier;
    final OwnAddresses ownAddresses = new OwnAddresses();
    final SettingProblems settingProblems = new SettingProblems();
    final EngineParts parts;

    /** Starts the threads. */
    Engine(BroxyBuilder builder) {
        workers = new Workers(builder.workers());
        transport = builder.transport() == TransportMode.AUTO ? EpollTransport.open() : null;
        try {
            loops = EventLoops.start(builder.eventLoops(), buffers, Ticker.SYSTEM);
            transportLoops = transport == null ? null : startTransportLoops(transport, builder.eventLoops());
        } catch (IOException e) {
            throw new UncheckedIOException("cannot start the event loops", e);
        }
        dial = new DialEngine(loops, workers, buffers, Ticker.SYSTEM, new CallerDials());
        pool = new PoolEngine(loops, workers, Ticker.SYSTEM);
        proxy = new ProxyEngine(
                loops,
                transportLoops,
                workers,
                Ticker.SYSTEM,
                ownAddresses,
                new TlsResources(buffers, workers.tls(), Ticker.SYSTEM));
        copier = new EngineCopier(loops, workers, buffers, Ticker.SYSTEM);
        parts = new EngineParts(workers::isOwnThread, this::stopThreads);
    }

    private EventLoops startTransportLoops(NativeTransport of, int count) throws IOException {
        try {
            return EventLoops.start(of.name(), count, buffers, Ticker.SYSTEM, of::openPoller);
        } catch (Throwable e) {
            loops.stop(EngineParts.STOP_NANOS);
            throw e;
        }
    }

    EngineStats stats() {
        return new EngineStats(
                transport == null ? EngineStats.Transport.NIO : EngineStats.Transport.EPOLL,
                Stream.of(loops, transportLoops)
                        .filter(Objects::nonNull)
                        .flatMap(group -> group.stats().stream())
                        .toList(),
                buffers.bytes(),
                buffers.heldBytes(),
                buffers.maxHeldBytes(),
                workers.lookUpStats());
    }

    /** Starts a server at a socket of the transport; null if NIO has to serve it. */
    @Nullable
    ProxyServer listenOnTransport(SocketAddress address, ClientHandler handler) {
        if (transport == null
                || !(address instanceof InetSocketAddress internet)
                || internet.isUnresolved()
                || !(handler instanceof NativeTransport.Intake intake)
                || intake.transportLoops() == null) {
            return null;
        }
        ProxyServer server = ProxyServer.start(
                internet,
                handler,
                transport,
                intake,
                Objects.requireNonNull(transportLoops, "a transport has loops").next(),
                ownAddresses,
                parts.open()::remove);
        return server == null ? null : parts.add(server);
    }

    /** Starts a server at an address; null leaves the permissions of a Unix domain socket's file to the system. */
    ProxyServer listen(SocketAddress address, @Nullable Set<PosixFilePermission> permissions, ClientHandler handler)
            throws IOException {
        parts.ensureOpen();
        ProxyServer own = listenOnTransport(address, handler);
        if (own != null) {
            return own;
        }
        return parts.add(
                ProxyServer.start(address, permissions, handler, loops.next(), ownAddresses, parts.open()::remove));
    }

    /** Starts a server at a bound channel. */
    ProxyServer listen(ServerSocketChannel channel, ClientHandler handler) throws IOException {
        parts.ensureOpen();
        return parts.add(ProxyServer.takeOver(channel, handler, loops.next(), ownAddresses, parts.open()::remove));
    }

    private boolean stopThreads() {
        copier.close();
        dial.callers().close();
        boolean loopsEnded = loops.stop(EngineParts.STOP_NANOS);
        if (transportLoops != null) {
            loopsEnded &= transportLoops.stop(EngineParts.STOP_NANOS);
        }
        return workers.stop(EngineParts.STOP_NANOS) && loopsEnded;
    }
}
