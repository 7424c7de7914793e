package io.broxy.core.dialing;

import static org.assertj.core.api.Assertions.assertThat;

import io.broxy.core.testkit.Http;
import io.broxy.core.testkit.LeakCheck;
import io.broxy.core.testkit.Origin;
import io.broxy.core.testkit.Peer;
import io.broxy.core.testkit.Proxy;
import java.io.IOException;
import java.net.InetAddress;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Specifies that names with underscores, or with hyphens at the edges of labels, are passed to the resolver or the
 * next proxy.
 */
@ExtendWith(LeakCheck.class)
class UnusualNamesTest {
    private final Queue<String> asked = new ConcurrentLinkedQueue<>();

    @ParameterizedTest
    @ValueSource(
            strings = {
                "-a.example",
                "a-.example",
                "a.-example",
                "a.example-",
                "my_host.example",
                "_a-._b-",
                "r3---sn-.x"
            })
    void theResolverIsAskedForThem(String name) throws IOException {
        try (Origin origin = Http.echo();
                Origin hello = Origin.start(peer -> peer.send("hello"));
                Proxy proxy = Proxy.start((broxy, settings) -> settings.dialer(broxy.directDialer()
                        .resolver(host -> {
                            asked.add(host);
                            return List.of(InetAddress.getLoopbackAddress());
                        })
                        .build()));
                Peer client = proxy.client();
                Peer tunnel = proxy.client()) {
            String authority = name + ":" + origin.target().port();
            client.send("GET http://" + authority + "/ HTTP/1.1\r\nHost: " + authority + "\r\n\r\n");
            assertThat(Http.read(client).status()).isEqualTo(200);

            String other = name + ":" + hello.target().port();
            tunnel.send("CONNECT " + other + " HTTP/1.1\r\nHost: " + other + "\r\n\r\n");
            assertThat(tunnel.readHead()).startsWith("HTTP/1.1 200 ");
            assertThat(tunnel.readAll()).isEqualTo("hello");
            assertThat(asked).containsOnly(name);
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"-a.example:443", "a-.example:443", "a_b.example:443"})
    void theNextProxyIsAskedForThem(String target) throws IOException {
        try (Origin upstream = Origin.start(peer -> {
                    asked.add(peer.readHead());
                    peer.send("HTTP/1.1 200 OK\r\n\r\nhello");
                });
                Proxy proxy = Proxy.start((broxy, settings) ->
                        settings.dialer(broxy.httpProxyDialer(upstream.target()).build()));
                Peer client = proxy.client()) {
            client.send("CONNECT " + target + " HTTP/1.1\r\nHost: " + target + "\r\n\r\n");

            assertThat(client.readHead()).startsWith("HTTP/1.1 200 ");
            assertThat(client.readAll()).isEqualTo("hello");
            assertThat(asked).containsExactly("CONNECT " + target + " HTTP/1.1\r\nHost: " + target + "\r\n\r\n");
        }
    }
}
