package io.broxy.core.internal.http;

/**
 * The fields that are for one hop: a proxy forwards none of them, whether Connection names them or not (RFC 9110,
 * section 7.6.1; for the credentials sections 11.7.1 to 11.7.3). Where one has to reach the next hop it is written anew.
 *
 * <p>Threading: stateless.
 */
final class HopByHop {
    private HopByHop() {}

    /** Whether a field is one of them by which a proxy logs a client in. */
    static boolean isOfProxyLogin(Fields fields, int index) {
        return fields.isNamed(index, "Proxy-Authenticate") || fields.isNamed(index, "Proxy-Authentication-Info");
    }

    /** Whether a field is one of them; the length of its name rules out nearly all others at once. */
    static boolean is(Fields fields, int index) {
        return switch (fields.nameEnd(index) - fields.nameStart(index)) {
            case 2 -> fields.isNamed(index, "TE");
            case 7 -> fields.isNamed(index, "Upgrade");
            case 10 -> fields.isNamed(index, "Connection") || fields.isNamed(index, "Keep-Alive");
            case 13 -> fields.isNamed(index, "Proxy-Support"); // each proxy speaks for itself (RFC 4559 section 6)
            case 14 -> fields.isNamed(index, "HTTP2-Settings");
            case 16 -> fields.isNamed(index, "Proxy-Connection");
            case 17 -> fields.isNamed(index, "Transfer-Encoding");
            case 18 -> fields.isNamed(index, "Proxy-Authenticate");
            case 19 -> fields.isNamed(index, "Proxy-Authorization");
            case 25 -> fields.isNamed(index, "Proxy-Authentication-Info");
            default -> false;
        };
    }
}
