package io.broxy.core.internal.socks;

import java.net.Inet4Address;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.nio.ByteBuffer;
import org.jspecify.annotations.Nullable;

/**
 * Writes the messages of a server.
 *
 * <p>Threading: stateless.
 */
public final class SocksWriter {
    private static final int IPV4_BYTES = 4;
    private static final byte SUCCESS = 0;
    private static final byte FAILURE = 1;

    private SocksWriter() {}

    /**
     * Selects the authentication method (RFC 1928 section 3).
     *
     * @param method an offered method, or {@link Socks5#NO_ACCEPTABLE_METHOD}, after which the connection must be closed
     */
    public static byte[] method(int method) {
        return new byte[] {Socks5.VERSION, (byte) method};
    }

    /**
     * Reports whether user name and password are valid (RFC 1929 section 2).
     *
     * @param success if false, the connection must be closed afterwards
     */
    public static byte[] authentication(boolean success) {
        return new byte[] {Socks5.AUTH_VERSION, success ? SUCCESS : FAILURE};
    }

    /**
     * Replies to a request (RFC 1928 section 6). A SOCKS 4 reply has no room for an IPv6 address.
     *
     * @param reply unless it is {@link SocksReply#SUCCEEDED}, the connection must be closed afterwards
     * @param bound the proxy's address on the connection to the target; written as zeros if it is null or not an IP address
     */
    public static byte[] reply(SocksVersion version, SocksReply reply, @Nullable SocketAddress bound) {
        byte code = (byte) reply.code(version);
        InetAddress address = bound instanceof InetSocketAddress internet ? internet.getAddress() : null;
        int port = bound instanceof InetSocketAddress internet && address != null ? internet.getPort() : 0;
        return switch (version) {
            case SOCKS4 -> reply4(code, address, port);
            case SOCKS5 -> reply5(code, address, port);
        };
    }

    private static byte[] reply5(byte code, @Nullable InetAddress address, int port) {
        byte[] bytes = address == null ? new byte[IPV4_BYTES] : address.getAddress();
        return ByteBuffer.allocate(4 + bytes.length + Short.BYTES)
                .put(Socks5.VERSION)
                .put(code)
                .put((byte) 0)
                .put(bytes.length == IPV4_BYTES ? Socks5.IPV4 : Socks5.IPV6)
                .put(bytes)
                .putShort((short) port)
                .array();
    }

    /** The first byte is 0, the version of the reply rather than of the protocol. */
    private static byte[] reply4(byte code, @Nullable InetAddress address, int port) {
        ByteBuffer reply =
                ByteBuffer.allocate(2 + Short.BYTES + IPV4_BYTES).put((byte) 0).put(code);
        if (address instanceof Inet4Address) {
            reply.putShort((short) port).put(address.getAddress());
        }
        return reply.array();
    }
}
