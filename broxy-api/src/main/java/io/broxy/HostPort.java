package io.broxy;

import java.io.Serializable;
import java.net.InetAddress;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/**
 * A host and a port to connect to, in canonical form: equal values name the same place in the same way.
 *
 * <p>A host is one of
 *
 * <ul>
 *   <li>a name: letters, digits, hyphens and underscores in labels of 1 to 63 characters, 253 characters in all (RFC
 *       1035 §2.3.4). Held in lower case and without the trailing dot. Whether a name with underscores, or with a
 *       hyphen at the edge of a label, is valid (RFC 1123 §2.1), is up to the resolver or the next proxy. An
 *       internationalized name is given as its A-labels ({@code xn--...}, RFC 5890);
 *   <li>an IPv4 address of four decimal numbers without leading zeros (RFC 3986 §3.2.2);
 *   <li>an IPv6 address (RFC 4291 §2.2), held as RFC 5952 writes it and without brackets.
 * </ul>
 *
 * <p>Everything else is refused: user information, zone ids, percent-encoding, and names whose last label is a number
 * ({@code 2130706433}, {@code 127.1}, {@code 0x7f.1}), because many resolvers take them for addresses.
 *
 * <p>This class performs no lookups.
 *
 * <p>Threading: immutable.
 */
public final class HostPort implements Serializable {
    private static final long serialVersionUID = 1L;
    private static final int LONGEST_NAME = 253;
    private static final int LONGEST_LABEL = 63;
    private static final int HIGHEST_PORT = 65_535;

    private final String host;
    private final int port;
    private final @Nullable InetAddress address;

    private HostPort(String host, int port, @Nullable InetAddress address) {
        this.host = host;
        this.port = port;
        this.address = address;
    }

    /**
     * Reads the authority form (RFC 9112 §3.2.3): {@code example.org:443}, {@code 192.0.2.1:80},
     * {@code [2001:db8::1]:443}. The port is a decimal number of 1 to 65535 without leading zeros.
     *
     * @throws IllegalArgumentException if it is anything else; the message is one line of printable ASCII
     */
    public static HostPort parse(String text) {
        int end;
        if (text.startsWith("[")) {
            end = text.indexOf(']') + 1;
            if (end == 0) {
                throw refused(text, "the closing bracket is missing");
            }
        } else {
            end = text.indexOf(':');
        }
        if (end < 0 || end >= text.length() || text.charAt(end) != ':') {
            throw refused(text, "the port is missing");
        }
        if (text.charAt(0) != '[' && text.indexOf(':', end + 1) >= 0) {
            throw refused(text, "more than one colon; write an IPv6 address in brackets");
        }
        return create(text, end, parsePort(text, end + 1));
    }

    /**
     * Returns a target made of its parts.
     *
     * @param host a name or an address; an IPv6 address with or without brackets
     * @param port 1 to 65535
     * @throws IllegalArgumentException if the host is not one of the kinds above, or the port is out of range; the
     *     message is one line of printable ASCII
     */
    public static HostPort of(String host, int port) {
        if (port < 1 || port > HIGHEST_PORT) {
            throw refused(host, "port " + port + " is not within 1 to 65535");
        }
        if (host.indexOf(':') >= 0 && !host.startsWith("[")) {
            return createIpv6(host, 0, host.length(), port);
        }
        return create(host, host.length(), port);
    }

    /** The name in lower case, or the address in its canonical form; IPv6 without brackets. */
    public String host() {
        return host;
    }

    /** The port, 1 to 65535. */
    public int port() {
        return port;
    }

    /** Whether the host is an address and not a name. */
    public boolean isLiteral() {
        return address != null;
    }

    /**
     * The address if the host is one, or null if it is a name. Its {@link InetAddress#getHostName()} is the literal, so
     * no reverse lookup happens. An IPv4-mapped IPv6 address is an {@link java.net.Inet4Address}, as everywhere
     * in the JDK.
     */
    public @Nullable InetAddress address() {
        return address;
    }

    /** Compares the canonical host and the port; an IPv4 address and its IPv4-mapped form differ. */
    @Override
    public boolean equals(@Nullable Object other) {
        return other instanceof HostPort that && port == that.port && host.equals(that.host);
    }

    @Override
    public int hashCode() {
        return 31 * host.hashCode() + port;
    }

    /** {@code host:port}, an IPv6 address in brackets; {@link #parse} reads it. */
    @Override
    public String toString() {
        return host.indexOf(':') < 0 ? host + ":" + port : "[" + host + "]:" + port;
    }

    /** Serialized as its text, so that a stream cannot make one that is not canonical. */
    private Object writeReplace() {
        return new Text(toString());
    }

    /** Threading: immutable. */
    private record Text(String text) implements Serializable {
        private Object readResolve() {
            return parse(text);
        }
    }

    /** The port at the end of a text. */
    static int parsePort(String text, int from) {
        if (from == text.length()) {
            throw refused(text, "the port is missing");
        }
        int port = 0;
        for (int i = from; i < text.length(); i++) {
            char c = text.charAt(i);
            if (c < '0' || c > '9') {
                throw refused(text, "the port is not a decimal number");
            }
            port = Math.min(port * 10 + (c - '0'), HIGHEST_PORT + 1);
        }
        if (text.charAt(from) == '0' || port < 1 || port > HIGHEST_PORT) {
            throw refused(text, "the port is not within 1 to 65535 or has leading zeros");
        }
        return port;
    }

    private static HostPort create(String text, int end, int port) {
        if (end > 0 && text.charAt(0) == '[') {
            if (text.charAt(end - 1) != ']') {
                throw refused(text, "the closing bracket is missing");
            }
            return createIpv6(text, 1, end - 1, port);
        }
        return createName(text, end, port);
    }

    private static HostPort createIpv6(String text, int from, int to, int port) {
        byte[] bytes = AddressText.parseIpv6(text, from, to);
        if (bytes == null) {
            String problem = from == 0 ? "neither a name nor an IPv6 address" : "not an IPv6 address";
            throw refused(text, text.indexOf('%') >= 0 ? "zone ids are not allowed" : problem);
        }
        String host = AddressText.formatIpv6(AddressBits.high(bytes), AddressBits.low(bytes));
        return new HostPort(host, port, AddressBits.toInetAddress(host, bytes));
    }

    /** A name or an IPv4 address: one walk over the characters, label by label. */
    private static HostPort createName(String text, int end, int port) {
        int nameEnd = end > 0 && text.charAt(end - 1) == '.' ? end - 1 : end;
        if (nameEnd == 0) {
            throw refused(text, "the host is empty");
        }
        boolean upperCase = false;
        int label = 0;
        for (int i = 0; i < nameEnd; i++) {
            char c = text.charAt(i);
            if (c == '.') {
                checkLabel(text, label, i);
                label = i + 1;
            } else if (c >= 'A' && c <= 'Z') {
                upperCase = true;
            } else if (!isLowerNameCharacter(c)) {
                throw refused(text, problemWith(c));
            }
        }
        checkLabel(text, label, nameEnd);
        if (nameEnd > LONGEST_NAME) {
            throw refused(text, "the name is longer than " + LONGEST_NAME + " characters");
        }
        if (isNumber(text, label, nameEnd)) {
            return createIpv4(text, end, port);
        }
        String host = text.substring(0, nameEnd);
        return new HostPort(upperCase ? host.toLowerCase(Locale.ROOT) : host, port, null);
    }

    private static HostPort createIpv4(String text, int end, int port) {
        byte[] bytes = AddressText.parseIpv4(text, 0, end);
        if (bytes == null) {
            throw refused(text, "a host that ends in a number must be an IPv4 address of four plain decimal numbers");
        }
        String host = text.substring(0, end);
        return new HostPort(host, port, AddressBits.toInetAddress(host, bytes));
    }

    private static void checkLabel(String text, int from, int to) {
        if (from == to) {
            throw refused(text, "an empty label");
        }
        if (to - from > LONGEST_LABEL) {
            throw refused(text, "a label is longer than " + LONGEST_LABEL + " characters");
        }
    }

    /** The "ends in a number" rule of the WHATWG URL standard: digits only, or 0x and hexadecimal digits. */
    private static boolean isNumber(String text, int from, int to) {
        char first = text.charAt(from);
        if (first < '0' || first > '9') {
            return false; // nearly every name
        }
        boolean hex = first == '0' && to - from > 1 && (text.charAt(from + 1) | 0x20) == 'x';
        for (int i = hex ? from + 2 : from; i < to; i++) {
            char c = text.charAt(i);
            boolean digit = c >= '0' && c <= '9';
            boolean hexDigit = (c | 0x20) >= 'a' && (c | 0x20) <= 'f';
            if (!digit && !(hex && hexDigit)) {
                return false;
            }
        }
        return true;
    }

    private static boolean isLowerNameCharacter(char c) {
        return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
    }

    private static String problemWith(char c) {
        if (c == '%') {
            return "percent-encoding and zone ids are not allowed";
        }
        if (c <= ' ' || c == 0x7f) {
            return "white space and control characters are not allowed";
        }
        if (c > 0x7f) {
            return "not ASCII; write an internationalized name as its A-labels";
        }
        return "a name may have letters, digits, hyphens, underscores and dots only";
    }

    private static IllegalArgumentException refused(String text, String problem) {
        return new IllegalArgumentException("not a target: " + Printable.quote(text) + ": "
                + (text.indexOf('@') >= 0 ? "user information is not allowed" : problem));
    }
}
