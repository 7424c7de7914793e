package io.broxy;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.fail;

import java.net.Inet4Address;
import java.net.Inet6Address;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.util.Objects;
import java.util.Random;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.function.Supplier;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Specifies which hosts and ports are valid, and their canonical form. */
class HostPortTest {
    /** Compiled once, and asserted only where they fail, for they are asked hundreds of thousands of times. */
    private static final Pattern REFUSAL = Pattern.compile("not a target: [ -~]+");

    private static final Pattern ONLY_THE_JDK_TAKES_THE_ZEROS =
            Pattern.compile("[0-9a-fA-F]{5}|[:.]0[0-9a-fA-F]+\\.|\\.0[0-9]");
    private static final Pattern NUMBERS = Pattern.compile("(0x[0-9a-f]*|[0-9]+)(\\.(0x[0-9a-f]*|[0-9]+))*");

    @ParameterizedTest
    @CsvSource({
        "example.org:443, example.org, 443",
        "EXAMPLE.Org:443, example.org, 443",
        "example.org.:443, example.org, 443",
        "localhost:1, localhost, 1",
        "a:65535, a, 65535",
        "a-b.c--d:80, a-b.c--d, 80",
        "_http._tcp.example.org:80, _http._tcp.example.org, 80",
        "_:80, _, 80",
        "a_.b:80, a_.b, 80",
        "-example.org:443, -example.org, 443",
        "example-.org:443, example-.org, 443",
        "example.-org:443, example.-org, 443",
        "example.Org-.:443, example.org-, 443",
        "r3---sn-abc-.example:443, r3---sn-abc-.example, 443",
        "-:443, -, 443",
        "_-_.-_-:80, _-_.-_-, 80",
        "1.2.3.4-:80, 1.2.3.4-, 80",
        "-1:80, -1, 80",
        "xn--bcher-kva.example:443, xn--bcher-kva.example, 443",
        "127.example:80, 127.example, 80",
        "1.2.3.4.example:80, 1.2.3.4.example, 80",
        "0x7f.example:80, 0x7f.example, 80",
        "3com:80, 3com, 80",
        "1e9.0y1:80, 1e9.0y1, 80",
        "0xg1:80, 0xg1, 80",
        "x0x1:80, x0x1, 80",
        "00x1:80, 00x1, 80",
        "deadbeef:80, deadbeef, 80",
    })
    void namesAreHeldInLowerCaseWithoutTheTrailingDot(String text, String host, int port) {
        HostPort target = HostPort.parse(text);

        assertThat(target.host()).isEqualTo(host);
        assertThat(target.port()).isEqualTo(port);
        assertThat(target.isLiteral()).isFalse();
        assertThat(target.address()).isNull();
        assertThat(target).hasToString(host + ":" + port).isEqualTo(HostPort.of(host, port));
    }

    @ParameterizedTest
    @ValueSource(strings = {"0.0.0.0", "1.2.3.4", "192.0.2.1", "127.0.0.1", "255.255.255.255", "100.64.10.0"})
    void ipv4LiteralsKnowTheirAddress(String literal) {
        HostPort target = HostPort.parse(literal + ":80");

        assertThat(target.isLiteral()).isTrue();
        assertThat(target.host()).isEqualTo(literal);
        assertThat(target.address()).isInstanceOf(Inet4Address.class).isEqualTo(Literals.address(literal));
        assertThat(target).hasToString(literal + ":80").isEqualTo(HostPort.of(literal, 80));
    }

    /** The examples of RFC 5952 are among them. */
    @ParameterizedTest
    @CsvSource({
        "::, ::",
        "::1, ::1",
        "1::, 1::",
        "0:0:0:0:0:0:0:1, ::1",
        "2001:DB8::1, 2001:db8::1",
        "2001:0db8:0000:0000:0001:0000:0000:0001, 2001:db8::1:0:0:1",
        "2001:db8:0:0:1:0:0:1, 2001:db8::1:0:0:1",
        "2001:db8::1:1:1:1:1, 2001:db8:0:1:1:1:1:1",
        "2001:db8:0:1:1:1:1:1, 2001:db8:0:1:1:1:1:1",
        "2001:0:0:1:0:0:0:1, 2001:0:0:1::1",
        "2001:db8:aaaa:bbbb:cccc:dddd:eeee:0, 2001:db8:aaaa:bbbb:cccc:dddd:eeee:0",
        "::2:3:4:5:6:7:8, 0:2:3:4:5:6:7:8",
        "1:2:3:4:5:6:7::, 1:2:3:4:5:6:7:0",
        "1:0:0:4:5:0:0:8, 1::4:5:0:0:8",
        "0:0:3:4:5:0:0:0, 0:0:3:4:5::",
        "64:ff9b::192.0.2.33, 64:ff9b::c000:221",
        "::192.0.2.33, ::c000:221",
        "1:2:3:4:5:6:1.2.3.4, 1:2:3:4:5:6:102:304",
        "fe80::1, fe80::1",
    })
    void ipv6LiteralsAreHeldAsRfc5952WritesThem(String literal, String host) {
        HostPort target = HostPort.parse("[" + literal + "]:443");

        assertThat(target.host()).isEqualTo(host);
        assertThat(target).hasToString("[" + host + "]:443");
        assertThat(target.address()).isInstanceOf(Inet6Address.class).isEqualTo(Literals.address(literal));
        assertThat(HostPort.of(literal, 443)).isEqualTo(target).hasSameHashCodeAs(target);
        assertThat(HostPort.of("[" + literal + "]", 443)).isEqualTo(target);
        assertThat(HostPort.parse(target.toString())).isEqualTo(target);
    }

    @ParameterizedTest
    @ValueSource(strings = {"::ffff:192.0.2.1", "::FFFF:c000:201", "0:0:0:0:0:ffff:192.0.2.1"})
    void anIpv4MappedLiteralKeepsItsFormAndLeadsToTheIpv4Address(String literal) {
        HostPort target = HostPort.parse("[" + literal + "]:80");

        assertThat(target).hasToString("[::ffff:192.0.2.1]:80").isNotEqualTo(HostPort.parse("192.0.2.1:80"));
        assertThat(target.address()).isInstanceOf(Inet4Address.class).isEqualTo(Literals.address("192.0.2.1"));
    }

    @ParameterizedTest
    @ValueSource(strings = {"192.0.2.1:80", "[2001:db8::1]:80"})
    void theAddressOfALiteralIsItsOwnName(String text) {
        HostPort target = HostPort.parse(text);
        InetAddress address = Objects.requireNonNull(target.address());

        assertThat(address.getHostName()).isEqualTo(target.host()); // without it, this would ask the DNS
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            value = {
                "``                       | port is missing",
                "example.org              | port is missing",
                "example.org:             | port is missing",
                "192.0.2.1                | port is missing",
                "[::1]                    | port is missing",
                "[::1]:                   | port is missing",
                "[::1]443                 | port is missing",
                "[::1].:443               | port is missing",
                "[::1:443                 | closing bracket is missing",
                "[                        | closing bracket is missing",
                "[]:443                   | not an IPv6 address",
                "[:]:443                  | not an IPv6 address",
                "[192.0.2.1]:443          | not an IPv6 address",
                "[example.org]:443        | not an IPv6 address",
                "[[::1]]:443              | port is missing",
                "[v1.a:b]:443             | not an IPv6 address",
                "::1                      | brackets",
                "2001:db8::1:443          | brackets",
                "http://example.org:443   | brackets",
                "a:b:80                   | brackets",
                "example.org:443:443      | brackets",
                ":443                     | host is empty",
                ".:443                    | host is empty",
                "..:443                   | empty label",
                ".example.org:443         | empty label",
                "example..org:443         | empty label",
                "example.org..:443        | empty label",
                "example.org:0            | within 1 to 65535",
                "example.org:65536        | within 1 to 65535",
                "example.org:4294967377   | within 1 to 65535",
                "example.org:99999999999999999999 | within 1 to 65535",
                "example.org:0443         | leading zeros",
                "example.org:00           | leading zeros",
                "example.org:+443         | not a decimal number",
                "example.org:-443         | not a decimal number",
                "`example.org: 443`       | not a decimal number",
                "`example.org:443 `       | not a decimal number",
                "example.org:4 43         | not a decimal number",
                "example.org:443/         | not a decimal number",
                "example.org:0x1bb        | not a decimal number",
                "example.org:https        | not a decimal number",
                "example.org:４４３        | not a decimal number",
                "example.org:٤٤٣          | not a decimal number",
                "user@example.org:443     | user information",
                "user:secret@example.org:443 | user information",
                "@example.org:443         | user information",
                "[::1]@example.org:443    | user information",
                "exa%6dple.org:443        | percent-encoding",
                "example.org%00:443       | percent-encoding",
                "[fe80::1%eth0]:443       | zone ids",
                "[fe80::1%25eth0]:443     | zone ids",
                "[fe80::1%]:443           | zone ids",
                "fe80::1%eth0:443         | brackets",
                "` example.org:443`       | white space",
                "example .org:443         | white space",
                "example.org :443         | white space",
                "bücher.example:443       | A-labels",
                "example。org:443          | A-labels",
                "１２７.0.0.1:443           | A-labels",
                "\u212a.example:443       | A-labels",
                "example.org/:443         | letters, digits",
                "*.example.org:443        | letters, digits",
                "a,b:443                  | letters, digits",
                "a\\b:443                 | letters, digits",
                "a#b:443                  | letters, digits",
                "a?b:443                  | letters, digits",
            })
    void everythingElseIsRefused(String text, String problem) {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> HostPort.parse(text))
                .withMessageContaining(problem)
                .withMessageMatching("not a target: [ -~]+");
    }

    /** What inet_aton, and with it many resolvers and browsers, would take for an address. */
    @ParameterizedTest
    @ValueSource(
            strings = {
                "2130706433",
                "0",
                "127.1",
                "127.0.1",
                "1.2.3",
                "1.2.3.4.5",
                "0177.0.0.1",
                "127.0.0.01",
                "00.0.0.0",
                "0x7f.1",
                "0X7F.0.0.1",
                "0x7f000001",
                "0x",
                "0x.0x.0x.0x",
                "127.0.0.0x1",
                "256.0.0.1",
                "1.2.3.256",
                "1.2.3.4000",
                "99999999999999999999",
                "example.1",
                "example.0x1",
                "example.09",
                "1.2.3.4.",
                "127.1.",
                "1..2",
            })
    void aHostThatEndsInANumberButIsNoDottedQuadIsRefused(String host) {
        assertThatIllegalArgumentException().isThrownBy(() -> HostPort.of(host, 80));
        assertThatIllegalArgumentException().isThrownBy(() -> HostPort.parse(host + ":80"));
    }

    @Test
    @Tag("sweep")
    void onlyLettersDigitsHyphensUnderscoresAndDotsAreNameCharacters() throws Exception {
        onShortStack(HostPortTest::tryEveryCharacter);
    }

    private static void tryEveryCharacter() {
        String allowed = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.";
        for (int c = 0; c <= 0xffff; c++) {
            String host = "a" + (char) c + "b";
            if (allowed.indexOf(c) >= 0) {
                assertThat(HostPort.of(host, 80).host()).isEqualToIgnoringCase(host);
            } else {
                requireRefusal(host, () -> HostPort.of(host, 80));
                requireRefusal(host, () -> HostPort.parse(host + ":80"));
            }
        }
    }

    /** In a thread of its own, for its stack is short: nearly all the time would go into the stack traces of refusals. */
    private static void onShortStack(Runnable test) throws InterruptedException, ExecutionException {
        FutureTask<?> task = new FutureTask<>(test, null);
        new Thread(task).start();
        task.get();
    }

    /** As the assertions of AssertJ, a hundred times as fast. */
    private static void requireRefusal(String host, Supplier<HostPort> making) {
        HostPort made;
        try {
            made = making.get();
        } catch (IllegalArgumentException e) {
            if (!REFUSAL.matcher(String.valueOf(e.getMessage())).matches()) {
                fail("refused with another message: " + e.getMessage());
            }
            return;
        }
        fail(host + " is taken as " + made);
    }

    @Test
    void aLabelHas63CharactersAtMost() {
        String longest = "a".repeat(63);

        assertThat(HostPort.of(longest + ".b", 80).host()).hasSize(65);
        assertThat(HostPort.of("b." + longest, 80).host()).hasSize(65);
        assertThatIllegalArgumentException()
                .isThrownBy(() -> HostPort.of(longest + "a.b", 80))
                .withMessageContaining("63");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> HostPort.of("b." + longest + "a", 80))
                .withMessageContaining("63");
    }

    @Test
    void aNameHas253CharactersAtMostNotCountingTheTrailingDot() {
        String longest = "a".repeat(63) + "." + "b".repeat(63) + "." + "c".repeat(63) + "." + "d".repeat(61);

        assertThat(HostPort.of(longest, 80).host()).hasSize(253);
        assertThat(HostPort.of(longest + ".", 80).host()).hasSize(253);
        assertThatIllegalArgumentException()
                .isThrownBy(() -> HostPort.of(longest + "d", 80))
                .withMessageContaining("253");
    }

    @ParameterizedTest
    @ValueSource(ints = {0, -1, 65_536, Integer.MIN_VALUE, Integer.MAX_VALUE})
    void aPortIsWithin1And65535(int port) {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> HostPort.of("example.org", port))
                .withMessageContaining("port " + port);
    }

    @ParameterizedTest
    @ValueSource(strings = {"", ".", "a:b", "example.org:443", "[::1", "[::1]x", "::1]", "[::1]:443", "::1%lo", "1:2"})
    void theHostOfTwoPartsIsHeldToTheSameRules(String host) {
        assertThatIllegalArgumentException().isThrownBy(() -> HostPort.of(host, 443));
    }

    @Test
    void messagesShowNeitherPasswordsNorControlsNorEndlessText() {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> HostPort.parse("user:secret@example.org:443"))
                .withMessageNotContaining("secret");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> HostPort.of("user:secret@example.org", 0))
                .withMessageNotContaining("secret");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> HostPort.parse("a\r\nSet-Cookie: \u202e\"\\"))
                .withMessage(
                        "not a target: \"a\\u000d\\u000aSet-Cookie: \\u202e\\\"\\\\\": the port is not a decimal number");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> HostPort.parse("x".repeat(8192)))
                .satisfies(e -> assertThat(e.getMessage()).hasSizeLessThan(200).contains("\"..."));
    }

    @Test
    void equalityIsThatOfTheCanonicalHostAndThePort() {
        HostPort target = HostPort.parse("example.org:443");

        assertThat(target)
                .isEqualTo(HostPort.parse("EXAMPLE.ORG.:443"))
                .hasSameHashCodeAs(HostPort.parse("EXAMPLE.ORG.:443"))
                .isNotEqualTo(HostPort.parse("example.org:444"))
                .isNotEqualTo(HostPort.parse("example.com:443"))
                .isNotEqualTo("example.org:443");
    }

    /** Random groups and runs of zeros, written by this class and read by the JDK. */
    @Test
    @Tag("sweep")
    void theCanonicalTextOfAnyIpv6AddressIsReadAlikeByTheJdk() {
        Random random = new Random(5952);
        for (int i = 0; i < 20_000; i++) {
            byte[] bytes = new byte[16];
            random.nextBytes(bytes);
            for (int group = 0; group < 16; group += 2) {
                int kind = random.nextInt(3);
                bytes[group] = kind == 2 ? bytes[group] : 0;
                bytes[group + 1] = kind == 0 ? 0 : bytes[group + 1];
            }
            InetAddress address = Literals.of(bytes);
            if (address instanceof Inet4Address) {
                continue;
            }
            HostPort target = HostPort.of(address.getHostAddress(), 443); // the JDK writes all eight groups

            assertThat(target.address()).isEqualTo(address);
            assertThat(Literals.address(target.host())).isEqualTo(address);
            assertThat(HostPort.parse(target.toString())).isEqualTo(target);
            assertThat(target.host()).matches("[0-9a-f:]+").doesNotContainPattern("(^|:)0[0-9a-f]");
            assertThat(target.host().contains("::"))
                    .as(target.host())
                    .isEqualTo((":" + address.getHostAddress() + ":").contains(":0:0:"));
        }
    }

    /** The JDK, too, looks nothing up that has a colon in it. It takes leading zeros beyond the fourth digit, though. */
    @Test
    @Tag("sweep")
    void anIpv6LiteralIsOneForTheJdkAndViceVersa() throws Exception {
        onShortStack(HostPortTest::compareLiteralsWithTheJdk);
    }

    private static void compareLiteralsWithTheJdk() {
        Random random = new Random(4291);
        String alphabet = "::::::0012aF.";
        int literals = 0;
        for (int i = 0; i < 300_000; i++) {
            StringBuilder text = new StringBuilder("::".substring(random.nextInt(3)));
            for (int length = random.nextInt(12); length > 0; length--) {
                text.append(alphabet.charAt(random.nextInt(alphabet.length())));
            }
            String literal =
                    text.append(random.nextInt(4) == 0 ? "1.2.3.4" : ":1").toString();
            InetAddress expected = literal.indexOf(':') < 0 ? null : jdkAddress(literal);
            boolean plain = !ONLY_THE_JDK_TAKES_THE_ZEROS.matcher(literal).find();

            if (expected != null && plain) {
                if (!expected.equals(HostPort.of(literal, 80).address())) {
                    fail(literal + " is " + HostPort.of(literal, 80).address() + " here");
                }
                literals++;
            } else if (literal.indexOf(':') >= 0) {
                requireRefusal(literal, () -> HostPort.of(literal, 80));
            }
        }
        assertThat(literals).isGreaterThan(1000);
    }

    /** An independent reading of inet_aton: one to four numbers, each decimal, octal or hexadecimal. */
    @Test
    @Tag("sweep")
    void noNameIsANumberForOtherResolvers() throws Exception {
        onShortStack(HostPortTest::compareNamesWithNumbers);
    }

    private static void compareNamesWithNumbers() {
        Random random = new Random(1123);
        String alphabet = "0127x.f";
        int names = 0;
        for (int i = 0; i < 300_000; i++) {
            StringBuilder text = new StringBuilder();
            for (int length = 1 + random.nextInt(10); length > 0; length--) {
                text.append(alphabet.charAt(random.nextInt(alphabet.length())));
            }
            HostPort target;
            try {
                target = HostPort.of(text.toString(), 80);
            } catch (IllegalArgumentException e) {
                continue;
            }
            if (target.isLiteral()) {
                assertThat(target.address()).isEqualTo(Literals.address(target.host()));
            } else {
                if (NUMBERS.matcher(target.host()).matches()) {
                    fail(target.host() + " is a number for others");
                }
                names++;
            }
        }
        assertThat(names).isGreaterThan(1000);
    }

    private static @Nullable InetAddress jdkAddress(String literal) {
        try {
            return InetAddress.getByName(literal);
        } catch (UnknownHostException e) {
            return null;
        }
    }
}
