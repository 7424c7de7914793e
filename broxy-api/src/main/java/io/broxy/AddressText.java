package io.broxy;

import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * Reads and writes IP addresses as text: IPv4 as four decimal numbers, IPv6 as in RFC 4291 §2.2 and, written, as in
 * RFC 5952. It is stricter than the JDK ({@code 127.1}, {@code 0177.0.0.1}, {@code fe80::1%eth0}), and it
 * performs no lookups.
 *
 * <p>Threading: stateless.
 */
final class AddressText {
    private static final int IPV6_BYTES = 16;
    private static final int LONGEST_IPV6 = 39;

    private AddressText() {}

    /** The 4 or 16 bytes of the address that the part of the text spells, or null when it spells none. */
    static byte @Nullable [] parse(String text, int from, int to) {
        int colon = text.indexOf(':', from);
        return colon >= 0 && colon < to ? parseIpv6(text, from, to) : parseIpv4(text, from, to);
    }

    /** Four decimal numbers of 0 to 255 without leading zeros, between three dots. */
    static byte @Nullable [] parseIpv4(String text, int from, int to) {
        byte[] address = new byte[4];
        return readIpv4(text, from, to, address, 0) ? address : null;
    }

    /** Eight groups of one to four hexadecimal digits, or fewer with one "::"; the last two may be an IPv4 address. */
    static byte @Nullable [] parseIpv6(String text, int from, int to) {
        byte[] address = new byte[IPV6_BYTES];
        int gap = text.indexOf("::", from);
        if (gap < 0 || gap + 2 > to) {
            return readGroups(text, from, to, address, 0, true) == IPV6_BYTES ? address : null;
        }
        int before = gap == from ? 0 : readGroups(text, from, gap, address, 0, false);
        if (before < 0) {
            return null;
        }
        int filled = gap + 2 == to ? before : readGroups(text, gap + 2, to, address, before, true);
        if (filled < 0 || filled == IPV6_BYTES) { // the "::" replaces at least one group
            return null;
        }
        int behind = IPV6_BYTES - (filled - before);
        System.arraycopy(address, before, address, behind, filled - before);
        Arrays.fill(address, before, behind, (byte) 0);
        return address;
    }

    /** The text of an address; one that is IPv4 or IPv4-mapped appears as IPv4. */
    static String format(long high, long low) {
        StringBuilder text = new StringBuilder(LONGEST_IPV6);
        if (AddressBits.isIpv4(high, low)) {
            appendIpv4(text, (int) low);
        } else {
            appendIpv6(text, high, low);
        }
        return text.toString();
    }

    /**
     * The text of an address of 16 bytes; one that is IPv4-mapped appears as {@code ::ffff:192.0.2.1} (RFC 5952 §5).
     */
    static String formatIpv6(long high, long low) {
        StringBuilder text = new StringBuilder(LONGEST_IPV6);
        if (AddressBits.isIpv4(high, low)) {
            appendIpv4(text.append("::ffff:"), (int) low);
        } else {
            appendIpv6(text, high, low);
        }
        return text.toString();
    }

    private static boolean readIpv4(String text, int from, int to, byte[] address, int offset) {
        int at = from;
        for (int part = 0; part < 4; part++) {
            if (part > 0 && (at == to || text.charAt(at++) != '.')) {
                return false;
            }
            int start = at;
            int number = 0;
            while (at < to && at - start < 3 && isDigit(text.charAt(at))) {
                number = number * 10 + (text.charAt(at++) - '0');
            }
            boolean leadingZero = at - start > 1 && text.charAt(start) == '0';
            if (at == start || leadingZero || number > 255) {
                return false;
            }
            address[offset + part] = (byte) number;
        }
        return at == to;
    }

    /** Reads groups with a colon between each two; returns where the filled bytes end, or -1 when it is not that. */
    private static int readGroups(String text, int from, int to, byte[] address, int offset, boolean ipv4MayEnd) {
        int filled = offset;
        int at = from;
        while (true) {
            int end = at;
            while (end < to && isHexDigit(text.charAt(end))) {
                end++;
            }
            if (end < to && text.charAt(end) == '.') {
                boolean room = ipv4MayEnd && filled <= IPV6_BYTES - 4;
                return room && readIpv4(text, at, to, address, filled) ? filled + 4 : -1;
            }
            if (end == at || end - at > 4 || filled == IPV6_BYTES) {
                return -1;
            }
            int group = Integer.parseInt(text, at, end, 16);
            address[filled++] = (byte) (group >>> 8);
            address[filled++] = (byte) group;
            if (end == to) {
                return filled;
            }
            if (text.charAt(end) != ':') {
                return -1;
            }
            at = end + 1;
        }
    }

    private static void appendIpv4(StringBuilder text, int ipv4) {
        text.append(ipv4 >>> 24)
                .append('.')
                .append(ipv4 >>> 16 & 0xff)
                .append('.')
                .append(ipv4 >>> 8 & 0xff)
                .append('.')
                .append(ipv4 & 0xff);
    }

    /** Lower case, no leading zeros, the first of the longest runs of two or more zero groups as "::" (RFC 5952 §4). */
    private static void appendIpv6(StringBuilder text, long high, long low) {
        int runStart = -1;
        int runLength = 1;
        for (int start = 0; start < 8; start++) {
            int length = 0;
            while (start + length < 8 && group(high, low, start + length) == 0) {
                length++;
            }
            if (length > runLength) {
                runStart = start;
                runLength = length;
            }
        }
        int index = 0;
        while (index < 8) {
            if (index == runStart) {
                text.append("::");
                index += runLength;
            } else {
                if (index > 0 && index != runStart + runLength) {
                    text.append(':');
                }
                text.append(Integer.toHexString(group(high, low, index++)));
            }
        }
    }

    private static int group(long high, long low, int index) {
        long half = index < 4 ? high : low;
        return (int) (half >>> (48 - 16 * (index & 3))) & 0xffff;
    }

    private static boolean isDigit(char c) {
        return c >= '0' && c <= '9';
    }

    private static boolean isHexDigit(char c) {
        return isDigit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
    }
}
