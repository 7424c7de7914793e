package io.broxy.examples.clients;

import com.mongodb.MongoClientSettings;
import io.broxy.Credentials;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.concurrent.TimeUnit;

/** MongoDB's synchronous driver: it speaks SOCKS5 to a proxy, and leaves the names of the servers to it. */
final class MongoRecipe {
    private MongoRecipe() {}

    static MongoClientSettings.Builder settings(InetSocketAddress proxy, Credentials login, Duration timeout) {
        return MongoClientSettings.builder()
                .applyToSocketSettings(socket -> socket.connectTimeout(timeout.toMillis(), TimeUnit.MILLISECONDS)
                        .readTimeout(10, TimeUnit.SECONDS)
                        .applyToProxySettings(settings -> settings.host(proxy.getHostString())
                                .port(proxy.getPort())
                                .username(login.user())
                                .password(login.password())));
    }
}
