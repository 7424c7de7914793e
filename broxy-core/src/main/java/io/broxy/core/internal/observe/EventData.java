package io.broxy.core.internal.observe;

import io.broxy.CloseReason;
import io.broxy.ExchangeResult;
import io.broxy.HostPort;
import io.broxy.ProxyListener;
import java.net.InetSocketAddress;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/** The data of events, as listeners get them. Threading: immutable. */
final class EventData {
    private EventData() {}

    record Client(@Override long number, @Override @Nullable InetSocketAddress address)
            implements ProxyListener.Client {}

    record Request(
            @Override ProxyListener.Client client,
            @Override @Nullable String method,
            @Override @Nullable HostPort target,
            @Override @Nullable String identity)
            implements ProxyListener.Request {}

    record Exchange(
            @Override int status,
            @Override long bytesToOrigin,
            @Override long bytesToClient,
            @Override Duration duration,
            @Override CloseReason reason,
            @Override @Nullable Throwable cause)
            implements ExchangeResult {}
}
