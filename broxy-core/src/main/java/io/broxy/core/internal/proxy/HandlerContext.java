package io.broxy.core.internal.proxy;

import io.broxy.core.internal.observe.Observers;

/**
 * The parts of a handler that serve its clients; every {@link ClientConnection} has it.
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
        Observers observers) {}
