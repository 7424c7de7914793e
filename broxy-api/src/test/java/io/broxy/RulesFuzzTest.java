package io.broxy;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import com.code_intelligence.jazzer.junit.DictionaryEntries;
import com.code_intelligence.jazzer.junit.FuzzTest;
import java.net.InetAddress;
import java.util.ArrayList;
import java.util.List;

/**
 * Specifies that the first rule that matches decides, whatever the rules: the index agrees with a check of one after
 * the other. The input is a rule a line: {@code d} and a domain, {@code a} and an address, {@code p} and a port,
 * {@code ?} and a target.
 */
class RulesFuzzTest {

    @DictionaryEntries({
        "\\x0ad",
        "\\x0aa",
        "\\x0ap",
        "\\x0a?",
        "example.com",
        ".example.com:443",
        "www.example.com:443",
        "10.0.0.0/8",
        "10.1.2.3:80",
        "[2001:db8::1]:443",
        "2001:db8::/32",
        "[::ffff:10.1.2.3]:80",
        "::/0",
        "0.0.0.0/0:443",
        "443"
    })
    @FuzzTest
    void theFirstRuleThatMatchesDecides(byte[] bytes) {
        Rules.Builder builder = Rules.builder().otherwise(Route.deny());
        List<Reference> rules = new ArrayList<>();
        List<HostPort> targets = new ArrayList<>();
        for (String line : new String(bytes, UTF_8).split("\n", -1)) {
            if (line.startsWith("?")) {
                addTarget(targets, line.substring(1));
            } else if (!line.isEmpty()) {
                add(builder, rules, line.charAt(0), line.substring(1));
            }
        }
        Rules built = builder.build();
        for (HostPort target : targets) {
            String expected = rules.stream()
                    .filter(rule -> rule.matches(target))
                    .map(Reference::hop)
                    .findFirst()
                    .orElse("");
            Route route = built.route(target);
            assertThat(route.isDenied() ? "" : route.hops().get(0)).isEqualTo(expected);
            assertThat(built.explain(target)).matches("[ -~]+");
        }
    }

    private static void addTarget(List<HostPort> targets, String text) {
        try {
            targets.add(HostPort.parse(text));
        } catch (IllegalArgumentException e) {
            return; // HostPortFuzzTest has seen to it
        }
    }

    private static void add(Rules.Builder builder, List<Reference> rules, char kind, String text) {
        String hop = "hop" + rules.size();
        try {
            switch (kind) {
                case 'd' -> builder.domain(text, Route.via(hop));
                case 'a' -> builder.address(text, Route.via(hop));
                case 'p' -> builder.port(text.length(), Route.via(hop));
                default -> {
                    return;
                }
            }
        } catch (RuleException e) {
            assertThat(e.getMessage()).matches("[ -~]{1,1000}").startsWith("rules[" + rules.size() + "]");
            return;
        }
        rules.add(new Reference(kind, text, hop));
    }

    /** A rule that was accepted, read in a second way. */
    private record Reference(char kind, String text, String hop) {

        boolean matches(HostPort target) {
            return switch (kind) {
                case 'd' -> matchesDomain(target);
                case 'a' -> matchesAddress(target);
                default -> target.port() == text.length();
            };
        }

        private boolean matchesDomain(HostPort target) {
            int colon = text.indexOf(':');
            String name = (colon < 0 ? text : text.substring(0, colon)).replaceAll("^\\.|\\.$", "");
            String host = "." + target.host();
            return target.address() == null
                    && host.endsWith("." + HostPort.of(name, 1).host())
                    && (colon < 0 || target.port() == Integer.parseInt(text.substring(colon + 1)));
        }

        private boolean matchesAddress(HostPort target) {
            InetAddress address = target.address();
            String[] parts = split();
            return address != null
                    && Cidr.parse(parts[0]).contains(address)
                    && (parts[1].isEmpty() || target.port() == Integer.parseInt(parts[1]));
        }

        /** The block, and the port or nothing. */
        private String[] split() {
            boolean ipv6 = text.indexOf(':') != text.lastIndexOf(':');
            int from = text.startsWith("[") ? text.indexOf(']') : ipv6 ? Math.max(0, text.indexOf('/')) : 0;
            int colon = text.startsWith("[") || !ipv6 || from > 0 ? text.indexOf(':', from) : -1;
            String block = colon < 0 ? text : text.substring(0, colon);
            return new String[] {block.replace("[", "").replace("]", ""), colon < 0 ? "" : text.substring(colon + 1)};
        }
    }
}
