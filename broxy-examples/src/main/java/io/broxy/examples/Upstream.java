package io.broxy.examples;

import io.broxy.ProxyUri;

/**
 * A proxy that targets are reached through.
 *
 * <p>Threading: immutable.
 *
 * @param auth how an HTTP proxy is told who uses it; {@link UpstreamAuth#BASIC} for SOCKS5
 */
record Upstream(ProxyUri uri, UpstreamAuth auth) {
    /**
     * Checks that both fit.
     *
     * @throws IllegalArgumentException if they don't
     */
    Upstream {
        auth.check(uri);
    }
}
