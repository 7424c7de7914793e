package io.broxy.core.internal.upstream;

import io.broxy.ProxyAuthentication;
import io.broxy.core.internal.loop.EventLoop;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** Where the values of {@code Proxy-Authorization} (RFC 9110 section 11.7.2) come from. Threading: thread-safe. */
@FunctionalInterface
public interface ProxyAuthorization {
    /** For proxies that want none. */
    ProxyAuthorization NONE = fixed(null);

    /**
     * Begins the login of one request to the proxy.
     *
     * @param request says what is sent; asked for where the scheme or its user needs it
     */
    ProxyLogin begin(EventLoop loop, Supplier<ProxyAuthentication.Request> request);

    /** The same value for every request, which no challenge changes; null for no such field. */
    static ProxyAuthorization fixed(@Nullable String value) {
        ProxyLogin login = (ready, failed) -> ready.accept(value);
        return (loop, request) -> login;
    }
}
