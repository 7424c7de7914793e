package io.broxy.examples;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.charset.StandardCharsets.UTF_16;
import static java.nio.charset.StandardCharsets.UTF_16LE;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.broxy.Credentials;
import io.broxy.HostPort;
import io.broxy.ProxyUri;
import io.broxy.Route;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Specifies the keys of a rule file, their defaults, and the place and reason of each error. */
class RuleFileTest {
    private static final Path FILE = Path.of("rules.yaml");
    private static final String RULES = "rules: [{match: default, proxy: direct}]\n";

    private static RuleFile parse(String text) throws ConfigFileException {
        return RuleFile.parse(FILE, text.getBytes(UTF_8));
    }

    private static Route route(RuleFile file, String target) {
        return file.rules().route(HostPort.parse(target));
    }

    // ------------------------------------------------------------------ what is understood

    @Test
    void everyKeyIsRead() throws ConfigFileException {
        RuleFile file = parse("""
                server:
                  listen: 0.0.0.0
                  port: 8080
                proxies:
                  - name: corp
                    type: http
                    host: proxy.corp.example
                    port: 3128
                    auth:
                      username: user
                      password: "p@ss: word"
                  - name: safe
                    type: https
                    host: PROXY.example.
                    port: 443
                  - name: socks
                    type: socks5
                    host: 2001:db8::1
                    port: 1080
                  - name: old
                    type: socks4
                    host: socks.example
                    port: 1081
                    auth:
                      username: me
                  - name: straight
                    type: direct
                rules:
                  - match: domain
                    values:
                      - corp.example
                      - .intern.example
                    proxy: corp
                  - match: domain
                    value: ads.example
                    proxy: deny
                  - match: domain
                    value: worse.example
                    proxy: block
                  - match: ip
                    values: [10.0.0.0/8, "2001:db8::/32"]
                    proxy: straight
                  - match: ip
                    value: 192.0.2.1
                    proxy: [socks, safe, direct]
                  - match: default
                    proxy: safe
                pool:
                  max_idle_per_host: 3
                  max_idle_total: 0
                  idle_timeout: 45s
                """);

        assertThat(file.listen()).isEqualTo(new ListenAddress("0.0.0.0", 8080));
        assertThat(file.pool()).isEqualTo(new PoolSettings(3, 0, Duration.ofSeconds(45)));
        assertThat(file.proxies())
                .isEqualTo(Map.of(
                        "corp",
                        basic(ProxyUri.of(
                                ProxyUri.Scheme.HTTP,
                                HostPort.of("proxy.corp.example", 3128),
                                Credentials.basic("user", "p@ss: word"))),
                        "safe",
                        basic(ProxyUri.parse("https://proxy.example")),
                        "socks",
                        basic(ProxyUri.parse("socks5://[2001:db8::1]")),
                        "old",
                        basic(ProxyUri.parse("socks4://me@socks.example:1081"))));
        assertThat(route(file, "www.corp.example:443")).isEqualTo(Route.via("corp"));
        assertThat(route(file, "intern.example:443")).isEqualTo(Route.via("corp"));
        assertThat(route(file, "evilcorp.example:443")).isEqualTo(Route.via("safe"));
        assertThat(route(file, "ads.example:443")).isEqualTo(Route.deny());
        assertThat(route(file, "worse.example:443")).isEqualTo(Route.deny());
        assertThat(route(file, "10.1.2.3:443")).isEqualTo(Route.direct());
        assertThat(route(file, "[2001:db8::7]:443")).isEqualTo(Route.direct());
        assertThat(route(file, "192.0.2.1:443")).isEqualTo(Route.via("socks", "safe", "direct"));
        assertThat(route(file, "192.0.2.2:443")).isEqualTo(Route.via("safe"));
    }

    @Test
    void everythingButTheRulesMayBeMissing() throws ConfigFileException {
        RuleFile file = parse(RULES);

        assertThat(file.listen()).isEqualTo(ListenAddress.DEFAULT);
        assertThat(file.proxies()).isEmpty();
        assertThat(file.pool()).isEqualTo(PoolSettings.DEFAULT);
        assertThat(route(file, "example.org:443")).isEqualTo(Route.direct());
    }

    @Test
    void eachPartOfTheServerStandsAlone() throws ConfigFileException {
        assertThat(parse("server: {listen: '::1'}\n" + RULES).listen()).isEqualTo(new ListenAddress("::1", 3128));
        assertThat(parse("server: {port: 0}\n" + RULES).listen()).isEqualTo(new ListenAddress("127.0.0.1", 0));
    }

    @Test
    void withoutADefaultTheRestIsDenied() throws ConfigFileException {
        RuleFile file = parse("rules: [{match: domain, value: example.com, proxy: direct}]");

        assertThat(file.hasDefault()).isFalse();
        assertThat(route(file, "example.com:443")).isEqualTo(Route.direct());
        assertThat(route(file, "example.org:443")).isEqualTo(Route.deny());
        assertThat(route(file, "192.0.2.1:443")).isEqualTo(Route.deny());
        assertThat(parse(RULES).hasDefault()).isTrue();
    }

    @ParameterizedTest
    @ValueSource(strings = {"0123", "true", "1.50", "2026-11-24", "'~'", "\"null\"", "1_000"})
    void aPasswordIsATextAsItStands(String password) throws ConfigFileException {
        RuleFile file = parse("proxies: [{name: a, type: http, host: h, port: 1, auth: {username: u, password: "
                + password + "}}]\n" + RULES);

        assertThat(file.proxies().get("a"))
                .isEqualTo(basic(ProxyUri.of(
                        ProxyUri.Scheme.HTTP,
                        HostPort.of("h", 1),
                        Credentials.basic("u", password.replaceAll("['\"]", "")))));
    }

    private static Upstream basic(ProxyUri uri) {
        return new Upstream(uri, UpstreamAuth.BASIC);
    }

    @Test
    void aProxyMayWantAnotherScheme() throws ConfigFileException {
        RuleFile file = parse("proxies: [{name: a, type: http, host: h, port: 1, auth: {type: digest, username: u,"
                + " password: p}}, {name: b, type: https, host: h, port: 1, auth: {type: negotiate}}]\n" + RULES);

        assertThat(file.proxies())
                .isEqualTo(Map.of(
                        "a",
                        new Upstream(ProxyUri.parse("http://u:p@h:1"), UpstreamAuth.DIGEST),
                        "b",
                        new Upstream(ProxyUri.parse("https://h:1"), UpstreamAuth.NEGOTIATE)));
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "http | {type: sesame} | auth: type must be basic, digest or negotiate",
                "http | {type: digest} | missing field \"username\"",
                "http | {type: digest, username: u} | missing field \"password\"",
                "http | {type: negotiate, username: u, password: sesame} | auth: negotiate takes a Kerberos ticket",
                "http | {type: negotiate, username: u} | missing field \"password\"",
                "socks5 | {type: digest, username: u, password: sesame} | auth: digest is for HTTP proxies",
                "socks5 | {type: negotiate} | auth: negotiate is for HTTP proxies"
            })
    void aSchemeThatDoesNotFitIsRefusedWithoutItsPassword(String type, String auth, String reason) {
        assertThatThrownBy(() -> parse(
                        "proxies: [{name: a, type: " + type + ", host: h, port: 1, auth: " + auth + "}]\n" + RULES))
                .isInstanceOf(ConfigFileException.class)
                .hasMessageContaining(reason)
                .hasMessageNotContaining("sesame");
    }

    @Test
    void directMayBeListedAsAProxy() throws ConfigFileException {
        assertThat(parse("proxies: [{name: direct, type: direct}]\n" + RULES).proxies())
                .isEmpty();
    }

    @Test
    void aByteOrderMarkAndAnchorsAreUnderstood() throws ConfigFileException {
        RuleFile file = parse("\uFEFF" + """
                rules:
                  - {match: domain, values: &names [a.example], proxy: deny}
                  - {match: domain, values: *names, proxy: direct}
                """);

        assertThat(route(file, "a.example:1")).isEqualTo(Route.deny());
    }

    // ------------------------------------------------------------------ what is refused

    private static Arguments wrong(String place, String reason, String text) {
        return Arguments.of(place, reason, text);
    }

    private static String proxy(String fields) {
        return "proxies:\n  - {" + fields + "}\n" + RULES;
    }

    static Arguments[] wrongFiles() {
        String http = "type: http, host: h, port: 1";
        return new Arguments[] {
            // the document
            wrong("1:1", "the file is empty", ""),
            wrong("1:1", "the file is empty", "# only a comment\n"),
            wrong("2:1", "the file is empty", "---\n"),
            wrong("1:1", "the file must be a mapping (key: value), found a list", "- a\n"),
            wrong("1:1", "the file must be a mapping (key: value), found 'just text'", "just text"),
            wrong("2:1", "a second document begins; the file must have only one", RULES + "---\n" + RULES),
            wrong("2:3", "mapping values are not allowed here", "a: b\n c: d\n"),
            wrong("2:1", "found character '\\t(TAB)' that cannot start any token", "rules:\n\t- a\n"),
            wrong("2:3", "the character U+0007 is not allowed in YAML", "# é\n# \u0007"),
            wrong("1:3", "an alias (*) without its anchor (&)", "- *sesame"),
            wrong("2:5", "an escape sequence that is cut off", "a:\n \"\\x"),
            wrong("1:8", "tags are not supported", "rules: !!java.net.URL [x]"),
            wrong("1:51", "Nesting Depth exceeded max 50", "[".repeat(60)),
            wrong("1:1", "unknown key \"rule\"; known here: server, proxies, rules, pool", "rule: []"),
            wrong("2:1", "duplicate key \"rules\", first in line 1", RULES + RULES),
            wrong("1:1", "missing field \"rules\"", "server: {port: 1}"),
            wrong("1:1", "a key must be a text, found a list", "[a]: b"),
            wrong("1:1", "unknown key \"<<\"", "<<: {a: b}\n" + RULES),
            // server
            wrong("1:9", "server must be a mapping (key: value), found '1'", "server: 1\n" + RULES),
            wrong("1:10", "unknown key \"listn\"; known here: listen, port", "server: {listn: a}\n" + RULES),
            wrong("1:18", "listen: not a target: \"a b\"", "server: {listen: a b}\n" + RULES),
            wrong("1:18", "listen must be a text, found a list", "server: {listen: [a]}\n" + RULES),
            wrong(
                    "1:16",
                    "port must be a whole number of 0 to 65535, found '65536'",
                    "server: {port: 65536}\n" + RULES),
            wrong("1:16", "port must be a whole number of 0 to 65535", "server: {port: 010}\n" + RULES),
            wrong("1:16", "port must be a whole number of 0 to 65535", "server: {port: 1:20}\n" + RULES),
            wrong("1:16", "port must be a whole number of 0 to 65535", "server: {port: '80'}\n" + RULES),
            wrong("1:16", "port must be a whole number of 0 to 65535", "server: {port: -1}\n" + RULES),
            wrong("1:16", "port must be a whole number", "server: {port: 99999999999999999999}\n" + RULES),
            // proxies
            wrong("1:10", "proxies must be a list, found a mapping", "proxies: {}\n" + RULES),
            wrong("1:10", "proxies must not be empty", "proxies: []\n" + RULES),
            wrong("2:5", "missing field \"name\"", proxy(http)),
            wrong("2:5", "missing field \"type\"", proxy("name: a, host: h, port: 1")),
            wrong("2:5", "missing field \"host\"", proxy("name: a, type: http, port: 1")),
            wrong("2:5", "missing field \"port\"", proxy("name: a, type: http, host: h")),
            wrong(
                    "2:21",
                    "type must be http, https, socks5, socks4 or direct, found 'HTTP'",
                    proxy("name: a, type: HTTP")),
            wrong("2:42", "port must be a whole number of 1 to 65535", proxy("name: a, type: http, host: h, port: 0")),
            wrong("2:33", "host: not a target", proxy("name: a, type: http, host: 127.1, port: 1")),
            wrong("2:32", "host must be a text, found nothing", proxy("name: a, type: http, host: , port: 1")),
            wrong("2:36", "a proxy of the type direct has no host", proxy("name: a1, type: direct, host: h")),
            wrong("2:12", "not a valid hop name", proxy("name: ' ', " + http)),
            wrong("2:12", "\"direct\" is reserved for direct connections", proxy("name: direct, " + http)),
            wrong("2:12", "\"block\" is reserved for denied targets", proxy("name: block, " + http)),
            wrong(
                    "3:12",
                    "there is another proxy \"a\" before this one",
                    "proxies:\n  - {name: a, " + http + "}\n  - {name: a, type: direct}\n" + RULES),
            wrong(
                    "2:51",
                    "auth must be a mapping (key: value), found a text",
                    proxy("name: a, " + http + ", auth: u:sesame")),
            wrong("2:51", "missing field \"password\"", proxy("name: a, " + http + ", auth: {username: u}")),
            wrong(
                    "2:52",
                    "unknown key; known here: username, password",
                    proxy("name: a, " + http + ", auth: {sesame, u}")),
            wrong(
                    "2:51",
                    "auth: a user name must not have a colon",
                    proxy("name: a, " + http + ", auth: {username: 'u:v', password: sesame}")),
            wrong(
                    "2:53",
                    "auth: SOCKS5 needs a user name of 1 to 255 bytes",
                    proxy("name: a, type: socks5, host: h, port: 1, auth: {username: '', password: p}")),
            wrong(
                    "2:53",
                    "auth: SOCKS 4 has no password",
                    proxy("name: a, type: socks4, host: h, port: 1, auth: {username: u, password: sesame}")),
            wrong(
                    "2:78",
                    "an alias (*) without its anchor (&)",
                    proxy("name: a, " + http + ", auth: {username: user, password: *sesame}")),
            wrong(
                    "2:78",
                    "found undefined tag handle",
                    proxy("name: a, " + http + ", auth: {username: user, password: !sesame!x }")),
            wrong(
                    "2:52",
                    "unknown key; known here: username, password",
                    proxy("name: a, " + http + ", auth: {sesame: u, username: u}")),
            wrong(
                    "2:76",
                    "password must be a text, found a list",
                    proxy("name: a, " + http + ", auth: {username: us, password: [sesame]}")),
            wrong(
                    "2:42",
                    "port must be a whole number of 1 to 65535, found (not shown)",
                    proxy("name: a, type: http, host: h, port: sesame@1")),
            // rules
            wrong("1:8", "rules must not be empty", "rules: []"),
            wrong("1:8", "rules must be a list, found '5'", "rules: 5"),
            wrong("1:9", "a rule must be a mapping (key: value), found '5'", "rules: [5]"),
            wrong("2:3", "missing field \"match\"", "rules:\n- proxy: direct\n"),
            wrong("2:10", "match must be domain, ip or default, found 'regex'", "rules:\n- match: regex\n"),
            wrong("2:10", "match must be a text, found nothing", "rules:\n- match: ~\n"),
            wrong("2:10", "found '" + "x".repeat(80) + "'...", "rules:\n- match: " + "x".repeat(5_000) + "\n"),
            wrong("2:10", "found '\\u000a\\u001b[31m\\u00e9\\''", "rules:\n- match: \"\\n\\e[31m\u00e9'\"\n"),
            wrong("2:3", "missing field \"proxy\"", "rules:\n- match: default\n"),
            wrong("2:3", "missing field \"value\" or \"values\"", "rules:\n- match: ip\n  proxy: deny\n"),
            wrong("4:10", "a domain must be a text", "rules:\n- match: domain\n  proxy: deny\n  value: [a]\n"),
            wrong("4:11", "values must be a list, found 'a'", "rules:\n- match: domain\n  proxy: deny\n  values: a\n"),
            wrong(
                    "5:11",
                    "a rule has either \"value\" or \"values\", not both",
                    "rules:\n- match: domain\n  proxy: deny\n  value: a\n  values: [a]\n"),
            wrong(
                    "4:15",
                    "an address and not a domain",
                    "rules:\n- match: domain\n  proxy: deny\n  values: [a, 10.0.0.1]\n"),
            wrong("4:10", "10.0.0.0/8 was probably meant", "rules:\n- match: ip\n  proxy: deny\n  value: 10.0.0.1/8\n"),
            wrong("5:5", "10.0.0.0/33", "rules:\n- match: ip\n  proxy: deny\n  values:\n  - 10.0.0.0/33\n"),
            wrong("4:10", "a name and not an address", "rules:\n- match: ip\n  proxy: deny\n  value: example.com\n"),
            wrong("3:10", "unknown proxy \"corp\"", "rules:\n- match: default\n  proxy: corp\n"),
            wrong("3:19", "unknown proxy \"corp\"", "rules:\n- match: default\n  proxy: [direct, corp]\n"),
            wrong("3:19", "\"deny\" cannot be one of several", "rules:\n- match: default\n  proxy: [direct, deny]\n"),
            wrong("3:10", "a hop is named twice", "rules:\n- match: default\n  proxy: [direct, direct]\n"),
            wrong("3:10", "proxy must not be empty", "rules:\n- match: default\n  proxy: []\n"),
            wrong(
                    "3:10",
                    "the default matches everything and has no value, found 'x'",
                    "rules:\n- match: default\n  value: x\n  proxy: direct\n"),
            wrong("4:10", "there is another default", "rules:\n- match: default\n  proxy: direct\n- match: default\n"),
            // pool
            wrong("2:22", "idle_timeout: '90' is not a time", RULES + "pool: {idle_timeout: 90}"),
            wrong("2:22", "idle_timeout: '0s' is not more than zero", RULES + "pool: {idle_timeout: 0s}"),
            wrong(
                    "2:27",
                    "max_idle_per_host must be a whole number of 0 to 2147483647",
                    RULES + "pool: {max_idle_per_host: -1}"),
            wrong(
                    "2:24",
                    "max_idle_total must be a whole number of 0 to",
                    RULES + "pool: {max_idle_total: 2147483648}"),
            wrong("2:6", "pool must be a mapping (key: value), found nothing", RULES + "pool:\n"),
        };
    }

    @ParameterizedTest
    @MethodSource("wrongFiles")
    void everyErrorHasItsPlaceAndItsReason(String place, String reason, String text) {
        assertThatThrownBy(() -> parse(text))
                .isInstanceOf(ConfigFileException.class)
                .hasMessageStartingWith("rules.yaml:" + place + ": ")
                .hasMessageContaining(reason)
                .hasMessageNotContaining("sesame")
                .hasNoCause()
                .message()
                .doesNotContain("\n", "\t");
    }

    @Test
    void bytesThatAreNoUtf8HaveAPlace() {
        assertThatThrownBy(() -> RuleFile.parse(FILE, "a: b\nc: \u00e9\u00e9".getBytes(ISO_8859_1)))
                .hasMessage("rules.yaml:2:4: the file is not UTF-8");
    }

    @Test
    void anotherEncodingIsNamed() {
        assertThatThrownBy(() -> RuleFile.parse(FILE, ("\uFEFF" + RULES).getBytes(UTF_16LE)))
                .hasMessage("rules.yaml:1:1: its byte order mark says UTF-16; it must be UTF-8");
        assertThatThrownBy(() -> RuleFile.parse(FILE, RULES.getBytes(UTF_16)))
                .hasMessage("rules.yaml:1:1: its byte order mark says UTF-16; it must be UTF-8");
    }

    @Test
    void aByteOrderMarkAndCrlfMakeNoDifference() throws ConfigFileException {
        RuleFile file = parse("\uFEFF" + RULES.replace("\n", "\r\n") + "\r\n\r\n");

        assertThat(route(file, "example.org:443")).isEqualTo(Route.direct());
    }

    @Test
    void aFileHasALimit() {
        byte[] large = RULES.repeat(YamlDocument.LARGEST / RULES.length() + 1).getBytes(UTF_8);

        assertThatThrownBy(() -> RuleFile.parse(FILE, large))
                .hasMessage("rules.yaml:1:1: the file is larger than 8 MiB");
    }

    @Test
    void tensOfThousandsOfNamesAreAllRead() throws ConfigFileException {
        StringBuilder names = new StringBuilder("rules:\n  - match: domain\n    proxy: deny\n    values:\n");
        for (int i = 0; i < 50_000; i++) {
            names.append("      - name-%d.ads.example\n".formatted(i));
        }
        RuleFile file = parse(names.toString());

        assertThat(route(file, "www.name-49999.ads.example:443")).isEqualTo(Route.deny());
        assertThat(file.rules().explain(HostPort.parse("name-49999.ads.example:443")))
                .contains("rules[49999]");
        assertThat(file.rules().explain(HostPort.parse("name-50000.ads.example:443")))
                .contains("no rule matches");
    }

    @Test
    void aBombOfAliasesIsDefused() {
        StringBuilder bomb = new StringBuilder("a0: &a0 [x]\n");
        for (int i = 1; i <= 9; i++) {
            String alias = "*a" + (i - 1);
            bomb.append("a%d: &a%d [".formatted(i, i))
                    .append((alias + ", ").repeat(8))
                    .append(alias)
                    .append("]\n");
        }

        assertThatThrownBy(() -> parse(bomb.toString()))
                .hasMessageStartingWith("rules.yaml:7:")
                .hasMessageContaining("more than 50 aliases");
    }

    @Test
    void aDocumentThatHoldsItselfIsRefused() {
        assertThatThrownBy(() -> parse("rules: &r [*r]"))
                .hasMessage("rules.yaml:1:8: a rule must be a mapping (key: value), found a list");
    }
}
