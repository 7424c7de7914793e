package io.broxy.examples.clients;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import com.zaxxer.hikari.HikariConfig;
import com.zaxxer.hikari.HikariDataSource;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Properties;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;

/** What every driver of a database must be capable of through a dialer. Threading: stateless. */
final class Jdbc {
    private static final Duration PATIENCE = Duration.ofSeconds(20);

    private Jdbc() {}

    /** Opens a pool without waiting for a first connection. */
    static HikariDataSource pool(HikariConfig config, int connections) {
        config.setMaximumPoolSize(connections);
        config.setMinimumIdle(1);
        config.setInitializationFailTimeout(-1);
        return new HikariDataSource(config);
    }

    /** Opens one connection without a pool. */
    static Connection connect(HikariConfig config) throws SQLException {
        Properties properties = new Properties();
        properties.putAll(config.getDataSourceProperties());
        properties.setProperty("user", config.getUsername());
        return DriverManager.getConnection(config.getJdbcUrl(), properties);
    }

    /** The one value that a query finds. */
    static String query(HikariDataSource pool, String sql) throws SQLException {
        try (Connection connection = pool.getConnection()) {
            return query(connection, sql);
        }
    }

    private static String query(Connection connection, String sql) throws SQLException {
        try (Statement statement = connection.createStatement();
                ResultSet found = statement.executeQuery(sql)) {
            assertThat(found.next()).isTrue();
            return found.getString(1);
        }
    }

    /** All connections of a pool are there at once, and work. */
    static void assertHolds(HikariDataSource pool, int connections) throws SQLException {
        List<Connection> held = new ArrayList<>();
        try {
            for (int i = 0; i < connections; i++) {
                held.add(pool.getConnection());
            }
            for (Connection each : held) {
                assertThat(query(each, "SELECT 1")).isEqualTo("1");
            }
        } finally {
            for (Connection each : held) {
                each.close();
            }
        }
    }

    /**
     * A long query ends early when it is canceled, for which a driver opens a connection of its own.
     *
     * @param sql takes longer than {@link #PATIENCE}
     * @param running finds the number of such queries that the server works at
     */
    static void assertCancels(HikariDataSource pool, String sql, String running) throws Exception {
        try (Connection connection = pool.getConnection();
                Statement statement = connection.createStatement()) {
            CompletableFuture<Void> query = CompletableFuture.runAsync(() -> {
                try {
                    statement.execute(sql);
                } catch (SQLException e) {
                    throw new IllegalStateException(e);
                }
            });
            await().atMost(PATIENCE).until(() -> query(pool, running).equals("1"));

            statement.cancel();

            assertThatThrownBy(() -> query.get(PATIENCE.toMillis(), TimeUnit.MILLISECONDS))
                    .hasRootCauseInstanceOf(SQLException.class);
        }
    }
}
