package io.broxy.core;

import io.broxy.EngineStats;
import io.broxy.core.internal.dial.CallerDials;
import io.broxy.core.internal.dial.DialEngine;
import io.broxy.core.internal.dial.SettingProblems;
import io.broxy.core.internal.loop.BufferPool;
import io.broxy.core.internal.loop.EventLoops;
import io.broxy.core.internal.loop.Workers;
import io.broxy.core.internal.net.OwnAddresses;
import io.broxy.core.internal.pool.PoolEngine;
import io.broxy.core.internal.proxy.ProxyEngine;
import io.broxy.core.internal.relay.EngineCopier;
import io.broxy.core.internal.time.Ticker;
import io.broxy.core.internal.tls.TlsResources;
import java.io.IOException;
import java.io.UncheckedIOException;

/**
 * What a {@link Broxy} consists of: threads, buffers, and what its dialers, pools and handlers share.
 *
 * <p>Threading: thread-safe.
 */
final class Engine {
    final BufferPool buffers = BufferPool.ofJvm();
    final Workers workers;
    final EventLoops loops;
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
        try {
            loops = EventLoops.start(builder.eventLoops(), buffers, Ticker.SYSTEM);
        } catch (IOException e) {
            throw new UncheckedIOException("cannot start the event loops", e);
        }
        dial = new DialEngine(loops, workers, buffers, Ticker.SYSTEM, new CallerDials());
        pool = new PoolEngine(loops, workers, Ticker.SYSTEM);
        proxy = new ProxyEngine(
                loops, workers, Ticker.SYSTEM, ownAddresses, new TlsResources(buffers, workers.tls(), Ticker.SYSTEM));
        copier = new EngineCopier(loops, workers, buffers, Ticker.SYSTEM);
        parts = new EngineParts(workers::isOwnThread, this::stopThreads);
    }

    EngineStats stats() {
        return new EngineStats(
                loops.stats(), buffers.bytes(), buffers.heldBytes(), buffers.maxHeldBytes(), workers.lookUpStats());
    }

    private boolean stopThreads() {
        copier.close();
        dial.callers().close();
        boolean loopsEnded = loops.stop(EngineParts.STOP_NANOS);
        return workers.stop(EngineParts.STOP_NANOS) && loopsEnded;
    }
}
