package io.broxy.examples.clients;

import com.zaxxer.hikari.HikariConfig;
import io.broxy.core.NamedSockets;
import java.time.Duration;

/** MariaDB's driver: it takes the name of a socket factory's class, without an argument. */
final class MariaDbRecipe {
    private MariaDbRecipe() {}

    /**
     * The sockets are those that are registered as {@code default}, or the only registered ones. For others: a class of
     * your own that extends {@link NamedSockets} and passes their name to its constructor.
     *
     * @param url such as {@code jdbc:mariadb://db.corp:3306/orders}
     */
    static HikariConfig config(String url, Duration timeout) {
        HikariConfig config = new HikariConfig();
        config.setJdbcUrl(url);
        config.addDataSourceProperty("socketFactory", NamedSockets.class.getName());
        config.addDataSourceProperty("connectTimeout", String.valueOf(timeout.toMillis()));
        config.addDataSourceProperty("socketTimeout", "60000"); // of each read: longer than the longest query
        config.setConnectionTimeout(2 * timeout.toMillis()); // waiting for the pool
        return config;
    }
}
