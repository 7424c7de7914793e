package io.broxy.core.internal.dial;

import io.broxy.core.internal.loop.EventLoops;
import io.broxy.core.internal.time.Ticker;
import java.util.concurrent.Executor;

/**
 * What dialers take from the engine.
 *
 * @param resolver runs name look-ups
 * @param callbacks completes futures, and runs user-written dialers
 * @param closers ends what those hang on
 * @param callers the dials on callers' threads
 * <p>Threading: immutable.
 */
public record DialEngine(
        EventLoops loops,
        Executor resolver,
        Executor callbacks,
        Executor closers,
        Ticker ticker,
        CallerDials callers) {}
