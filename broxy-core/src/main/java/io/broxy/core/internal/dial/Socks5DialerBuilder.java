package io.broxy.core.internal.dial;

import io.broxy.ConnPool;
import io.broxy.Credentials;
import io.broxy.Dialer;
import io.broxy.HostPort;
import io.broxy.ProxyUri;
import io.broxy.Socks5Dialer;
import java.time.Duration;
import java.util.Objects;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** The settings of a {@link Socks5Dialer}. Threading: for one thread. */
public final class Socks5DialerBuilder implements Socks5Dialer.Builder {
    private final ProxyDialerSettings settings;
    private @Nullable Credentials credentials;

    /**
     * Starts with the defaults.
     *
     * @param defaultDialer asked when no dialer was set
     */
    public Socks5DialerBuilder(HostPort proxy, DialEngine engine, Supplier<Dialer> defaultDialer) {
        settings = new ProxyDialerSettings(proxy, engine, defaultDialer);
    }

    @Override
    public Socks5Dialer.Builder over(Dialer dialer) {
        settings.over(dialer);
        return this;
    }

    @Override
    public Socks5Dialer.Builder credentials(Credentials credentials) {
        Objects.requireNonNull(credentials, "credentials");
        this.credentials = ProxyUri.of(ProxyUri.Scheme.SOCKS5, settings.proxy(), credentials)
                .credentials(); // if they fit
        return this;
    }

    @Override
    public Socks5Dialer.Builder timeout(Duration timeout) {
        settings.timeout(timeout);
        return this;
    }

    @Override
    public Socks5Dialer build() {
        Credentials own = credentials;
        return new Socks5DialerImpl(settings.tunnels(
                ConnPool.Key.of(settings.proxy(), settings.over()),
                (loop, target, ready, failed) -> ready.accept(() -> new Socks5Handshake(target, own)),
                null));
    }
}
