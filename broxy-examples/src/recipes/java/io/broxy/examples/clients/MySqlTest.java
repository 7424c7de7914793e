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

/** Specifies MySQL Connector/J with HikariCP through a dialer, with a MariaDB server. */
class MySqlTest {
    private static final Duration TIMEOUT = Duration.ofSeconds(15);

    private static Path folder;

    private static Daemon server;

    @BeforeAll
    static void start(@TempDir Path temporary) throws Exception {
        folder = temporary;
        server = MariaDbServer.start(folder);
    }

    @AfterAll
    static void stop() throws Exception {
        Servers.stop(server);
    }

    private static HikariConfig config(int port, Duration timeout) {
        HikariConfig config =
                MySqlRecipe.config("jdbc:mysql://" + CorporateNetwork.HOST + ":" + port + "/orders", timeout);
        config.setUsername("app");
        config.setPassword(MariaDbServer.PASSWORD);
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
        Path trusted = folder.resolve("trusted.p12");
        CorporateNetwork.certificates().writeTrustStore(trusted, "only-for-tests");
        config.addDataSourceProperty("sslMode", "VERIFY_IDENTITY");
        config.addDataSourceProperty(
                "trustCertificateKeyStoreUrl", trusted.toUri().toString());
        config.addDataSourceProperty("trustCertificateKeyStoreType", "PKCS12");
        config.addDataSourceProperty("trustCertificateKeyStorePassword", "only-for-tests");
        try (CorporateNetwork network = CorporateNetwork.open();
                SocketRegistration registration = network.register(via);
                HikariDataSource pool = Jdbc.pool(config, 2)) {
            assertThat(Jdbc.query(
                            pool,
                            "SELECT VARIABLE_VALUE FROM information_schema.SESSION_STATUS"
                                    + " WHERE VARIABLE_NAME = 'SSL_VERSION'"))
                    .startsWith("TLSv1.");
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
                    "SELECT SLEEP(600)",
                    "SELECT count(*) FROM information_schema.PROCESSLIST WHERE STATE = 'User sleep'");
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
