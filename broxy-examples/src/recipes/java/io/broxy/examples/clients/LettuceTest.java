package io.broxy.examples.clients;

import static org.assertj.core.api.Assertions.assertThat;

import io.broxy.core.LocalProxy;
import io.broxy.core.testkit.Daemon;
import io.lettuce.core.ClientOptions;
import io.lettuce.core.RedisClient;
import io.lettuce.core.RedisURI;
import io.lettuce.core.SslOptions;
import io.lettuce.core.api.StatefulRedisConnection;
import io.lettuce.core.resource.ClientResources;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Specifies Lettuce through a local proxy and a dialer, with a Redis server. */
class LettuceTest {
    private static final Duration TIMEOUT = Duration.ofSeconds(20);

    private static Path folder;

    private static Daemon server;
    private static Daemon tlsServer;

    @BeforeAll
    static void start(@TempDir Path temporary) throws Exception {
        folder = temporary;
        server = RedisServer.start(folder);
        tlsServer = RedisServer.startTls(folder);
    }

    @AfterAll
    static void stop() throws Exception {
        Servers.stop(server, tlsServer);
    }

    @ParameterizedTest
    @EnumSource
    void readsWhatItWroteOverTwoHundredConnections(CorporateNetwork.Via via) throws Exception {
        RedisURI uri = RedisURI.builder()
                .withHost(CorporateNetwork.HOST)
                .withPort(server.target().port())
                .withTimeout(TIMEOUT)
                .build();
        assertReads(via, uri, 200);
    }

    @ParameterizedTest
    @EnumSource
    void speaksTls(CorporateNetwork.Via via) throws Exception {
        RedisURI uri = RedisURI.builder()
                .withHost(CorporateNetwork.HOST)
                .withPort(tlsServer.target().port())
                .withSsl(true)
                .withTimeout(TIMEOUT)
                .build();
        assertReads(via, uri, 1);
    }

    private static void assertReads(CorporateNetwork.Via via, RedisURI uri, int count) throws Exception {
        try (CorporateNetwork network = CorporateNetwork.open();
                LocalProxy proxy = network.localProxy(via)) {
            ClientResources resources = LettuceRecipe.resources(
                    proxy.address(), Objects.requireNonNull(proxy.proxyUri().credentials()));
            try (RedisClient client = RedisClient.create(resources, uri)) {
                client.setOptions(ClientOptions.builder()
                        .sslOptions(SslOptions.builder()
                                .trustManager(folder.resolve("certificate.pem").toFile())
                                .build())
                        .build());
                List<StatefulRedisConnection<String, String>> connections = new ArrayList<>();
                for (int i = 0; i < count; i++) {
                    connections.add(client.connect());
                }
                connections.get(0).sync().set("greeting", "hello");

                assertThat(connections)
                        .allSatisfy(
                                each -> assertThat(each.sync().get("greeting")).isEqualTo("hello"));
                assertThat(network.targets())
                        .hasSize(count)
                        .allMatch(target -> target.host().equals(CorporateNetwork.HOST));
            } finally {
                resources.shutdown().get();
            }
        }
    }
}
