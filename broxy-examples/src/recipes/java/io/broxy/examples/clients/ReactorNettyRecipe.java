package io.broxy.examples.clients;

import io.broxy.Credentials;
import io.netty.channel.ChannelOption;
import java.net.InetSocketAddress;
import java.time.Duration;
import reactor.netty.http.client.HttpClient;
import reactor.netty.resources.ConnectionProvider;
import reactor.netty.transport.ProxyProvider;

/** Reactor Netty, and Spring's WebClient on it: a proxy of Netty, to which names go unresolved. */
final class ReactorNettyRecipe {
    private ReactorNettyRecipe() {}

    static HttpClient client(
            ConnectionProvider connections, InetSocketAddress proxy, Credentials login, Duration timeout) {
        return HttpClient.create(connections)
                .proxy(settings -> settings.type(ProxyProvider.Proxy.HTTP)
                        .socketAddress(proxy)
                        .username(login.user())
                        .password(name -> login.password())
                        .connectTimeoutMillis(timeout.toMillis()))
                .option(ChannelOption.CONNECT_TIMEOUT_MILLIS, (int) timeout.toMillis())
                .responseTimeout(Duration.ofSeconds(10));
    }
}
