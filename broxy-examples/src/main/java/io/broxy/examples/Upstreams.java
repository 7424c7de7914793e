package io.broxy.examples;

import io.broxy.ConnPool;
import io.broxy.Dialer;
import io.broxy.core.Broxy;
import java.io.IOException;
import java.util.HashMap;
import java.util.Map;

/**
 * The dialers of a file's proxies, and the pool that they share.
 *
 * <p>Threading: immutable.
 *
 * @param toProxies reaches all of them
 * @param dialers each by its proxy, for the next file to use again
 * @param hops each by its name, as rules know them
 */
record Upstreams(
        Broxy broxy,
        Dialer toProxies,
        PoolSettings settings,
        ConnPool pool,
        Map<Upstream, Dialer> dialers,
        Map<String, Dialer> hops) {

    /**
     * Those of the first file.
     *
     * @throws IOException if the JVM's settings for TLS don't work
     */
    static Upstreams of(Broxy broxy, Dialer toProxies, RuleFile file) throws IOException {
        return withNewPool(broxy, toProxies, file);
    }

    /**
     * Those of the next file. A proxy that is in both keeps its dialer and its connections, unless the pool's settings have
     * changed; then everything is new, and the old pool is left to the caller.
     *
     * @throws IOException if the JVM's settings for TLS don't work; nothing has changed then
     */
    Upstreams next(RuleFile file) throws IOException {
        return file.pool().equals(settings)
                ? make(broxy, toProxies, file, pool, dialers)
                : withNewPool(broxy, toProxies, file);
    }

    private static Upstreams withNewPool(Broxy broxy, Dialer toProxies, RuleFile file) throws IOException {
        ConnPool pool = file.pool().pool(broxy);
        try {
            return make(broxy, toProxies, file, pool, Map.of());
        } catch (IOException | RuntimeException e) {
            pool.close();
            throw e;
        }
    }

    private static Upstreams make(
            Broxy broxy, Dialer toProxies, RuleFile file, ConnPool pool, Map<Upstream, Dialer> old) throws IOException {
        Map<Upstream, Dialer> dialers = new HashMap<>();
        Map<String, Dialer> hops = new HashMap<>();
        for (Map.Entry<String, Upstream> proxy : file.proxies().entrySet()) {
            Upstream upstream = proxy.getValue();
            Dialer dialer = dialers.get(upstream);
            if (dialer == null) {
                dialer = old.get(upstream);
            }
            if (dialer == null) {
                dialer = UpstreamDialer.of(broxy, toProxies, upstream, pool);
            }
            dialers.put(upstream, dialer);
            hops.put(proxy.getKey(), dialer);
        }
        return new Upstreams(broxy, toProxies, file.pool(), pool, Map.copyOf(dialers), Map.copyOf(hops));
    }
}
