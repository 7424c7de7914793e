package io.broxy.examples;

import io.broxy.ConnPool;
import io.broxy.core.Broxy;
import java.time.Duration;

/**
 * How connections to upstream proxies are kept.
 *
 * <p>Threading: immutable.
 */
record PoolSettings(int maxIdlePerHost, int maxIdleTotal, Duration idleTimeout) {
    static final PoolSettings DEFAULT = new PoolSettings(10, 100, Duration.ofSeconds(90));

    ConnPool pool(Broxy broxy) {
        return broxy.connPool()
                .maxIdlePerKey(maxIdlePerHost)
                .maxIdle(maxIdleTotal)
                .idleTimeout(idleTimeout)
                .build();
    }
}
