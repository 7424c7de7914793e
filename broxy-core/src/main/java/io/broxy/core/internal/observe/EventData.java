package io.broxy.core.internal.observe;

import io.broxy.CloseReason;
import io.broxy.ExchangeResult;
import io.broxy.HostPort;
import io.broxy.ProxyListener;
import java.net.InetSocketAddress;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/** What those who watch are told. Threading: immutable. */
final class Facts {
    private Facts() {}

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
