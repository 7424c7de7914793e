package io.broxy.core.internal.proxy;

import io.broxy.core.internal.loop.EventLoops;
import io.broxy.core.internal.relay.BlockingRelay;

/**
 * What handlers take from the engine.
 *
 * <p>Threading: immutable.
 */
public record ProxyEngine(EventLoops loops, BlockingRelay.Means blocking) {}
