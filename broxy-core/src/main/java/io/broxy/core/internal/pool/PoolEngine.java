package io.broxy.core.internal.pool;

import io.broxy.core.internal.loop.EventLoops;
import io.broxy.core.internal.time.Ticker;
import java.util.concurrent.Executor;

/**
 * What pools take from the engine.
 *
 * @param callbacks runs user-written dialers and completes futures
 * <p>Threading: immutable.
 */
public record PoolEngine(EventLoops loops, Executor callbacks, Ticker ticker) {}
