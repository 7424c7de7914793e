package io.broxy.core.internal.proxy;

import io.broxy.core.internal.observe.Observers;
import java.util.concurrent.Executor;

/**
 * The parts of a handler that serve its clients; every {@link ClientConnection} has it.
 *
 * @param completions completes the futures of clients and tunnels
 *
 * <p>Threading: immutable; its parts are thread-safe.
 */
record HandlerContext(
        HandlerSettings settings,
        ProxyEngine engine,
        TargetDialer dialer,
        AccessControl access,
        ConnectionLimits limits,
        Metrics metrics,
        Observers observers,
        Executor completions) {}
