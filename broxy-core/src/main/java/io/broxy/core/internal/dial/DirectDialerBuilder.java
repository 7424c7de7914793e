package io.broxy.core.internal.dial;

import io.broxy.DirectDialer;
import io.broxy.Resolver;
import io.broxy.core.internal.loop.LookUpThreads;
import io.broxy.core.internal.socket.SocketOptions;
import io.broxy.core.internal.time.Durations;
import java.net.InetAddress;
import java.net.SocketOption;
import java.time.Duration;
import java.util.Objects;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/** The settings of a {@link DirectDialer}. Threading: for one thread. */
public final class DirectDialerBuilder implements DirectDialer.Builder {
    /** RFC 8305 section 5: "Recommended value is 250 milliseconds". */
    private static final Duration DEFAULT_ATTEMPT_DELAY = Duration.ofMillis(250);

    /** RFC 8305 section 5: the minimum and the maximum of the Connection Attempt Delay. */
    private static final Duration MIN_ATTEMPT_DELAY = Duration.ofMillis(10);

    private static final Duration MAX_ATTEMPT_DELAY = Duration.ofSeconds(2);

    private final DialEngine engine;
    private Resolver resolver = Resolver.system();
    private long foundNanos = TimeUnit.SECONDS.toNanos(30);
    private long failedNanos = TimeUnit.SECONDS.toNanos(5);
    private long timeoutNanos = TimeUnit.SECONDS.toNanos(10);
    private Duration attemptDelay = DEFAULT_ATTEMPT_DELAY;
    private @Nullable InetAddress localAddress;
    private SocketOptions options = SocketOptions.DEFAULT;

    /** Starts with the defaults. */
    public DirectDialerBuilder(DialEngine engine) {
        this.engine = engine;
    }

    @Override
    public DirectDialer.Builder resolver(Resolver resolver) {
        this.resolver = Objects.requireNonNull(resolver, "resolver");
        return this;
    }

    @Override
    public DirectDialer.Builder resolverCache(Duration found, Duration failed) {
        long newFoundNanos = Durations.nanos(found, "the time for found addresses");
        failedNanos = Durations.nanos(failed, "the time for failures");
        foundNanos = newFoundNanos;
        return this;
    }

    @Override
    public DirectDialer.Builder timeout(Duration timeout) {
        timeoutNanos = Durations.positiveNanos(timeout, "a dial's timeout");
        return this;
    }

    @Override
    public DirectDialer.Builder attemptDelay(Duration delay) {
        if (delay.compareTo(MIN_ATTEMPT_DELAY) < 0 || delay.compareTo(MAX_ATTEMPT_DELAY) > 0) {
            throw new IllegalArgumentException(
                    "the delay between attempts must be from 10 ms to 2 s (RFC 8305 section 5), not " + delay);
        }
        attemptDelay = delay;
        return this;
    }

    @Override
    public DirectDialer.Builder localAddress(InetAddress address) {
        localAddress = Objects.requireNonNull(address, "address");
        return this;
    }

    @Override
    public <T> DirectDialer.Builder option(SocketOption<T> option, T value) {
        options = options.with(option, value);
        return this;
    }

    @Override
    public DirectDialer build() {
        LookUpThreads threads = resolver == Resolver.system()
                ? engine.workers().lookUps()
                : engine.workers().userLookUps();
        return new DirectDialerImpl(
                engine,
                new CachingResolver(resolver, threads, engine.ticker(), foundNanos, failedNanos),
                new NewSockets(options, localAddress),
                timeoutNanos,
                attemptDelay.toNanos());
    }
}
