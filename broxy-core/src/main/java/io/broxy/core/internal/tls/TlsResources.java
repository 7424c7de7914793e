package io.broxy.core.internal.tls;

import io.broxy.core.internal.loop.BufferPool;
import io.broxy.core.internal.time.Ticker;
import java.util.concurrent.Executor;

/**
 * What every TLS connection of an engine shares.
 *
 * <p>Threading: immutable.
 *
 * @param buffers for callers' threads
 * @param tasks runs what takes too long for a loop, such as the check of a certificate
 * @param ticker the clock of deadlines
 */
public record TlsResources(BufferPool buffers, Executor tasks, Ticker ticker) {}
