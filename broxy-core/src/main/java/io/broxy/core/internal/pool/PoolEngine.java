package io.broxy.core.internal.pool;

import io.broxy.core.internal.loop.EventLoops;
import io.broxy.core.internal.loop.Workers;
import io.broxy.core.internal.time.Ticker;

/**
 * The parts of the engine that pools use.
 *
 * <p>Threading: thread-safe.
 */
public record PoolEngine(EventLoops loops, Workers workers, Ticker ticker) {}
