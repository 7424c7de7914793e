package io.broxy.core.internal.pool;

import io.broxy.DialRequest;
import io.broxy.core.internal.loop.EventLoops;
import io.broxy.core.internal.loop.Workers;
import io.broxy.core.internal.time.Ticker;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/**
 * What pools take from the engine, and all pools of it.
 *
 * <p>Threading: thread-safe.
 */
public final class PoolEngine {
    private final EventLoops loops;
    private final Workers workers;
    private final Ticker ticker;
    private final Set<EnginePool> open = ConcurrentHashMap.newKeySet();

    /** Creates one without pools. */
    public PoolEngine(EventLoops loops, Workers workers, Ticker ticker) {
        this.loops = loops;
        this.workers = workers;
        this.ticker = ticker;
    }

    EventLoops loops() {
        return loops;
    }

    Workers workers() {
        return workers;
    }

    Ticker ticker() {
        return ticker;
    }

    void opened(EnginePool pool) {
        open.add(pool);
    }

    void closed(EnginePool pool) {
        open.remove(pool);
    }

    void forget(DialRequest.Client client) {
        open.forEach(pool -> pool.forget(client));
    }
}
