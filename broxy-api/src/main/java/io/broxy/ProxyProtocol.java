package io.broxy;

/**
 * A version of HAProxy's PROXY protocol (proxy-protocol.txt), by which a hop tells the next one for whom it has made a
 * connection: {@code io.broxy.core.Broxy.withProxyHeader} sends it, {@link ProxyHandler.Builder#proxyProtocol} reads it.
 *
 * <p>Threading: immutable.
 */
public enum ProxyProtocol {
    /**
     * A line of text (section 2.1). Where nobody is told of it says {@code UNKNOWN}, which some receivers refuse.
     */
    V1,
    /**
     * The binary form (section 2.2). Where nobody is told of it says {@code LOCAL}, which every receiver has to accept.
     */
    V2
}
