package io.broxy;

/**
 * A version of HAProxy's PROXY protocol (proxy-protocol.txt), in which a proxy names the client of a connection to the
 * next server: {@code io.broxy.core.Broxy.withProxyHeader} sends it, {@link ProxyHandler.Builder#proxyProtocol} reads
 * it. The header is the first thing sent over a connection: before TLS, CONNECT, SOCKS5 and the bytes of the
 * connection's user.
 *
 * <p>It names {@link DialRequest#client()}, which a {@link ProxyHandler} sets: the client's address and the address that
 * the client connected to, both as a balancer in front has given them if there is one. If there is no client, or one of
 * the addresses is unresolved or not a TCP address, the header says that the connection is Broxy's own: {@code LOCAL} in
 * version 2, {@code UNKNOWN} in version 1. Both addresses must be of one family (sections 2.1 and 2.2), so if one is
 * IPv4 and the other IPv6, the IPv4 address is written in its mapped form, {@code ::ffff:192.0.2.1}.
 *
 * <p>The receiver is the far end of the dialer that was wrapped. Around a dialer that goes through a proxy, the receiver
 * is the target, which gets the header through the tunnel; plain HTTP requests then go through such tunnels, too. To
 * send the header to the proxy, wrap the dialer that reaches the proxy:
 *
 * <pre>{@code
 * Dialer announcing = broxy.withProxyHeader(broxy.directDialer().build(), ProxyProtocol.V2);
 * HttpProxyDialer dialer = broxy.httpProxyDialer(proxy).over(announcing).build();
 * }</pre>
 *
 * <p>Every receiver must trust the sender and expect the header; a receiver that does not expect it sees a malformed
 * request. A connection that was announced for one client serves no other client. {@linkplain ConnPool#warm Spare
 * connections} of a pool are announced for no client, and serve only dials without a client.
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
