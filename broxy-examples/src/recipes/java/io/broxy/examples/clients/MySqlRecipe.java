package io.broxy.examples.clients;

import com.zaxxer.hikari.HikariConfig;
import java.time.Duration;

/** MySQL's driver with HikariCP, with the sockets of {@link MySqlSockets}. */
final class MySqlRecipe {
    private MySqlRecipe() {}

    /** @param url such as {@code jdbc:mysql://db.corp:3306/orders} */
    static HikariConfig config(String url, Duration timeout) {
        HikariConfig config = new HikariConfig();
        config.setJdbcUrl(url);
        config.addDataSourceProperty("socketFactory", MySqlSockets.class.getName());
        config.addDataSourceProperty("connectTimeout", String.valueOf(timeout.toMillis()));
        config.addDataSourceProperty("socketTimeout", "60000"); // of each read: longer than the longest query
        config.setConnectionTimeout(2 * timeout.toMillis()); // waiting for the pool
        return config;
    }
}
