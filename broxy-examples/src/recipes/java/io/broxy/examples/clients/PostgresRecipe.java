package io.broxy.examples.clients;

import com.zaxxer.hikari.HikariConfig;
import io.broxy.core.NamedSockets;
import java.time.Duration;

/** pgjdbc with HikariCP: the driver takes the name of a socket factory's class, and its argument. */
final class PostgresRecipe {
    private PostgresRecipe() {}

    /**
     * @param sockets the name by which the sockets are registered
     * @param url such as {@code jdbc:postgresql://db.corp:5432/orders}
     */
    static HikariConfig config(String sockets, String url, Duration timeout) {
        HikariConfig config = new HikariConfig();
        config.setJdbcUrl(url);
        config.addDataSourceProperty("socketFactory", NamedSockets.class.getName());
        config.addDataSourceProperty("socketFactoryArg", sockets);
        config.addDataSourceProperty(
                "connectTimeout", String.valueOf(timeout.toSeconds())); // a string, or it is ignored
        config.addDataSourceProperty("socketTimeout", "60"); // of each read: longer than the longest query
        config.addDataSourceProperty("cancelSignalTimeout", "10"); // Statement.cancel() has a connection of its own
        config.setConnectionTimeout(2 * timeout.toMillis()); // waiting for the pool
        return config;
    }
}
