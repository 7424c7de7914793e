package io.broxy.core.internal.http;

/**
 * {@code uri-host [ ":" port ]}, the value of Host (RFC 9110, section 7.2; RFC 3986, section 3.2). Host and port may both be
 * empty, as in the grammar; userinfo and zones are not allowed. The caller checks the range of the port, and interprets an IPv4
 * address, which by the grammar is a name.
 *
 * <p>Threading: stateless.
 */
final class HostSyntax {
    private static final int IPV6_GROUPS = 8;
    private static final int IPV4_PARTS = 4;

    private HostSyntax() {}

    /** Whether the bytes are a valid value of Host. */
    static boolean isValid(byte[] bytes, int from, int to) {
        if (from < to && bytes[from] == '[') {
            int close = Grammar.indexOf(bytes, ']', from, to);
            return close < to && isLiteral(bytes, from + 1, close) && isPortOrNothing(bytes, close + 1, to);
        }
        int colon = Grammar.indexOf(bytes, ':', from, to);
        return isRegName(bytes, from, colon) && isPortOrNothing(bytes, colon, to);
    }

    private static boolean isPortOrNothing(byte[] bytes, int from, int to) {
        return from == to || (bytes[from] == ':' && Grammar.afterDigits(bytes, from + 1, to) == to);
    }

    private static boolean isRegName(byte[] bytes, int from, int to) {
        for (int i = from; i < to; i++) {
            if (bytes[i] == '%') {
                if (to - i < 3 || !Grammar.isHexDigit(bytes[i + 1]) || !Grammar.isHexDigit(bytes[i + 2])) {
                    return false;
                }
                i += 2;
            } else if (!Grammar.isRegNameByte(bytes[i])) {
                return false;
            }
        }
        return true;
    }

    /** Whether the bytes are valid between brackets. */
    private static boolean isLiteral(byte[] bytes, int from, int to) {
        if (from < to && (bytes[from] == 'v' || bytes[from] == 'V')) {
            return isFutureAddress(bytes, from + 1, to);
        }
        return isIpv6(bytes, from, to);
    }

    /** {@code "v" 1*HEXDIG "." 1*( unreserved / sub-delims / ":" )}, starting after the v. */
    private static boolean isFutureAddress(byte[] bytes, int from, int to) {
        int dot = Grammar.indexOf(bytes, '.', from, to);
        for (int i = from; i < dot; i++) {
            if (!Grammar.isHexDigit(bytes[i])) {
                return false;
            }
        }
        for (int i = dot + 1; i < to; i++) {
            if (!Grammar.isRegNameByte(bytes[i]) && bytes[i] != ':') {
                return false;
            }
        }
        return from < dot && dot + 1 < to;
    }

    /** Eight groups; one run of at least one group may be omitted as "::". */
    private static boolean isIpv6(byte[] bytes, int from, int to) {
        int gap = from;
        while (gap < to && !(bytes[gap] == ':' && gap + 1 < to && bytes[gap + 1] == ':')) {
            gap++;
        }
        if (gap == to) {
            return groups(bytes, from, to, true) == IPV6_GROUPS;
        }
        int before = groups(bytes, from, gap, false);
        int after = groups(bytes, gap + 2, to, true);
        return before >= 0 && after >= 0 && before + after < IPV6_GROUPS;
    }

    /** The number of groups separated by single colons, or -1 if malformed; an IPv4 address at the end counts as two. */
    private static int groups(byte[] bytes, int from, int to, boolean mayEndInIpv4) {
        if (from == to) {
            return 0;
        }
        int groups = 0;
        for (int at = from; at <= to; ) {
            int end = Grammar.indexOf(bytes, ':', at, to);
            if (isGroup(bytes, at, end)) {
                groups++;
            } else if (mayEndInIpv4 && end == to && isIpv4(bytes, at, to)) {
                groups += 2;
            } else {
                return -1;
            }
            at = end + 1;
        }
        return groups;
    }

    private static boolean isGroup(byte[] bytes, int from, int to) {
        for (int i = from; i < to; i++) {
            if (!Grammar.isHexDigit(bytes[i])) {
                return false;
            }
        }
        return from < to && to - from <= 4;
    }

    private static boolean isIpv4(byte[] bytes, int from, int to) {
        int parts = 0;
        for (int at = from; at <= to; parts++) {
            int end = Grammar.indexOf(bytes, '.', at, to);
            if (!isIpv4Part(bytes, at, end)) {
                return false;
            }
            at = end + 1;
        }
        return parts == IPV4_PARTS;
    }

    /** A number from 0 to 255 without leading zeros. */
    private static boolean isIpv4Part(byte[] bytes, int from, int to) {
        int value = 0;
        for (int i = from; i < to; i++) {
            if (!Grammar.isDigit(bytes[i]) || (i > from && value == 0)) {
                return false;
            }
            value = 10 * value + (bytes[i] - '0');
        }
        return from < to && to - from <= 3 && value <= 255;
    }
}
