package io.broxy.examples.clients;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.broxy.core.testkit.BlackHole;
import io.broxy.core.testkit.Daemon;
import java.net.SocketTimeoutException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import redis.clients.jedis.Connection;
import redis.clients.jedis.JedisPooled;
import redis.clients.jedis.exceptions.JedisConnectionException;

/** Specifies Jedis through a dialer, with a Redis server. */
class JedisTest {
    private static final Duration TIMEOUT = Duration.ofSeconds(10);

    private static Daemon server;
    private static Daemon tlsServer;

    @BeforeAll
    static void start(@TempDir Path folder) throws Exception {
        server = RedisServer.start(folder);
        tlsServer = RedisServer.startTls(folder);
    }

    @AfterAll
    static void stop() throws Exception {
        Servers.stop(server, tlsServer);
    }

    @ParameterizedTest
    @EnumSource
    void readsWhatItWrote(CorporateNetwork.Via via) throws Exception {
        try (CorporateNetwork network = CorporateNetwork.open();
                JedisPooled jedis = JedisRecipe.connect(
                        network.sockets(via),
                        CorporateNetwork.HOST,
                        server.target().port(),
                        TIMEOUT,
                        8)) {
            jedis.set("greeting", "hello");

            assertThat(jedis.get("greeting")).isEqualTo("hello");
            assertThat(network.targets()).containsOnly(network.target(server));
        }
    }

    @ParameterizedTest
    @EnumSource
    void readsOverTls(CorporateNetwork.Via via) throws Exception {
        try (CorporateNetwork network = CorporateNetwork.open();
                JedisPooled jedis = JedisRecipe.connect(
                        network.tlsSockets(via),
                        CorporateNetwork.HOST,
                        tlsServer.target().port(),
                        TIMEOUT,
                        8)) {
            assertThat(jedis.ping()).isEqualTo("PONG");
            assertThat(network.targets()).containsOnly(network.target(tlsServer));
        }
    }

    @ParameterizedTest
    @EnumSource
    void poolsTwoHundredConnections(CorporateNetwork.Via via) throws Exception {
        List<Connection> connections = new ArrayList<>();
        try (CorporateNetwork network = CorporateNetwork.open();
                JedisPooled jedis = JedisRecipe.connect(
                        network.sockets(via),
                        CorporateNetwork.HOST,
                        server.target().port(),
                        TIMEOUT,
                        200)) {
            for (int i = 0; i < 200; i++) {
                connections.add(jedis.getPool().getResource());
            }
            assertThat(network.openTunnels()).isEqualTo(200);
            assertThat(connections).allMatch(Connection::ping);
            connections.forEach(Connection::close);
        }
    }

    @Test
    void givesUpInTime() throws Exception {
        try (BlackHole hole = BlackHole.open();
                CorporateNetwork network = CorporateNetwork.impatient();
                JedisPooled jedis = JedisRecipe.connect(
                        network.sockets(CorporateNetwork.Via.HTTP),
                        CorporateNetwork.HOST,
                        hole.target().port(),
                        Duration.ofMillis(200),
                        8)) {
            assertThatThrownBy(jedis::ping)
                    .isInstanceOf(JedisConnectionException.class)
                    .hasRootCauseInstanceOf(SocketTimeoutException.class);
        }
    }
}
