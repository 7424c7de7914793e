package io.broxy.core;

import io.broxy.ConnPool;
import io.broxy.Dialer;
import io.broxy.RoutingDialer;
import io.broxy.SystemProxies;
import io.broxy.core.internal.dial.SelectorDialer;
import io.broxy.core.internal.time.Durations;
import java.net.ProxySelector;
import java.time.Duration;
import java.util.List;
import java.util.Objects;
import java.util.function.Consumer;
import javax.net.ssl.SSLContext;
import org.jspecify.annotations.Nullable;

/**
 * Collects the settings of a dialer that follows the proxy settings of the host: {@link Broxy#systemDialer}.
 *
 * <p>Threading: for one thread.
 */
public final class SystemDialerBuilder {
    private final Broxy broxy;
    private final Engine engine;
    private final SystemProxies proxies;
    private @Nullable Dialer direct;
    private @Nullable SSLContext tls;
    private @Nullable ConnPool pool;
    private @Nullable Duration timeout;
    private @Nullable Consumer<SystemProxies.Problem> onProblem;

    SystemDialerBuilder(Broxy broxy, Engine engine, SystemProxies proxies) {
        this.broxy = broxy;
        this.engine = engine;
        this.proxies = Objects.requireNonNull(proxies, "proxies");
    }

    /** Connects to the proxies, and to the targets without one; default a {@link io.broxy.DirectDialer} with its defaults. */
    public SystemDialerBuilder direct(Dialer dialer) {
        direct = Objects.requireNonNull(dialer, "dialer");
        return this;
    }

    /** TLS for {@code https} proxies; default the JVM's default context. */
    public SystemDialerBuilder tls(SSLContext context) {
        tls = Objects.requireNonNull(context, "context");
        return this;
    }

    /**
     * Takes connections to HTTP proxies from a pool, as {@link io.broxy.HttpProxyDialer.Builder#pool} does; by default
     * each dial opens its own.
     */
    public SystemDialerBuilder pool(ConnPool pool) {
        this.pool = Objects.requireNonNull(pool, "pool");
        return this;
    }

    /**
     * The timeout of a dial whose request has none; default 10 s. Proxies that are tried one after another share it.
     *
     * @throws IllegalArgumentException if it is not positive
     */
    public SystemDialerBuilder timeout(Duration timeout) {
        this.timeout = Durations.requirePositive(timeout, "a dial's timeout");
        return this;
    }

    /**
     * Gets the settings that cannot be parsed, each once, on the caller's thread before {@link #build} or {@link
     * #routing} returns; and the failures of a {@link ProxySelector}, each time, on the callback executor. By default
     * they are logged at WARN, each once for an engine.
     */
    public SystemDialerBuilder onProblem(Consumer<SystemProxies.Problem> consumer) {
        onProblem = Objects.requireNonNull(consumer, "consumer");
        return this;
    }

    /** Returns a builder that has the rules and hops, for further settings. */
    public RoutingDialer.Builder routing() {
        Dialer direct = this.direct != null ? this.direct : broxy.directDialer().build();
        UriDialers dialers = new UriDialers(broxy, direct, tls, pool, timeout);
        RoutingDialer.Builder builder =
                broxy.routingDialer().rules(proxies.rules()).direct(direct);
        if (timeout != null) {
            builder.timeout(timeout);
        }
        if (onProblem != null) {
            proxies.problems().forEach(onProblem);
        } else {
            engine.settingProblems.log(proxies.problems());
        }
        proxies.hops().forEach((name, uri) -> builder.hop(name, dialers.dialer(uri)));
        ProxySelector selector = proxies.selector();
        if (selector != null) {
            Consumer<SystemProxies.Problem> problems =
                    onProblem != null ? onProblem : problem -> engine.settingProblems.log(List.of(problem));
            SelectorDialer selected = new SelectorDialer(selector, dialers::dialer, direct, problems, engine.dial);
            proxies.rules().hops().forEach(name -> builder.hop(name, selected));
        }
        return builder;
    }

    /**
     * Builds the dialer.
     *
     * @throws IllegalStateException if a proxy needs the JVM's default TLS context, and there is none
     */
    public RoutingDialer build() {
        return routing().build();
    }
}
