package io.broxy.examples.clients;

import io.broxy.core.LocalProxy;
import java.net.http.HttpClient;
import java.time.Duration;

/** The JDK's HTTP client: it takes a proxy and its credentials only, so it goes through a local proxy. */
final class JdkHttpRecipe {
    private JdkHttpRecipe() {}

    /**
     * @param local for {@code https} one without credentials, or in a JVM with {@code
     *     -Djdk.http.auth.tunneling.disabledSchemes=}
     * @param timeout of the connect to the local proxy; that of a request covers all else
     */
    static HttpClient.Builder client(LocalProxy local, Duration timeout) {
        return HttpClient.newBuilder()
                .proxy(local.proxySelector())
                .authenticator(local.authenticator())
                .connectTimeout(timeout);
    }
}
