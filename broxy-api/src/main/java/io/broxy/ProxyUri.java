package io.broxy;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.util.Locale;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * An upstream proxy as people write it: {@code http://user:password@proxy.example:3128}, {@code https://proxy.example},
 * {@code socks5://[2001:db8::1]:1080}.
 *
 * <p>It is a URI (RFC 3986) with a host, and with nothing after the authority except an optional {@code /}. The user
 * information is percent-encoded UTF-8; a {@code +} is a plus. The default port is that of the scheme: 80 for {@code
 * http}, 443 for {@code https}, 1080 for {@code socks5} and {@code socks4}, as in browsers and the JVM (curl uses 1080 for each).
 *
 * <p>Threading: immutable.
 */
public final class ProxyUri {

    /** The protocol that the proxy speaks. */
    public enum Scheme {
        /** HTTP CONNECT over TCP. */
        HTTP("http", 80),
        /** HTTP CONNECT over TLS. */
        HTTPS("https", 443),
        /** SOCKS version 5 (RFC 1928). */
        SOCKS5("socks5", 1080),
        /** SOCKS version 4, with its extension 4a for names. */
        SOCKS4("socks4", 1080);

        private final String text;
        private final int defaultPort;

        Scheme(String text, int defaultPort) {
            this.text = text;
            this.defaultPort = defaultPort;
        }

        /** The port of a URI without one. */
        public int defaultPort() {
            return defaultPort;
        }

        /** The scheme as in a URI. */
        @Override
        public String toString() {
            return text;
        }
    }

    private final Scheme scheme;
    private final HostPort address;
    private final @Nullable Credentials credentials;

    private ProxyUri(Scheme scheme, HostPort address, @Nullable Credentials credentials) {
        this.scheme = scheme;
        this.address = address;
        this.credentials = credentials;
    }

    /**
     * Returns a proxy URI made of its parts.
     *
     * @param credentials for the proxy, or null for none
     * @throws IllegalArgumentException if the credentials do not fit into the protocol: SOCKS5 limits both, and SOCKS 4
     *     has a user id and no password
     */
    public static ProxyUri of(Scheme scheme, HostPort address, @Nullable Credentials credentials) {
        Objects.requireNonNull(scheme, "scheme");
        Objects.requireNonNull(address, "address");
        if (scheme == Scheme.SOCKS5 && credentials != null && !fitsSocks5(credentials)) {
            throw new IllegalArgumentException(
                    "SOCKS5 needs a user name of 1 to 255 bytes and a password of at most 255 (RFC 1929 section 2)");
        }
        if (scheme == Scheme.SOCKS4 && credentials != null && !fitsSocks4(credentials)) {
            throw new IllegalArgumentException("SOCKS 4 has no password, and a user id of at most 255 bytes");
        }
        return new ProxyUri(scheme, address, credentials);
    }

    /**
     * Reads {@code scheme://[user[:password]@]host[:port][/]}. The scheme is {@code http}, {@code https}, {@code
     * socks5} or {@code socks4}. {@code socks5h} and {@code socks} are the same as {@code socks5}, and {@code socks4a}
     * is the same as {@code socks4}, because Broxy sends every name to the proxy. A user name without a password has an
     * empty one; for SOCKS 4 it is the user id.
     *
     * @throws IllegalArgumentException if it is anything else; the message is one line of printable ASCII and shows no
     *     part of the user information
     */
    public static ProxyUri parse(String text) {
        int start = text.indexOf("://");
        Scheme scheme = start < 0 ? null : scheme(text.substring(0, start));
        if (scheme == null) {
            throw refused(
                    text,
                    "it must begin with http://, https://, socks5://, socks5h://, socks://, socks4:// or socks4a://");
        }
        String rest = text.substring(start + 3);
        int at = rest.indexOf('@');
        int end = endOfAuthority(rest);
        if (at >= 0 && (end < at || rest.indexOf('@', at + 1) >= 0)) {
            throw refused(text, "one of \"@ / ? #\" in the user name or the password must be percent-encoded");
        }
        if (!rest.substring(end).isEmpty() && !rest.substring(end).equals("/")) {
            throw refused(text, "only a \"/\" may follow the host");
        }
        HostPort address = address(rest.substring(at + 1, end), scheme);
        if (at < 0) {
            return new ProxyUri(scheme, address, null);
        }
        try {
            return of(scheme, address, credentials(rest.substring(0, at)));
        } catch (IllegalArgumentException e) { // its message does not show them
            throw refused(text, String.valueOf(e.getMessage()));
        }
    }

    private static @Nullable Scheme scheme(String name) {
        return switch (name.toLowerCase(Locale.ROOT)) {
            case "http" -> Scheme.HTTP;
            case "https" -> Scheme.HTTPS;
            case "socks5", "socks5h", "socks" -> Scheme.SOCKS5;
            case "socks4", "socks4a" -> Scheme.SOCKS4;
            default -> null;
        };
    }

    private static int endOfAuthority(String rest) {
        for (int i = 0; i < rest.length(); i++) {
            char c = rest.charAt(i);
            if (c == '/' || c == '?' || c == '#') {
                return i;
            }
        }
        return rest.length();
    }

    private static HostPort address(String text, Scheme scheme) {
        boolean hasPort = text.startsWith("[") ? !text.endsWith("]") : text.indexOf(':') >= 0;
        return hasPort ? HostPort.parse(text) : HostPort.of(text, scheme.defaultPort);
    }

    private static Credentials credentials(String userInfo) {
        if (userInfo.isEmpty()) {
            throw new IllegalArgumentException("the user information before the \"@\" is empty");
        }
        int colon = userInfo.indexOf(':');
        return colon < 0
                ? Credentials.basic(PercentCoding.decode(userInfo), "")
                : Credentials.basic(
                        PercentCoding.decode(userInfo.substring(0, colon)),
                        PercentCoding.decode(userInfo.substring(colon + 1)));
    }

    private static boolean fitsSocks5(Credentials credentials) {
        int user = credentials.user().getBytes(UTF_8).length;
        int password = credentials.password().getBytes(UTF_8).length;
        return user >= 1 && user <= 255 && password <= 255;
    }

    private static boolean fitsSocks4(Credentials credentials) {
        return credentials.password().isEmpty() && credentials.user().getBytes(UTF_8).length <= 255;
    }

    /** The protocol that the proxy speaks. */
    public Scheme scheme() {
        return scheme;
    }

    /** The address of the proxy. */
    public HostPort address() {
        return address;
    }

    /** The credentials for the proxy, or null if the URI has none. */
    public @Nullable Credentials credentials() {
        return credentials;
    }

    @Override
    public boolean equals(@Nullable Object other) {
        return other instanceof ProxyUri that
                && scheme == that.scheme
                && address.equals(that.address)
                && Objects.equals(credentials, that.credentials);
    }

    @Override
    public int hashCode() {
        return Objects.hash(scheme, address, credentials);
    }

    /** The URI with its port, for a log; it shows only whether there are credentials. */
    @Override
    public String toString() {
        return scheme + "://" + (credentials == null ? "" : "(not shown)@") + address;
    }

    private static IllegalArgumentException refused(String text, String problem) {
        return new IllegalArgumentException("not a proxy URI: " + Printable.quote(text) + ": " + problem);
    }
}
