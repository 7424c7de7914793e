package io.broxy;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Specifies which targets a rule matches, which rule decides, and which rules and routes are refused. */
class RulesTest {
    private static final Route PROXY = Route.via("proxy");

    private static boolean matches(Rules.Builder rule, String target) {
        return rule.otherwise(Route.direct())
                .build()
                .route(HostPort.parse(target))
                .equals(PROXY);
    }

    @ParameterizedTest
    @CsvSource({
        "example.com, example.com:443, true",
        ".example.com, example.com:443, true",
        "example.com, www.example.com:443, true",
        ".example.com, a.b.c.example.com:1, true",
        "example.com, WWW.Example.COM.:443, true",
        ".EXAMPLE.com., www.example.com:443, true",
        "com, example.com:443, true",
        "localhost, localhost:80, true",
        "example.com, example.org:443, false",
        "example.com, com:443, false",
        "example.com, example.com.org:443, false",
        "example.com, www-example.com:443, false",
        "www.example.com, example.com:443, false",
        "example.com:443, www.example.com:443, true",
        ".example.com:443, example.com:443, true",
        "example.com:443, example.com:444, false",
        "-a.example, b.-A.example.:443, true",
        "a-.example, a-.example:443, true",
        "_dmarc.a_b.example, _dmarc.a_b.example:443, true",
        "-a.example, a.example:443, false",
        "com, 192.0.2.1:80, false",
        "com, [2001:db8::1]:80, false",
    })
    void aDomainMatchesItselfAndWhatIsBelow(String domain, String target, boolean matches) {
        assertThat(matches(Rules.builder().domain(domain, PROXY), target)).isEqualTo(matches);
    }

    @ParameterizedTest
    @ValueSource(strings = {"google.com", ".google.com"})
    void evilgoogleIsNotGoogle(String domain) {
        assertThat(matches(Rules.builder().domain(domain, PROXY), "evilgoogle.com:443"))
                .isFalse();
        assertThat(matches(Rules.builder().domain(domain, PROXY), "www.evilgoogle.com:443"))
                .isFalse();
        assertThat(matches(Rules.builder().domain(domain, PROXY), "www.google.com:443"))
                .isTrue();
    }

    @ParameterizedTest
    @CsvSource({
        "192.0.2.1, 192.0.2.1:80, true",
        "192.0.2.1, 192.0.2.2:80, false",
        "192.0.2.1:80, 192.0.2.1:80, true",
        "192.0.2.1:80, 192.0.2.1:81, false",
        "10.0.0.0/8, 10.255.255.255:1, true",
        "10.0.0.0/8, 11.0.0.0:1, false",
        "10.0.0.0/8:443, 10.1.1.1:443, true",
        "10.0.0.0/8:443, 10.1.1.1:80, false",
        "10.0.0.0/8, ten.example:1, false",
        "0.0.0.0/0, 192.0.2.1:80, true",
        "0.0.0.0/0, [2001:db8::1]:80, false",
        "::/0, [2001:db8::1]:80, true",
        "::/0, 192.0.2.1:80, false",
        "::fffe:0:0/95, 192.0.2.1:80, false",
        "2001:db8::1, [2001:db8::1]:80, true",
        "[2001:db8::1], [2001:db8:0::1]:80, true",
        "[2001:db8::1]:80, [2001:db8::1]:80, true",
        "[2001:db8::1]:80, [2001:db8::1]:81, false",
        "2001:db8::/32, [2001:db8:ffff::]:80, true",
        "2001:db8::/32:80, [2001:db8:ffff::]:81, false",
        "2001:db8::/32, [2001:db9::]:80, false",
        "10.0.0.0/8, [::ffff:10.1.2.3]:80, true",
        "::ffff:10.0.0.0/104, 10.1.2.3:80, true",
        "::ffff:192.0.2.1, 192.0.2.1:80, true",
        "192.0.2.1, [::ffff:c000:201]:80, true",
    })
    void anAddressMatchesTargetsThatAreOne(String address, String target, boolean matches) {
        assertThat(matches(Rules.builder().address(address, PROXY), target)).isEqualTo(matches);
    }

    @Test
    void aPortMatchesEveryHost() {
        assertThat(matches(Rules.builder().port(80, PROXY), "example.com:80")).isTrue();
        assertThat(matches(Rules.builder().port(80, PROXY), "[::1]:80")).isTrue();
        assertThat(matches(Rules.builder().port(80, PROXY), "example.com:8080")).isFalse();
    }

    @Test
    void theFirstRuleThatMatchesDecidesWhateverIsMoreSpecific() {
        Rules rules = Rules.builder()
                .domain("a.example", Route.via("1"))
                .domain("example:8443", Route.via("2"))
                .domain("example", Route.via("3"))
                .domain("b.example", Route.via("4"))
                .address("10.1.0.0/16", Route.via("5"))
                .address("10.0.0.0/8", Route.via("6"))
                .address("10.2.0.0/16", Route.via("7"))
                .port(22, Route.deny())
                .otherwise(Route.via("8"))
                .build();

        assertThat(route(rules, "x.a.example:8443")).isEqualTo(Route.via("1"));
        assertThat(route(rules, "b.example:8443")).isEqualTo(Route.via("2"));
        assertThat(route(rules, "b.example:22")).isEqualTo(Route.via("3"));
        assertThat(route(rules, "10.1.2.3:22")).isEqualTo(Route.via("5"));
        assertThat(route(rules, "10.2.2.3:22")).isEqualTo(Route.via("6"));
        assertThat(route(rules, "other:22")).isEqualTo(Route.deny());
        assertThat(route(rules, "other:80")).isEqualTo(Route.via("8"));
        assertThat(rules.hops()).containsExactlyInAnyOrder("1", "2", "3", "4", "5", "6", "7", "8");
    }

    private static Route route(Rules rules, String target) {
        return rules.route(HostPort.parse(target));
    }

    @Test
    void withoutARuleEverythingIsDialedDirectly() {
        assertThat(route(Rules.builder().build(), "example.com:80")).isEqualTo(Route.direct());
        assertThat(route(Rules.always(Route.deny()), "example.com:80")).isEqualTo(Route.deny());
    }

    @Test
    void anExplanationNamesTheRuleThatDecided() {
        Rules rules = Rules.builder()
                .domain(".Example.COM", Route.via("a", "b"))
                .address("10.0.0.0/8:443", Route.deny())
                .port(25, Route.direct())
                .otherwise(Route.via("c"))
                .build();

        assertThat(rules.explain(HostPort.parse("www.example.com:443")))
                .isEqualTo("www.example.com:443 goes via a, b: rules[0], domain example.com");
        assertThat(rules.explain(HostPort.parse("10.1.1.1:443")))
                .isEqualTo("10.1.1.1:443 is denied: rules[1], address 10.0.0.0/8, port 443");
        assertThat(rules.explain(HostPort.parse("mail:25")))
                .isEqualTo("mail:25 goes direct: rules[2], any host, port 25");
        assertThat(rules.explain(HostPort.parse("other:80"))).isEqualTo("other:80 goes via c: no rule matches");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                ".",
                "..example.com",
                "*.example.com",
                "exa mple.com",
                "example.com:",
                "example.com:0",
                "example.com:99999",
                "example.com:http",
                "http://example.com",
                "example.com/",
                "user@example.com",
                "bücher.example",
                "192.0.2.1",
                ".192.0.2.1",
                "[::1]",
                "127.1",
                "2130706433",
                "a..b",
            })
    void aBadDomainIsRefusedWithItsPlaceAndReason(String domain) {
        Rules.Builder rules = Rules.builder().domain("a", PROXY).address("192.0.2.1", PROXY);

        assertRefused(() -> rules.domain(domain, PROXY), 2);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "10.0.0.0/33",
                "10.0.0.0/-1",
                "10.0.0.0/",
                "10.0.0/8",
                "10.1.2.3/8",
                "/8",
                "10.0.0.0/8:",
                "10.0.0.0/8:0",
                "10.0.0.0/8:x",
                "2001:db8::/129",
                "[2001:db8::]/32",
                "2001:db8::1::",
                "[2001:db8::1",
                "[2001:db8::1]:",
                "fe80::1%eth0",
                "0x7f.0.0.1",
                "2130706433",
                "example.com",
                "192.0.2.1:65536",
            })
    void aBadBlockIsRefusedWithItsPlaceAndNotIgnored(String address) {
        Rules.Builder rules = Rules.builder().port(80, PROXY);

        assertRefused(() -> rules.address(address, PROXY), 1);
    }

    private static void assertRefused(Runnable adding, int index) {
        assertThatThrownBy(adding::run)
                .isInstanceOfSatisfying(RuleException.class, e -> {
                    assertThat(e.index()).isEqualTo(index);
                    assertThat(e.reason()).isNotBlank();
                    assertThat(e).hasMessage("rules[" + index + "]: " + e.reason());
                    assertThat(e.getMessage()).matches("[ -~]+");
                })
                .isInstanceOf(IllegalArgumentException.class);
    }

    @Test
    void theReasonSaysWhatWasProbablyMeant() {
        assertThatThrownBy(() -> Rules.builder().address("10.1.2.3/8", PROXY))
                .hasMessageStartingWith("rules[0]: ")
                .hasMessageContaining("10.0.0.0/8 was probably meant");
    }

    @Test
    void aRefusedRuleLeavesTheBuilderAsItWas() {
        Rules.Builder rules = Rules.builder().domain("a", PROXY);
        assertRefused(() -> rules.address("10.0.0.0/33", PROXY), 1);
        assertRefused(() -> rules.port(0, PROXY), 1);
        assertRefused(() -> rules.port(65_536, PROXY), 1);

        assertThat(rules.domain("b", Route.deny()).build().explain(HostPort.parse("b:1")))
                .contains("rules[1]");
    }

    @Test
    void rulesThatWereBuiltDontChangeWithTheirBuilder() {
        Rules.Builder builder = Rules.builder().domain("a", PROXY);
        Rules rules = builder.build();
        builder.domain("b", PROXY).otherwise(Route.deny());

        assertThat(route(rules, "b:1")).isEqualTo(Route.direct());
        assertThat(rules).hasToString("Rules[1, otherwise direct]");
    }

    @Test
    void aRouteIsDeniedDirectOrVia() {
        assertThat(Route.deny()).hasToString("denied").isEqualTo(Route.deny());
        assertThat(Route.deny().isDenied()).isTrue();
        assertThat(Route.direct()).hasToString("direct").isEqualTo(Route.via(Route.DIRECT));
        assertThat(Route.via("a", "direct")).hasToString("via a, direct").isEqualTo(Route.via(List.of("a", "direct")));
        assertThat(Route.via("a", "b").hops()).containsExactly("a", "b");
        assertThat(Route.via("a")).isNotEqualTo(Route.via("b")).hasSameHashCodeAs(Route.via("a"));
    }

    @Test
    void aRouteOfNothingOfTheSameTwiceOrOfNamelessHopsIsRefused() {
        assertThatIllegalArgumentException().isThrownBy(() -> Route.via(List.of()));
        assertThatIllegalArgumentException().isThrownBy(() -> Route.via("a", "b", "a"));
        assertThatIllegalArgumentException().isThrownBy(() -> Route.via("a", " "));
        assertThatIllegalArgumentException().isThrownBy(() -> Route.via("a\nb"));
    }
}
