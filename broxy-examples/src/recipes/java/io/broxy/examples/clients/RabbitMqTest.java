package io.broxy.examples.clients;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.rabbitmq.client.Channel;
import com.rabbitmq.client.Connection;
import io.broxy.HostPort;
import io.broxy.core.testkit.BlackHole;
import java.io.IOException;
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

/** Specifies RabbitMQ's client through a dialer, with a RabbitMQ server. */
class RabbitMqTest {
    private static final Duration TIMEOUT = Duration.ofSeconds(10);

    private static RabbitMqServer server;

    @BeforeAll
    static void start(@TempDir Path folder) throws Exception {
        server = RabbitMqServer.start(folder);
    }

    @AfterAll
    static void stop() throws Exception {
        Servers.stop(server);
    }

    @ParameterizedTest
    @EnumSource
    void getsTheMessageThatItSent(CorporateNetwork.Via via) throws Exception {
        try (CorporateNetwork network = CorporateNetwork.open();
                Connection connection =
                        RabbitMqRecipe.connect(network.sockets(via), CorporateNetwork.HOST, server.port(), TIMEOUT)) {
            assertExchanges(connection);
            assertThat(network.targets()).containsExactly(HostPort.of(CorporateNetwork.HOST, server.port()));
        }
    }

    @ParameterizedTest
    @EnumSource
    void speaksTls(CorporateNetwork.Via via) throws Exception {
        try (CorporateNetwork network = CorporateNetwork.open();
                Connection connection = RabbitMqRecipe.connect(
                        network.tlsSockets(via), CorporateNetwork.HOST, server.tlsPort(), TIMEOUT)) {
            assertExchanges(connection);
            assertThat(network.targets()).containsExactly(HostPort.of(CorporateNetwork.HOST, server.tlsPort()));
        }
    }

    private static void assertExchanges(Connection connection) throws Exception {
        try (Channel channel = connection.createChannel()) {
            String queue = channel.queueDeclare().getQueue();
            channel.confirmSelect();
            channel.basicPublish("", queue, null, "hello".getBytes(US_ASCII));
            channel.waitForConfirmsOrDie(TIMEOUT.toMillis());

            assertThat(channel.basicGet(queue, true).getBody())
                    .asString(US_ASCII)
                    .isEqualTo("hello");
        }
    }

    @Test
    void hasTwoHundredConnections() throws Exception {
        List<Connection> connections = new ArrayList<>();
        try (CorporateNetwork network = CorporateNetwork.open()) {
            try {
                for (int i = 0; i < 200; i++) {
                    connections.add(RabbitMqRecipe.connect(
                            network.sockets(CorporateNetwork.Via.SOCKS5),
                            CorporateNetwork.HOST,
                            server.port(),
                            TIMEOUT));
                }
                assertThat(network.openTunnels()).isEqualTo(200);
                assertExchanges(connections.get(199));
            } finally {
                for (Connection connection : connections) {
                    connection.close();
                }
            }
        }
    }

    @Test
    void givesUpInTime() throws Exception {
        try (BlackHole hole = BlackHole.open();
                CorporateNetwork network = CorporateNetwork.impatient()) {
            assertThatThrownBy(() -> RabbitMqRecipe.connect(
                            network.sockets(CorporateNetwork.Via.HTTP),
                            CorporateNetwork.HOST,
                            hole.target().port(),
                            Duration.ofMillis(200)))
                    .isInstanceOf(IOException.class)
                    .hasMessageContaining("timed out");
        }
    }
}
