package io.broxy.core.internal.http;

import static io.broxy.core.internal.http.Feeding.bytes;
import static org.assertj.core.api.Assertions.assertThat;

import java.net.InetAddress;
import java.net.UnknownHostException;
import java.util.Random;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Specifies which values of Host are valid. */
class HostSyntaxTest {

    /** Among other bytes, which must not be looked at. */
    private static boolean isValid(String host) {
        byte[] within = bytes("]:" + host + ":[0");
        return HostSyntax.isValid(within, 2, 2 + host.length());
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                ":",
                ":80",
                "a",
                "a:",
                "a:80",
                "a:99999999999999999999",
                "example.org",
                "EXAMPLE.org.",
                "192.0.2.1:80",
                "999.1",
                "a-b_c~d",
                "!$&'()*+,;=",
                "%00%fF%20",
                "a%2Eb:1",
                "[::]",
                "[::1]",
                "[::1]:",
                "[::1]:443",
                "[2001:DB8::1]",
                "[1:2:3:4:5:6:7:8]",
                "[1::8]",
                "[1:2:3:4:5:6:7::]",
                "[::2:3:4:5:6:7:8]",
                "[::ffff:192.0.2.1]",
                "[1:2:3:4:5:6:192.0.2.1]",
                "[::0.0.0.0]",
                "[1:2:3:4:5::255.255.255.255]",
                "[v1.a]",
                "[V1F.a:b-~!]:80",
            })
    void theseAreHosts(String host) {
        assertThat(isValid(host)).isTrue();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                " ",
                "a b",
                "a\tb",
                "a:b",
                "a:80 ",
                "a:-1",
                "a:+1",
                "a:0x50",
                "a:80:80",
                "::1",
                "user@a",
                "user:pass@a",
                "a/",
                "a?b",
                "a#b",
                "a\\b",
                "a\"b",
                "<a>",
                "a[0]",
                "a|b",
                "a^b",
                "\u00e4",
                "a\0",
                "%",
                "%1",
                "%1g",
                "%g1",
                "%%41",
                "a%2",
                "[",
                "[]",
                "]",
                "[::1",
                "::1]",
                "[::1]]",
                "[[::1]]",
                "[::1]80",
                "[::1]x",
                "[::1]:x",
                "[:]",
                "[:::]",
                "[1]",
                "[1:2:3:4:5:6:7]",
                "[1:2:3:4:5:6:7:8:9]",
                "[1:2:3:4:5:6:7:8::]",
                "[::1:2:3:4:5:6:7:8]",
                "[1::2::3]",
                "[:1:2:3:4:5:6:7:8]",
                "[1:2:3:4:5:6:7:]",
                "[:1::2]",
                "[1::2:]",
                "[12345::]",
                "[g::]",
                "[::1%25eth0]",
                "[::1%eth0]",
                "[192.0.2.1]",
                "[::192.0.2]",
                "[::192.0.2.1.1]",
                "[::192.0.2.256]",
                "[::192.0.2.01]",
                "[::192.0.2.1000]",
                "[::192.0..1]",
                "[::192.0.2.]",
                "[192.0.2.1::]",
                "[::192.0.2.1:1]",
                "[1:2:3:4:5:6:7:192.0.2.1]",
                "[ ::1]",
                "[v.a]",
                "[v1]",
                "[v1.]",
                "[vg.a]",
                "[v1.a@b]",
                "[x1.a]",
                "[example.org]",
            })
    void theseAreNot(String host) {
        assertThat(isValid(host)).isFalse();
    }

    @Test
    void everyByteIsEitherPartOfANameOrRefused() {
        String allowed = "-._~!$&'()*+,;=:"; // the colon begins a port, which may be empty
        for (int b = 0; b < 256; b++) {
            boolean valid = (b < 0x80 && Character.isLetterOrDigit(b)) || allowed.indexOf(b) >= 0;
            // a port

            assertThat(isValid("a" + (char) b)).as("byte %s", b).isEqualTo(valid);
        }
    }

    /** The JDK reads a text with a colon as a literal or not at all; it takes more than the grammar in a few places. */
    @Test
    @Tag("sweep")
    void anIpv6LiteralIsOneForTheJdkToo() {
        Random random = new Random(3986);
        String alphabet = "::::::0012aF.";
        int literals = 0;
        for (int i = 0; i < 100_000; i++) {
            StringBuilder text = new StringBuilder("::".substring(random.nextInt(3)));
            for (int length = random.nextInt(12); length > 0; length--) {
                text.append(alphabet.charAt(random.nextInt(alphabet.length())));
            }
            text.append(random.nextInt(4) == 0 ? ":1.2.3.4" : ":1");
            String literal = text.toString();
            boolean jdk = isAddressForTheJdk(literal);
            boolean valid = isValid("[" + literal + "]");

            if (valid) {
                assertThat(jdk).as(literal).isTrue();
                literals++;
            } else if (jdk) {
                assertThat(literal)
                        .as("what only the JDK takes")
                        .matches(".*([0-9a-fA-F]{5}|[:.]0[0-9a-fA-F]+\\.|\\.0[0-9]).*");
            }
        }
        assertThat(literals).isGreaterThan(1_000);
    }

    private static boolean isAddressForTheJdk(String literal) {
        try {
            InetAddress.getByName("[" + literal + "]");
            return true;
        } catch (UnknownHostException e) {
            return false;
        }
    }
}
