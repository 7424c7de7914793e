package io.broxy.core.internal.haproxy;

import static java.nio.charset.StandardCharsets.US_ASCII;

import io.broxy.HostPort;
import java.net.Inet4Address;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;

/**
 * Writes the PROXY header at the start of a connection to an upstream (proxy-protocol.txt, section 2).
 *
 * <p>If one address is IPv4 and the other IPv6, both are written as IPv6, the IPv4 one in mapped form. Zone ids are omitted,
 * since they have no meaning on another host.
 *
 * <p>Threading: stateless.
 */
public final class ProxyHeaderWriter {
    private static final int IPV6_BYTES = 16;
    private static final byte[] MAPPED = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, (byte) 0xff, (byte) 0xff};

    private ProxyHeaderWriter() {}

    /** Returns the text form; without addresses it says UNKNOWN, which some receivers refuse. */
    public static byte[] version1(ProxyHeader header) {
        InetSocketAddress source = header.source();
        InetSocketAddress destination = header.destination();
        if (source == null || destination == null) {
            return "PROXY UNKNOWN\r\n".getBytes(US_ASCII);
        }
        boolean ipv4 = areIpv4(source, destination);
        String line = (ipv4 ? "PROXY TCP4 " : "PROXY TCP6 ")
                + text(source, ipv4) + " " + text(destination, ipv4) + " "
                + source.getPort() + " " + destination.getPort() + "\r\n";
        return line.getBytes(US_ASCII);
    }

    /**
     * Returns the binary form, without type-length-values; without addresses it is LOCAL, which every receiver must accept and
     * which makes it use the addresses of the real connection.
     */
    public static byte[] version2(ProxyHeader header) {
        InetSocketAddress source = header.source();
        InetSocketAddress destination = header.destination();
        if (source == null || destination == null) {
            return start(BinaryHeader.LOCAL, (byte) 0, 0).array();
        }
        boolean ipv4 = areIpv4(source, destination);
        byte[] from = bytes(source, ipv4);
        byte[] to = bytes(destination, ipv4);
        byte family = ipv4 ? BinaryHeader.TCP_OVER_IPV4 : BinaryHeader.TCP_OVER_IPV6;
        return start(BinaryHeader.PROXY, family, from.length + to.length + 2 * Short.BYTES)
                .put(from)
                .put(to)
                .putShort((short) source.getPort())
                .putShort((short) destination.getPort())
                .array();
    }

    private static ByteBuffer start(byte versionAndCommand, byte family, int length) {
        return ByteBuffer.allocate(BinaryHeader.START + length)
                .put(BinaryHeader.SIGNATURE)
                .put(versionAndCommand)
                .put(family)
                .putShort((short) length);
    }

    private static boolean areIpv4(InetSocketAddress one, InetSocketAddress other) {
        return one.getAddress() instanceof Inet4Address && other.getAddress() instanceof Inet4Address;
    }

    private static byte[] bytes(InetSocketAddress socket, boolean ipv4) {
        byte[] bytes = socket.getAddress().getAddress();
        if (ipv4 || bytes.length == IPV6_BYTES) {
            return bytes;
        }
        return ByteBuffer.allocate(IPV6_BYTES).put(MAPPED).put(bytes).array();
    }

    /** The canonical form (RFC 5952), from {@link HostPort}. */
    private static String text(InetSocketAddress socket, boolean ipv4) {
        InetAddress address = socket.getAddress();
        String text = address.getHostAddress();
        if (ipv4) {
            return text;
        }
        if (address instanceof Inet4Address) {
            return "::ffff:" + text;
        }
        int zone = text.indexOf('%');
        return HostPort.of(zone < 0 ? text : text.substring(0, zone), 1).host();
    }
}
