package io.broxy.core.internal.http;

/**
 * The hop-by-hop fields, which a proxy does not forward, whether or not Connection names them (RFC 9110, section 7.6.1; for
 * credentials, sections 11.7.1 to 11.7.3). A field that the next hop needs is written anew.
 *
 * <p>Threading: stateless.
 */
final class HopByHop {
    private HopByHop() {}

    /** Whether a hop-by-hop field is a part of a login at a proxy. */
    static boolean isOfProxyLogin(Fields fields, int index) {
        return fields.isNamed(index, "Proxy-Authenticate") || fields.isNamed(index, "Proxy-Authentication-Info");
    }

    /** Whether a field is hop-by-hop; the length of its name quickly rules out nearly all others. */
    static boolean is(Fields fields, int index) {
        return switch (fields.nameEnd(index) - fields.nameStart(index)) {
            case 2 -> fields.isNamed(index, "TE");
            case 7 -> fields.isNamed(index, "Upgrade");
            case 10 -> fields.isNamed(index, "Connection") || fields.isNamed(index, "Keep-Alive");
            case 13 ->
                fields.isNamed(index, "Proxy-Support"); // each proxy declares its own support (RFC 4559 section 6)
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
