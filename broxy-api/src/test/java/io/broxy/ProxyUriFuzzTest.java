package io.broxy;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import com.code_intelligence.jazzer.junit.DictionaryEntries;
import com.code_intelligence.jazzer.junit.FuzzTest;
import java.net.URI;
import java.net.URISyntaxException;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/**
 * Specifies that a proxy's URI is parsed as the JDK's {@code URI} parses it, and that no message shows a possible
 * password.
 */
class ProxyUriFuzzTest {
    @DictionaryEntries({
        "http://",
        "https://",
        "socks5://",
        "socks5h://",
        "socks://",
        "socks4a://",
        "user:password@",
        "proxy.example:3128",
        "[2001:db8::1]:1080",
        "/",
        "?",
        "#",
        "%40",
        "%00",
        "%c3%a4",
        "@",
        ":",
        "+"
    })
    @FuzzTest
    void aProxyUriIsReadAsTheJdkReadsIt(byte[] bytes) {
        String text = new String(bytes, UTF_8);
        assertShowsNoSecret(text);
        ProxyUri read;
        try {
            read = ProxyUri.parse(text);
        } catch (IllegalArgumentException e) {
            assertThat(e.getMessage()).matches("[ -~]{1,1000}");
            return;
        }
        assertThat(ProxyUri.of(read.scheme(), read.address(), read.credentials()))
                .isEqualTo(read);
        URI uri = uri(text);
        String scheme = uri.getScheme().toLowerCase(Locale.ROOT);
        String canonical = List.of("socks", "socks5h").contains(scheme) ? "socks5" : scheme;
        assertThat(canonical.equals("socks4a") ? "socks4" : canonical)
                .isEqualTo(read.scheme().toString());
        checkCredentials(uri.getRawAuthority(), read.credentials());
        if (uri.getHost() != null) { // see HostPortFuzzTest for what the JDK does not take for a host
            int port = uri.getPort() < 0 ? read.scheme().defaultPort() : uri.getPort();
            assertThat(HostPort.of(uri.getHost(), port)).isEqualTo(read.address());
        }
    }

    /** The user information is the text before the '@'. */
    private static void checkCredentials(String authority, @Nullable Credentials credentials) {
        int at = authority.indexOf('@');
        assertThat(at >= 0).isEqualTo(credentials != null);
        if (credentials != null) {
            String[] parts = authority.substring(0, at).split(":", 2);
            assertThat(decode(parts[0])).isEqualTo(credentials.user());
            assertThat(parts.length > 1 ? decode(parts[1]) : "").isEqualTo(credentials.password());
        }
    }

    /** As the JDK decodes a path, in which a plus is a plus. */
    private static String decode(String part) {
        return uri("/" + part).getPath().substring(1);
    }

    /** Other letters in the place of the user information change nothing about what is shown. */
    private static void assertShowsNoSecret(String text) {
        int start = text.indexOf("://") + 3;
        int at = text.lastIndexOf('@');
        if (start < 3 || at < start) {
            return;
        }
        StringBuilder other = new StringBuilder(text);
        for (int i = start; i < at; i++) {
            char c = text.charAt(i);
            if (c >= 'g' && c <= 'y') { // the others may be hexadecimal digits
                other.setCharAt(i, (char) (c + 1));
            }
        }
        assertThat(shown(other.toString())).isEqualTo(shown(text));
    }

    private static String shown(String text) {
        try {
            return ProxyUri.parse(text).toString();
        } catch (IllegalArgumentException e) {
            return String.valueOf(e.getMessage());
        }
    }

    private static URI uri(String text) {
        try {
            return new URI(text);
        } catch (URISyntaxException e) {
            throw new AssertionError("the JDK refuses the URI", e);
        }
    }
}
