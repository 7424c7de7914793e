package io.broxy.core.internal.dial;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.broxy.ConnPool;
import io.broxy.Dialer;
import io.broxy.HostPort;
import io.broxy.Socks4Dialer;
import java.util.function.Supplier;

/** The settings of a {@link Socks4Dialer}. Threading: for one thread. */
public final class Socks4DialerBuilder extends ProxyDialerBuilder<Socks4Dialer.Builder>
        implements Socks4Dialer.Builder {
    private static final int MAX_USER_ID_BYTES = 255;

    private String userId = "";

    /**
     * Starts with the defaults.
     *
     * @param defaultDialer asked when no dialer was set
     */
    public Socks4DialerBuilder(HostPort proxy, DialEngine engine, Supplier<Dialer> defaultDialer) {
        super(proxy, engine, defaultDialer);
    }

    @Override
    Socks4Dialer.Builder self() {
        return this;
    }

    @Override
    public Socks4Dialer.Builder userId(String userId) {
        if (userId.chars().anyMatch(Character::isISOControl)
                || !UTF_8.newEncoder().canEncode(userId)
                || userId.getBytes(UTF_8).length > MAX_USER_ID_BYTES) {
            throw new IllegalArgumentException(
                    "a user id of SOCKS 4 has at most 255 bytes of UTF-8, and no control characters");
        }
        this.userId = userId;
        return this;
    }

    @Override
    public Socks4Dialer build() {
        return new Socks4DialerImpl(ConnPool.Key.of(proxy, over()), userId, timeoutNanos, engine);
    }
}
