package io.broxy.core.internal.upstream;

import io.broxy.DialException;
import io.broxy.HostPort;
import io.broxy.core.internal.loop.EventLoop;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** Where the values of {@code Proxy-Authorization} (RFC 9110 section 11.7.2) come from. Threading: thread-safe. */
@FunctionalInterface
public interface ProxyAuthorization {
    /** For proxies that want none. */
    ProxyAuthorization NONE = (loop, target, ready, failed) -> ready.accept(null);

    /**
     * Gets the value for one request; a fixed one is passed on before this method returns. A user's code may take any time: the
     * caller keeps the deadline, and ignores a value that comes too late.
     *
     * @param target the request's
     * @param ready called on the loop; null for no such field
     * @param failed called on the loop in place of {@code ready}, with {@link DialException.Reason#PROXY_AUTH}
     */
    void obtain(EventLoop loop, HostPort target, Consumer<@Nullable String> ready, Consumer<DialException> failed);
}
