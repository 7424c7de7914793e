package io.broxy.examples.clients;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.zaxxer.hikari.HikariConfig;
import com.zaxxer.hikari.HikariDataSource;
import io.broxy.core.SocketRegistration;
import io.broxy.core.testkit.BlackHole;
import io.broxy.core.testkit.Daemon;
import java.net.SocketTimeoutException;
import java.nio.file.Path;
import java.sql.SQLException;
import java.time.Duration;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Specifies pgjdbc with HikariCP through a dialer, with a PostgreSQL server. */
class PostgresTest {
    private static final Duration TIMEOUT = Duration.ofSeconds(15);

    private static Path folder;

    private static Daemon server;

    @BeforeAll
    static void start(@TempDir Path temporary) throws Exception {
        folder = temporary;
        server = PostgresServer.start(folder);
    }

    @AfterAll
    static void stop() throws Exception {
        Servers.stop(server);
    }

    private static HikariConfig config(int port, Duration timeout) {
        HikariConfig config = PostgresRecipe.config(
                "corp", "jdbc:postgresql://" + CorporateNetwork.HOST + ":" + port + "/postgres", timeout);
        config.setUsername("app");
        return config;
    }

    @ParameterizedTest
    @EnumSource
    void queries(CorporateNetwork.Via via) throws Exception {
        try (CorporateNetwork network = CorporateNetwork.open();
                SocketRegistration registration = network.register(via);
                HikariDataSource pool = Jdbc.pool(config(server.target().port(), TIMEOUT), 2)) {
            assertThat(Jdbc.query(pool, "SELECT 'hello'")).isEqualTo("hello");
            assertThat(network.targets()).isNotEmpty().containsOnly(network.target(server));
        }
    }

    @ParameterizedTest
    @EnumSource
    void queriesOverTls(CorporateNetwork.Via via) throws Exception {
        HikariConfig config = config(server.target().port(), TIMEOUT);
        config.addDataSourceProperty("sslmode", "verify-full");
        config.addDataSourceProperty(
                "sslrootcert", folder.resolve("certificate.pem").toString());
        try (CorporateNetwork network = CorporateNetwork.open();
                SocketRegistration registration = network.register(via);
                HikariDataSource pool = Jdbc.pool(config, 2)) {
            assertThat(Jdbc.query(pool, "SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()"))
                    .isEqualTo("t");
        }
    }

    @ParameterizedTest
    @EnumSource
    void cancelsAQuery(CorporateNetwork.Via via) throws Exception {
        try (CorporateNetwork network = CorporateNetwork.open();
                SocketRegistration registration = network.register(via);
                HikariDataSource pool = Jdbc.pool(config(server.target().port(), TIMEOUT), 2)) {
            Jdbc.assertCancels(
                    pool,
                    "SELECT pg_sleep(600)",
                    "SELECT count(*) FROM pg_stat_activity WHERE state = 'active' AND query LIKE '%pg_sleep(6%'"
                            + " AND pid <> pg_backend_pid()");
            assertThat(network.targets()).hasSizeGreaterThanOrEqualTo(3).containsOnly(network.target(server));
        }
    }

    @Test
    void poolsTwoHundredConnections() throws Exception {
        try (CorporateNetwork network = CorporateNetwork.open();
                SocketRegistration registration = network.register(CorporateNetwork.Via.HTTP);
                HikariDataSource pool = Jdbc.pool(config(server.target().port(), TIMEOUT), 200)) {
            Jdbc.assertHolds(pool, 200);
        }
    }

    @Test
    void givesUpInTime() throws Exception {
        try (BlackHole hole = BlackHole.open();
                CorporateNetwork network = CorporateNetwork.impatient();
                SocketRegistration registration = network.register(CorporateNetwork.Via.HTTP)) {
            HikariConfig config = config(hole.target().port(), Duration.ofSeconds(1));

            assertThatThrownBy(() -> Jdbc.connect(config))
                    .isInstanceOf(SQLException.class)
                    .hasRootCauseInstanceOf(SocketTimeoutException.class);
        }
    }
}
