package io.broxy;

/**
 * A version of HAProxy's PROXY protocol (proxy-protocol.txt), in which a proxy names the client of a connection to the
 * next server: {@code io.broxy.core.Broxy.withProxyHeader} sends it, {@link ProxyHandler.Builder#proxyProtocol} reads
 * it.
 *
 * <p>Threading: immutable.
 */
public enum ProxyProtocol {
    /**
     * A line of text (section 2.1). If there is no client to name, it says {@code UNKNOWN}, which some receivers
     * refuse.
     */
    V1,
    /**
     * The binary form (section 2.2). If there is no client to name, it says {@code LOCAL}, which every receiver must
     * accept.
     */
    V2
}
