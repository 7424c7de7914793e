package io.broxy.core.internal.proxy;

import io.broxy.AccessPolicy;
import io.broxy.AddressPolicy;
import io.broxy.Authenticator;
import io.broxy.Cidr;
import io.broxy.ConnPool;
import io.broxy.Dialer;
import io.broxy.ForwardedMode;
import io.broxy.LocalRequestHandler;
import io.broxy.ProxyHandler;
import io.broxy.ProxyListener;
import io.broxy.RequestFilter;
import io.broxy.ResponseFilter;
import io.broxy.core.internal.forward.Forwarding;
import io.broxy.core.internal.http.ClientNaming;
import io.broxy.core.internal.http.HeadWriter;
import io.broxy.core.internal.pool.EnginePool;
import java.util.HexFormat;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.ThreadLocalRandom;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** The settings of a {@link ProxyHandler}. Threading: for one thread. */
public final class ProxyHandlerBuilder extends HandlerLimits {
    private final ProxyEngine engine;
    private final Supplier<Dialer> defaultDialer;
    private final Supplier<EnginePool> defaultPool;
    private final Set<? super DefaultProxyHandler> open;
    private @Nullable Dialer dialer;
    private AddressPolicy addressPolicy = AddressPolicy.publicOnly();
    private AccessPolicy accessPolicy = AccessPolicy.any();
    private @Nullable Authenticator authenticator;
    private boolean passProxyAuthentication;
    private @Nullable RequestFilter requestFilter;
    private boolean requestFilterBlocks;
    private @Nullable ResponseFilter responseFilter;
    private ForwardedMode forwarded = ForwardedMode.PASS;
    private ForwardedMode xForwardedFor = ForwardedMode.PASS;
    private @Nullable EnginePool pool;
    /** No secret: it distinguishes this proxy from others, and a client that guesses it only gets its own requests refused. */
    private @Nullable String pseudonym =
            "broxy-" + HexFormat.of().toHexDigits(ThreadLocalRandom.current().nextInt());

    private @Nullable LocalRequestHandler localRequests;
    private @Nullable ProxyListener listener;
    private boolean socks;
    private boolean reportOnly;
    private @Nullable AddressPolicy trustedSenders;

    /**
     * Starts with the defaults.
     *
     * @param defaultDialer makes the dialer unless one is set
     * @param defaultPool makes the pool unless one is set; the handler closes it
     * @param open has each handler until it is closed; thread-safe
     */
    public ProxyHandlerBuilder(
            ProxyEngine engine,
            Supplier<Dialer> defaultDialer,
            Supplier<EnginePool> defaultPool,
            Set<? super DefaultProxyHandler> open) {
        this.engine = engine;
        this.defaultDialer = defaultDialer;
        this.defaultPool = defaultPool;
        this.open = open;
    }

    @Override
    public ProxyHandler.Builder dialer(Dialer dialer) {
        this.dialer = Objects.requireNonNull(dialer, "dialer");
        return this;
    }

    @Override
    public ProxyHandler.Builder addressPolicy(AddressPolicy policy) {
        this.addressPolicy = Objects.requireNonNull(policy, "policy");
        return this;
    }

    @Override
    public ProxyHandler.Builder accessPolicy(AccessPolicy policy) {
        this.accessPolicy = Objects.requireNonNull(policy, "policy");
        return this;
    }

    @Override
    public ProxyHandler.Builder authenticator(Authenticator authenticator) {
        this.authenticator = Objects.requireNonNull(authenticator, "authenticator");
        return this;
    }

    @Override
    public ProxyHandler.Builder passProxyAuthentication(boolean pass) {
        passProxyAuthentication = pass;
        return this;
    }

    @Override
    public ProxyHandler.Builder requestFilter(RequestFilter filter) {
        requestFilter = Objects.requireNonNull(filter, "filter");
        requestFilterBlocks = false;
        return this;
    }

    @Override
    public ProxyHandler.Builder blockingRequestFilter(RequestFilter filter) {
        requestFilter = Objects.requireNonNull(filter, "filter");
        requestFilterBlocks = true;
        return this;
    }

    @Override
    public ProxyHandler.Builder responseFilter(ResponseFilter filter) {
        responseFilter = Objects.requireNonNull(filter, "filter");
        return this;
    }

    @Override
    public ProxyHandler.Builder forwarded(ForwardedMode mode) {
        forwarded = Objects.requireNonNull(mode, "mode");
        return this;
    }

    @Override
    public ProxyHandler.Builder xForwardedFor(ForwardedMode mode) {
        xForwardedFor = Objects.requireNonNull(mode, "mode");
        return this;
    }

    @Override
    public ProxyHandler.Builder connPool(ConnPool pool) {
        if (!(Objects.requireNonNull(pool, "pool") instanceof EnginePool own)) {
            throw new IllegalArgumentException("the pool was not made by Broxy");
        }
        this.pool = own;
        return this;
    }

    @Override
    public ProxyHandler.Builder viaPseudonym(@Nullable String pseudonym) {
        if (pseudonym != null) {
            HeadWriter.request("GET", "/").field(pseudonym, ""); // refuses what is no token
        }
        this.pseudonym = pseudonym;
        return this;
    }

    @Override
    public ProxyHandler.Builder localRequests(LocalRequestHandler handler) {
        this.localRequests = Objects.requireNonNull(handler, "handler");
        return this;
    }

    @Override
    public ProxyHandler.Builder listener(ProxyListener listener) {
        this.listener = Objects.requireNonNull(listener, "listener");
        return this;
    }

    @Override
    public ProxyHandler.Builder socks(boolean socks) {
        this.socks = socks;
        return this;
    }

    @Override
    public ProxyHandler.Builder reportOnly(boolean reportOnly) {
        this.reportOnly = reportOnly;
        return this;
    }

    @Override
    public ProxyHandler.Builder proxyProtocol(Cidr... trustedSenders) {
        this.trustedSenders = trustedSenders.length == 0 ? null : AddressPolicy.allowing(trustedSenders);
        return this;
    }

    @Override
    public ProxyHandler build() {
        if (passProxyAuthentication && authenticator != null) {
            throw new IllegalStateException(
                    "a client's Proxy-Authorization is either for this handler's authenticator or"
                            + " passed on with passProxyAuthentication, not both");
        }
        Dialer dials = dialer != null ? dialer : defaultDialer.get();
        EnginePool ownPool = pool == null ? defaultPool.get() : null;
        TargetDialer targets = new TargetDialer(
                dials,
                reportOnly ? new ReportingPolicy(addressPolicy, engine.ticker()) : addressPolicy,
                dialTimeout(),
                engine);
        Forwarding forwarding = new Forwarding(
                pool == null ? Objects.requireNonNull(ownPool) : pool,
                responseTimeoutNanos(),
                timeouts().bodyNanos(),
                responseHead(),
                pseudonym,
                passProxyAuthentication);
        HandlerSettings settings = new HandlerSettings(
                new HandlerSettings.Access(accessPolicy, authenticator, trustedSenders, socks),
                new HandlerSettings.Filters(
                        requestFilter,
                        requestFilterBlocks,
                        filterTimeoutNanos(),
                        responseFilter,
                        new ClientNaming(forwarded, xForwardedFor)),
                timeouts(),
                limits(),
                forwarding,
                localRequests,
                listener);
        DefaultProxyHandler handler = new DefaultProxyHandler(settings, targets, engine, closed -> {
            open.remove(closed);
            if (ownPool != null) {
                ownPool.close();
            }
        });
        open.add(handler);
        return handler;
    }
}
