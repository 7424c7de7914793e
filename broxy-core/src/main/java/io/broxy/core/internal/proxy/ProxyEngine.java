package io.broxy.core.internal.proxy;

import io.broxy.core.internal.loop.EventLoops;
import io.broxy.core.internal.loop.Workers;
import io.broxy.core.internal.net.OwnAddresses;
import io.broxy.core.internal.time.Ticker;
import io.broxy.core.internal.tls.TlsResources;
import org.jspecify.annotations.Nullable;

/**
 * What handlers take from the engine.
 *
 * @param transportLoops the loops of its sockets that are no NIO channels; null for none
 * @param ownAddresses where the engine listens, which none of its handlers dials
 * <p>Threading: immutable.
 */
public record ProxyEngine(
        EventLoops loops,
        @Nullable EventLoops transportLoops,
        Workers workers,
        Ticker ticker,
        OwnAddresses ownAddresses,
        TlsResources tls) {}
