package io.broxy.core.internal.dial;

import io.broxy.ConnPool;
import io.broxy.ConnectRequest;
import io.broxy.Credentials;
import io.broxy.Dialer;
import io.broxy.HostPort;
import io.broxy.HttpProxyDialer;
import io.broxy.ProxyAuthentication;
import io.broxy.core.internal.http.HeadWriter;
import io.broxy.core.internal.pool.EnginePool;
import io.broxy.core.internal.tls.Tls;
import io.broxy.core.internal.upstream.HttpHop;
import io.broxy.core.internal.upstream.ProxyAuthorization;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.Executor;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Supplier;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLParameters;
import org.jspecify.annotations.Nullable;

/** The settings of an {@link HttpProxyDialer}. Threading: for one thread. */
public final class HttpProxyDialerBuilder extends ProxyDialerBuilder<HttpProxyDialer.Builder>
        implements HttpProxyDialer.Builder {
    /** Written by the dialer itself, or without a meaning in CONNECT that all agree on. */
    private static final Set<String> OWN_FIELDS =
            Set.of("host", "proxy-authorization", "content-length", "transfer-encoding");

    private static final AtomicLong AUTHORIZATIONS = new AtomicLong();

    private final List<ConnectRequest.Field> fields = new ArrayList<>();
    private @Nullable Credentials credentials;
    private HttpProxyDialer.@Nullable Authorization authorization;
    private @Nullable ProxyAuthentication authentication;
    private @Nullable Tls tls;
    private @Nullable EnginePool pool;

    /**
     * Starts with the defaults.
     *
     * @param defaultDialer asked when no dialer was set
     */
    public HttpProxyDialerBuilder(HostPort proxy, DialEngine engine, Supplier<Dialer> defaultDialer) {
        super(proxy, engine, defaultDialer);
    }

    @Override
    HttpProxyDialer.Builder self() {
        return this;
    }

    @Override
    public HttpProxyDialer.Builder credentials(Credentials credentials) {
        this.credentials = Objects.requireNonNull(credentials, "credentials");
        authorization = null;
        authentication = null;
        return this;
    }

    @Override
    public HttpProxyDialer.Builder authorization(HttpProxyDialer.Authorization authorization) {
        this.authorization = Objects.requireNonNull(authorization, "authorization");
        credentials = null;
        authentication = null;
        return this;
    }

    @Override
    public HttpProxyDialer.Builder authentication(ProxyAuthentication authentication) {
        this.authentication = Objects.requireNonNull(authentication, "authentication");
        credentials = null;
        authorization = null;
        return this;
    }

    @Override
    public HttpProxyDialer.Builder field(String name, String value) {
        if (OWN_FIELDS.contains(name.toLowerCase(Locale.ROOT))) {
            throw new IllegalArgumentException("the field " + name + " is written by the dialer itself");
        }
        HeadWriter.request("CONNECT", "checked.invalid:443").field(name, value);
        fields.add(new ConnectRequest.Field(name, value));
        return this;
    }

    @Override
    public HttpProxyDialer.Builder tls(SSLContext context) {
        tls = engine.tls(Objects.requireNonNull(context, "context"));
        return this;
    }

    @Override
    public HttpProxyDialer.Builder tls(SSLContext context, SSLParameters parameters) {
        Objects.requireNonNull(context, "context");
        for (String protocol : parameters.getApplicationProtocols()) {
            if (protocol.equals("h2")) {
                throw new IllegalArgumentException("the dialer speaks HTTP/1.1, and cannot offer h2");
            }
        }
        tls = engine.tls(context, parameters);
        return this;
    }

    @Override
    public HttpProxyDialer.Builder pool(ConnPool pool) {
        if (!(Objects.requireNonNull(pool, "pool") instanceof EnginePool own)) {
            throw new IllegalArgumentException("the pool was not made by Broxy");
        }
        this.pool = own;
        return this;
    }

    @Override
    public HttpProxyDialer build() {
        Dialer toProxy = tls == null ? over() : new TlsDialer(over(), tls, engine);
        ConnPool.Key key = new ConnPool.Key(proxy, toProxy, identity());
        HttpHop hop = new HttpHop(key, true, proxyAuthorization(), List.copyOf(fields), pool, timeoutNanos);
        return new HttpProxyDialerImpl(hop, pool, engine);
    }

    /** Some schemes authenticate a connection, not a request: connections with an authorization of the user's are not shared. */
    private String identity() {
        if (authorization != null || authentication != null) {
            return "authorization " + AUTHORIZATIONS.incrementAndGet();
        }
        return credentials == null ? "" : credentials.user();
    }

    private ProxyAuthorization proxyAuthorization() {
        Executor executor = engine.workers().callbacks();
        if (authentication != null) {
            return UserAuthorization.of(authentication, proxy, executor);
        }
        if (authorization != null) {
            return UserAuthorization.ofOneValue(authorization, proxy, executor);
        }
        return credentials == null ? ProxyAuthorization.NONE : ProxyAuthorization.fixed(credentials.authorization());
    }
}
