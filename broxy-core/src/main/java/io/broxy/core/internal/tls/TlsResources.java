package io.broxy.core.internal.tls;

import io.broxy.core.internal.loop.BufferPool;
import io.broxy.core.internal.time.Ticker;
import java.util.concurrent.Executor;

/**
 * The resources that all TLS connections of an engine share.
 *
 * <p>Threading: immutable.
 *
 * @param buffers the buffers for callers' threads
 * @param tasks runs work that takes too long for a loop, such as certificate checks
 * @param ticker the clock of deadlines
 */
public record TlsResources(BufferPool buffers, Executor tasks, Ticker ticker) {}
