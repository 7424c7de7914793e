package io.broxy.core.internal.dial;

import io.broxy.ConnPool;
import io.broxy.Credentials;
import io.broxy.Dialer;
import io.broxy.HostPort;
import io.broxy.ProxyUri;
import io.broxy.Socks5Dialer;
import java.util.Objects;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** The settings of a {@link Socks5Dialer}. Threading: for one thread. */
public final class Socks5DialerBuilder extends ProxyDialerBuilder<Socks5Dialer.Builder>
        implements Socks5Dialer.Builder {
    private @Nullable Credentials credentials;

    /**
     * Starts with the defaults.
     *
     * @param defaultDialer asked when no dialer was set
     */
    public Socks5DialerBuilder(HostPort proxy, DialEngine engine, Supplier<Dialer> defaultDialer) {
        super(proxy, engine, defaultDialer);
    }

    @Override
    Socks5Dialer.Builder self() {
        return this;
    }

    @Override
    public Socks5Dialer.Builder credentials(Credentials credentials) {
        Objects.requireNonNull(credentials, "credentials");
        this.credentials =
                ProxyUri.of(ProxyUri.Scheme.SOCKS5, proxy, credentials).credentials(); // if they fit
        return this;
    }

    @Override
    public Socks5Dialer build() {
        return new Socks5DialerImpl(ConnPool.Key.of(proxy, over()), credentials, timeoutNanos, engine);
    }
}
