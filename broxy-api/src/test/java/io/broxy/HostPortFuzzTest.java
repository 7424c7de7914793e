package io.broxy;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import com.code_intelligence.jazzer.junit.DictionaryEntries;
import com.code_intelligence.jazzer.junit.FuzzTest;
import java.net.InetAddress;
import java.net.URI;
import java.net.URISyntaxException;
import java.net.UnknownHostException;
import java.util.Locale;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** Specifies that a target in authority form is parsed as the JDK's {@code URI} and {@code InetAddress} parse it. */
class HostPortFuzzTest {
    private static final Pattern NAME = Pattern.compile("[a-z0-9_-]++");

    @DictionaryEntries({
        "example.org:443",
        "[::1]:443",
        "192.0.2.1:80",
        "::ffff:192.0.2.1",
        "0x7f.1",
        "2130706433",
        "127.1",
        "%eth0",
        "%2e",
        "user@",
        ":65535",
        ":65536",
        ":0",
        ":080",
        "xn--",
        ".",
        "..",
        "_",
        "-"
    })
    @FuzzTest
    void anAuthorityIsReadAsTheJdkReadsIt(byte[] bytes) {
        String text = new String(bytes, UTF_8);
        HostPort read;
        try {
            read = HostPort.parse(text);
        } catch (IllegalArgumentException e) {
            assertThat(e.getMessage()).matches("[ -~]{1,1000}");
            return;
        }
        assertThat(HostPort.parse(read.toString())).isEqualTo(read).hasToString(read.toString());
        assertThat(HostPort.of(read.host(), read.port())).isEqualTo(read);
        InetAddress address = read.address();
        if (address == null) {
            checkName(text, read);
        } else {
            checkAddress(text, read, address);
        }
    }

    /** A name is what the RFCs say, and nothing that a resolver could take for a number. */
    private static void checkName(String text, HostPort read) {
        String[] labels = read.host().split("\\.", -1);
        for (String label : labels) {
            assertThat(label).matches(NAME).hasSizeLessThanOrEqualTo(63);
        }
        assertThat(read.host()).hasSizeLessThanOrEqualTo(253);
        assertThat(labels[labels.length - 1]).doesNotMatch("[0-9]+|0x[0-9a-f]*");
        URI uri = uri(text);
        assertThat(uri.getRawAuthority()).isEqualTo(text);
        if (uri.getHost() != null) { // it knows no underscores, and no last label that begins with a digit
            String host = uri.getHost().toLowerCase(Locale.ROOT);
            assertThat(host.endsWith(".") ? host.substring(0, host.length() - 1) : host)
                    .isEqualTo(read.host());
            assertThat(uri.getPort()).isEqualTo(read.port());
        } else {
            assertThat(read.host()).matches(".*_.*|.*\\.[0-9][^.]*|[0-9][^.]*");
        }
    }

    private static void checkAddress(String text, HostPort read, InetAddress address) {
        URI uri = uri(text);
        assertThat(uri.getPort()).isEqualTo(read.port());
        assertThat(literal(uri.getHost())).isEqualTo(address).isEqualTo(literal(read.host()));
        assertThat(address.getHostName()).isEqualTo(read.host());
        assertThat(Cidr.parse(read.host()).contains(address)).isTrue();
    }

    private static URI uri(String authority) {
        try {
            return new URI("http://" + authority + "/");
        } catch (URISyntaxException e) {
            throw new AssertionError("the JDK refuses the authority " + authority, e);
        }
    }

    /** Never a name, so that nothing is looked up. */
    private static InetAddress literal(@Nullable String host) {
        assertThat(host).matches("[0-9.]+|\\[?[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*\\]?");
        try {
            return InetAddress.getByName(host);
        } catch (UnknownHostException e) {
            throw new AssertionError("the JDK knows no such address", e);
        }
    }
}
