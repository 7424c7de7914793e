package io.broxy.core.internal.haproxy;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.charset.StandardCharsets.US_ASCII;

import io.broxy.HostPort;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import org.jspecify.annotations.Nullable;

/**
 * Parses version 1: one line of text (proxy-protocol.txt, section 2.1).
 *
 * <p>Threading: stateless.
 */
final class TextHeader {
    /** The start of the line. */
    static final byte[] WORD = "PROXY ".getBytes(US_ASCII);

    private static final int LINE_END = 2;
    private static final String UNKNOWN = "UNKNOWN";
    private static final int MAX_PORT = 65_535;
    private static final int MAX_PORT_DIGITS = 5;

    private TextHeader() {}

    /** Reads a line that begins with {@link #WORD} and ends with CRLF. */
    static ProxyHeader read(byte[] line, int length) throws ProxyHeaderException {
        String rest = new String(line, WORD.length, length - WORD.length - LINE_END, ISO_8859_1);
        if (rest.equals(UNKNOWN) || rest.startsWith(UNKNOWN + " ")) {
            return ProxyHeader.UNKNOWN; // "the receiver must ignore anything presented before the CRLF"
        }
        String[] parts = rest.split(" ", -1);
        boolean ipv4 = parts[0].equals("TCP4");
        if (!ipv4 && !parts[0].equals("TCP6")) {
            throw new ProxyHeaderException("the family is not TCP4, TCP6 or UNKNOWN");
        }
        if (parts.length != 5) {
            throw new ProxyHeaderException(
                    "the line does not have two addresses and two ports, each after a single space");
        }
        InetAddress source = address(parts[1], ipv4);
        InetAddress destination = address(parts[2], ipv4);
        return new ProxyHeader(
                new InetSocketAddress(source, port(parts[3])), new InetSocketAddress(destination, port(parts[4])));
    }

    /**
     * Uses {@link HostPort}, which is as strict as required here. An IPv6 address may end in IPv4 notation: the specification
     * does not mention it, but the C library, which HAProxy uses, prints mapped addresses that way.
     */
    private static InetAddress address(String text, boolean ipv4) throws ProxyHeaderException {
        boolean ofFamily = ipv4 ? text.indexOf(':') < 0 : text.indexOf(':') >= 0 && !text.startsWith("[");
        InetAddress address = ofFamily ? parse(text) : null;
        if (address == null) {
            throw new ProxyHeaderException("not an address of the family");
        }
        return address;
    }

    private static @Nullable InetAddress parse(String text) {
        try {
            return HostPort.of(text, 1).address();
        } catch (IllegalArgumentException e) {
            return null;
        }
    }

    /** Allows 0, but no leading zeros. */
    private static int port(String text) throws ProxyHeaderException {
        int digits = text.length();
        boolean plain = digits >= 1 && digits <= MAX_PORT_DIGITS && (digits == 1 || text.charAt(0) != '0');
        int port = 0;
        for (int i = 0; plain && i < digits; i++) {
            char c = text.charAt(i);
            plain = c >= '0' && c <= '9';
            port = 10 * port + (c - '0');
        }
        if (!plain || port > MAX_PORT) {
            throw new ProxyHeaderException("a port is not a plain number from 0 to 65535");
        }
        return port;
    }
}
