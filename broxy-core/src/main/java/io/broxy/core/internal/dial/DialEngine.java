package io.broxy.core.internal.dial;

import io.broxy.core.internal.loop.EventLoops;
import io.broxy.core.internal.loop.Workers;
import io.broxy.core.internal.time.Ticker;

/**
 * What dialers take from the engine.
 *
 * @param callers the dials on callers' threads
 * <p>Threading: immutable.
 */
public record DialEngine(EventLoops loops, Workers workers, Ticker ticker, CallerDials callers) {}
