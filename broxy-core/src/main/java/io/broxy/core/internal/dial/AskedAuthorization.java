package io.broxy.core.internal.dial;

import io.broxy.DialException;
import io.broxy.HostPort;
import io.broxy.HttpProxyDialer;
import io.broxy.core.internal.http.HeadWriter;
import io.broxy.core.internal.loop.EventLoop;
import io.broxy.core.internal.upstream.ProxyAuthorization;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Values of {@code Proxy-Authorization} that a user's code gives, which may block and may throw: it runs on an executor.
 *
 * <p>Threading: thread-safe.
 */
final class AskedAuthorization implements ProxyAuthorization {
    private final HttpProxyDialer.Authorization user;
    private final HostPort proxy;
    private final Executor executor;

    AskedAuthorization(HttpProxyDialer.Authorization user, HostPort proxy, Executor executor) {
        this.user = user;
        this.proxy = proxy;
        this.executor = executor;
    }

    @Override
    public void obtain(
            EventLoop loop, HostPort target, Consumer<@Nullable String> ready, Consumer<DialException> failed) {
        try {
            executor.execute(() -> {
                Runnable end = ask(target, ready, failed);
                tell(loop, end);
            });
        } catch (RejectedExecutionException e) {
            failed.accept(failure(target, e));
        }
    }

    private Runnable ask(HostPort target, Consumer<@Nullable String> ready, Consumer<DialException> failed) {
        try {
            String value = user.authorize(target);
            if (value != null) { // what is no field value is refused before there is a connection
                HeadWriter.request("CONNECT", "checked.invalid:443").field("Proxy-Authorization", value);
            }
            return () -> ready.accept(value);
        } catch (Throwable e) {
            return () -> failed.accept(failure(target, e));
        }
    }

    private static void tell(EventLoop loop, Runnable end) {
        try {
            loop.execute(end);
        } catch (RejectedExecutionException e) {
            // The loop has stopped, and has ended by that whatever waits for this.
        }
    }

    private DialException failure(HostPort target, Throwable cause) {
        return DialException.builder(DialException.Reason.PROXY_AUTH, target)
                .proxy(proxy)
                .cause(cause)
                .build();
    }
}
