package io.broxy.core;

import io.broxy.Dialer;
import io.broxy.core.internal.time.Durations;
import java.io.IOException;
import java.time.Duration;
import java.util.Objects;

/** Collects the settings of a local proxy: {@link Broxy#localProxy}. Threading: for one thread. */
public final class LocalProxyBuilder {
    private final Broxy broxy;
    private final Dialer dialer;
    private boolean withCredentials = true;
    private Duration idleTimeout = Duration.ofHours(1);

    LocalProxyBuilder(Broxy broxy, Dialer dialer) {
        this.broxy = broxy;
        this.dialer = Objects.requireNonNull(dialer, "dialer");
    }

    /**
     * Serves clients without credentials, for those that cannot send any. Every process of this host that finds the port
     * can use the dialer then. By default clients must send the proxy's random credentials.
     */
    public LocalProxyBuilder withoutCredentials() {
        withCredentials = false;
        return this;
    }

    /**
     * How long a tunnel may be idle until it is reset; default 1 h, because the connections in a client's pool are idle
     * for long.
     *
     * @throws IllegalArgumentException if it is not positive
     */
    public LocalProxyBuilder idleTimeout(Duration timeout) {
        idleTimeout = Durations.requirePositive(timeout, "an idle timeout");
        return this;
    }

    /**
     * Starts the proxy, which accepts clients when this returns.
     *
     * @throws IOException if the loopback cannot be listened on
     */
    public LocalProxy start() throws IOException {
        return LocalProxy.start(broxy, dialer, withCredentials, idleTimeout);
    }
}
