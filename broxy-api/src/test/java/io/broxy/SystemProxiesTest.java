package io.broxy;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.tuple;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Specifies how the settings of a host become rules and hops, and what happens to settings that are not understood. */
class SystemProxiesTest {

    private static SystemProxies environment(String... namesAndValues) {
        Map<String, String> environment = new HashMap<>();
        for (int i = 0; i < namesAndValues.length; i += 2) {
            environment.put(namesAndValues[i], namesAndValues[i + 1]);
        }
        return SystemProxies.ofEnvironment(environment);
    }

    private static SystemProxies properties(String... namesAndValues) {
        Properties properties = new Properties();
        for (int i = 0; i < namesAndValues.length; i += 2) {
            properties.setProperty(namesAndValues[i], namesAndValues[i + 1]);
        }
        return SystemProxies.ofProperties(properties);
    }

    /** The proxy's address, or "direct". */
    private static String way(SystemProxies proxies, String target) {
        String hop = proxies.rules().route(HostPort.parse(target)).hops().get(0);
        ProxyUri proxy = proxies.hops().get(hop);
        return proxy == null ? hop : proxy.scheme() + " " + proxy.address();
    }

    private static @Nullable Credentials credentials(SystemProxies proxies, String hop) {
        ProxyUri proxy = proxies.hops().get(hop);
        assertThat(proxy).as(hop).isNotNull();
        return proxy == null ? null : proxy.credentials();
    }

    // ------------------------------------------------------------------ the environment

    @Test
    void anEmptyEnvironmentDialsDirectly() {
        SystemProxies none = environment();

        assertThat(way(none, "example.com:443")).isEqualTo("direct");
        assertThat(none.hops()).isEmpty();
        assertThat(none.rules().hops()).containsOnly(Route.DIRECT);
    }

    @Test
    void port80IsHttpAndEveryOtherIsHttps() {
        SystemProxies both = environment("http_proxy", "http://web:1", "https_proxy", "http://tunnel:2");

        assertThat(way(both, "example.com:80")).isEqualTo("http web:1");
        assertThat(way(both, "example.com:443")).isEqualTo("http tunnel:2");
        assertThat(way(both, "db.example:5432")).isEqualTo("http tunnel:2");
    }

    @Test
    void allProxyIsTheDefaultForUnsetVariables() {
        SystemProxies all = environment("ALL_PROXY", "socks5://socks");
        assertThat(way(all, "a:80")).isEqualTo("socks5 socks:1080");
        assertThat(way(all, "a:443")).isEqualTo("socks5 socks:1080");

        SystemProxies http = environment("ALL_PROXY", "socks5://socks", "HTTP_PROXY", "web:1");
        assertThat(way(http, "a:80")).isEqualTo("http web:1");
        assertThat(way(http, "a:443")).isEqualTo("socks5 socks:1080");

        SystemProxies both = environment("all_proxy", "socks", "http_proxy", "web", "https_proxy", "tunnel");
        assertThat(both.hops()).containsOnlyKeys("http", "https");
    }

    @Test
    void withoutAProxyForThemTheOtherPortsAreDialedDirectly() {
        SystemProxies http = environment("http_proxy", "http://web:1");
        assertThat(way(http, "a:80")).isEqualTo("http web:1");
        assertThat(way(http, "a:443")).isEqualTo("direct");

        SystemProxies https = environment("https_proxy", "http://tunnel:2");
        assertThat(way(https, "a:80")).isEqualTo("direct");
        assertThat(way(https, "a:443")).isEqualTo("http tunnel:2");
    }

    @Test
    void lowerCaseWinsAndAnEmptyVariableIsNone() {
        assertThat(way(environment("HTTPS_PROXY", "upper:1", "https_proxy", "lower:2"), "a:443"))
                .isEqualTo("http lower:2");
        assertThat(way(environment("HTTPS_PROXY", "upper:1", "https_proxy", ""), "a:443"))
                .isEqualTo("http upper:1");
        assertThat(way(environment("HTTPS_PROXY", " ", "ALL_PROXY", "all:3"), "a:443"))
                .isEqualTo("http all:3");
        assertThat(way(environment("all_proxy", "all:3", "NO_PROXY", "a", "no_proxy", "b"), "a:443"))
                .isEqualTo("http all:3");
    }

    @Test
    void aCgiClientCannotNameTheProxy() {
        assertThat(way(environment("REQUEST_METHOD", "GET", "HTTP_PROXY", "evil:1"), "a:80"))
                .isEqualTo("direct");
        assertThat(way(environment("REQUEST_METHOD", "GET", "HTTP_PROXY", "evil:1", "http_proxy", "web:1"), "a:80"))
                .isEqualTo("http web:1");
        assertThat(way(environment("REQUEST_METHOD", "GET", "HTTPS_PROXY", "tunnel:2"), "a:443"))
                .isEqualTo("http tunnel:2");
        assertThat(way(environment("HTTP_PROXY", "web:1"), "a:80")).isEqualTo("http web:1");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {"localhost:443", "LOCALHOST.:80", "app.localhost:1", "127.0.0.1:80", "127.9.9.9:1", "[::1]:443"})
    void theLoopbackIsAlwaysDialedDirectly(String target) {
        assertThat(way(environment("all_proxy", "proxy:1"), target)).isEqualTo("direct");
    }

    @ParameterizedTest
    @CsvSource({
        "'example.com', example.com:443, true",
        "'example.com', www.example.com:443, true",
        "'example.com', evilexample.com:443, false",
        "'.example.com', example.com:443, true",
        "'.example.com', www.example.com:443, true",
        "'*.example.com', www.example.com:443, true",
        "'*.example.com', example.com:443, false",
        "'*.example.com:80', www.example.com:443, false",
        "'example.com:443', www.example.com:443, true",
        "'example.com:443', www.example.com:80, false",
        "'a, b ,c', b:1, true",
        "'a b\tc', c:1, true",
        "'a,,b,', b:1, true",
        "'a,b', d:1, false",
        "'*', anything.example:1, true",
        "'a,*', 192.0.2.1:1, true",
        "'192.0.2.1', 192.0.2.1:1, true",
        "'192.0.2.1:80', 192.0.2.1:80, true",
        "'192.0.2.1:80', 192.0.2.1:81, false",
        "'10.0.0.0/8', 10.1.2.3:1, true",
        "'10.0.0.0/8', ten.example:1, false",
        "'2001:db8::/32', [2001:db8::5]:1, true",
        "'2001:db8::1', [2001:db8::1]:1, true",
        "'[2001:db8::1]', [2001:db8::1]:1, true",
        "'[2001:db8::1]:80', [2001:db8::1]:81, false",
        "'EXAMPLE.com.', www.example.com:1, true",
    })
    void noProxyListsWhatIsDialedDirectly(String list, String target, boolean direct) {
        SystemProxies proxies = environment("all_proxy", "proxy:1", "NO_PROXY", list);

        assertThat(way(proxies, target).equals("direct")).isEqualTo(direct);
    }

    @Test
    void anEntryThatIsNotUnderstoodIsSkippedAndReported() {
        SystemProxies proxies = environment("all_proxy", "proxy:1", "no_proxy", "a,,b,10.0.0.0/33,c");

        assertThat(way(proxies, "a:1")).isEqualTo("direct");
        assertThat(way(proxies, "c:1")).isEqualTo("direct");
        assertThat(way(proxies, "10.0.0.0:1")).isEqualTo("http proxy:1");
        assertThat(proxies.problems()).singleElement().satisfies(problem -> {
            assertThat(problem.setting()).isEqualTo("no_proxy");
            assertThat(problem.index()).isEqualTo(2);
            assertThat(problem.reason()).contains("\"10.0.0.0/33\"");
            assertThat(problem).hasToString("no_proxy[2]: " + problem.reason());
        });
        assertThat(proxies.toString()).contains("no_proxy[2]");
    }

    @Test
    void strictRefusesAnEntryWithItsPlace() {
        assertThatThrownBy(() -> environment("no_proxy", "a,b,10.0.0.0/33,c").strict())
                .isInstanceOfSatisfying(
                        RuleException.class, e -> assertThat(e.index()).isEqualTo(2))
                .hasMessageStartingWith("no_proxy[2]: ")
                .hasMessageContaining("10.0.0.0/33");
        assertThatThrownBy(() -> environment("NO_PROXY", "exam*ple.com").strict())
                .isInstanceOf(RuleException.class)
                .hasMessageStartingWith("NO_PROXY[0]: ");
        SystemProxies understood = environment("all_proxy", "proxy:1", "no_proxy", "a,10.1.2.3/8");
        assertThat(understood.strict()).isSameAs(understood);
        assertThat(understood.problems()).isEmpty();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "http://user:hunter2@inside.example",
                "user:hunter2@inside.example",
                "http://user:hun,ter2@inside.example"
            })
    void aProblemShowsNoCredentials(String list) {
        SystemProxies proxies = environment("https_proxy", "proxy:1", "no_proxy", list);

        assertThat(proxies.problems()).isNotEmpty();
        assertThat(proxies.toString()).doesNotContain("hun", "ter2").matches("[ -~]+");
    }

    // ------------------------------------------------------------------ proxies that cannot be used

    @ParameterizedTest
    @ValueSource(strings = {"socks4://u:p@127.0.0.1:1080", "pac+http://p/proxy.pac", "http://p:99999", "http://", "%%"})
    void aProxyThatNoTargetNeedsStopsNothing(String unusable) {
        SystemProxies proxies = environment("https_proxy", "tunnel:2", "http_proxy", "web:1", "ALL_PROXY", unusable);

        assertThat(way(proxies, "a:443")).isEqualTo("http tunnel:2");
        assertThat(way(proxies, "a:80")).isEqualTo("http web:1");
        assertThat(proxies.problems())
                .singleElement()
                .satisfies(problem -> assertThat(problem.index()).isEqualTo(SystemProxies.Problem.WHOLE))
                .asString()
                .startsWith("ALL_PROXY: ")
                .endsWith("; no target needs it");
        assertThatIllegalArgumentException().isThrownBy(proxies::strict).withMessageStartingWith("ALL_PROXY: ");
    }

    @Test
    void socksOfDesktopsIsVersion5() {
        SystemProxies beside =
                environment("https_proxy", "tunnel:2", "http_proxy", "web:1", "all_proxy", "socks://s:3/");
        assertThat(beside.problems()).isEmpty();
        assertThat(beside.hops()).containsOnlyKeys("http", "https");

        assertThat(way(environment("all_proxy", "socks://s:3/"), "a:443")).isEqualTo("socks5 s:3");
        assertThat(way(environment("all_proxy", "socks5h://s"), "a:443")).isEqualTo("socks5 s:1080");
    }

    @Test
    void socks4HasAUserId() {
        SystemProxies proxies = environment("all_proxy", "socks4a://me@s:3/");

        assertThat(way(proxies, "a:443")).isEqualTo("socks4 s:3");
        assertThat(credentials(proxies, "all")).isEqualTo(Credentials.basic("me", ""));
    }

    @Test
    void whatNeedsAProxyThatCannotBeUsedIsDenied() {
        SystemProxies proxies = environment(
                "https_proxy", "tunnel:2", "http_proxy", "pac+http://user:hunter2@p/x", "no_proxy", "inside.example");

        assertThat(way(proxies, "a:443")).isEqualTo("http tunnel:2");
        assertThat(way(proxies, "inside.example:80")).isEqualTo("direct");
        assertThat(proxies.rules().route(HostPort.parse("a:80")).isDenied()).isTrue();
        assertThat(proxies.rules().explain(HostPort.parse("a:80")))
                .contains("a:80 is denied: ", "http_proxy cannot be used: ")
                .doesNotContain("hunter2");
        assertThat(proxies.problems())
                .singleElement()
                .asString()
                .startsWith("http_proxy: ")
                .endsWith("; targets that need it are denied")
                .doesNotContain("hunter2");
    }

    @Test
    void theRestIsDeniedWhereItsProxyCannotBeUsed() {
        SystemProxies proxies =
                environment("https_proxy", "socks4a://u:p@s:1", "http_proxy", "web:1", "all_proxy", "all:3");

        assertThat(way(proxies, "a:80")).isEqualTo("http web:1");
        assertThat(proxies.rules().route(HostPort.parse("a:443")).isDenied()).isTrue();
        assertThat(proxies.rules().explain(HostPort.parse("a:443")))
                .contains("https_proxy cannot be used: ", "SOCKS 4 has no password");
        assertThat(way(proxies, "localhost:443")).isEqualTo("direct");
    }

    @Test
    void aBadProxyIsRefusedWithTheVariablesNameAndNoPassword() {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> environment("HTTPS_PROXY", "http://user:hunter2@proxy:99999"))
                .withMessageStartingWith("HTTPS_PROXY: ")
                .withMessageNotContaining("hunter2");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> environment("all_proxy", "user:hunter2/x@proxy"))
                .withMessageStartingWith("all_proxy: ")
                .withMessageNotContaining("hunter2");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> environment("http_proxy", "socks4://user:hunter2@proxy"))
                .withMessageStartingWith("http_proxy: ")
                .withMessageNotContaining("hunter2");
    }

    @Test
    void credentialsAreReadAndNotShown() {
        SystemProxies proxies = environment("https_proxy", "https://user:hun%74er2@proxy");

        assertThat(credentials(proxies, "https")).isEqualTo(Credentials.basic("user", "hunter2"));
        assertThat(proxies.toString()).contains("proxy:443").doesNotContain("hunter2");
    }

    // ------------------------------------------------------------------ the JVM's properties

    @Test
    void withoutPropertiesEverythingIsDialedDirectly() {
        assertThat(way(properties(), "example.com:443")).isEqualTo("direct");
        assertThat(way(properties("http.proxyPort", "3128", "http.proxyHost", ""), "example.com:80"))
                .isEqualTo("direct");
    }

    @Test
    void propertiesNameProxiesForPort80AndForTheOthers() {
        SystemProxies both = properties(
                "http.proxyHost",
                "web",
                "https.proxyHost",
                "tunnel",
                "https.proxyPort",
                "2",
                "socksProxyHost",
                "socks");

        assertThat(way(both, "a:80")).isEqualTo("http web:80");
        assertThat(way(both, "a:443")).isEqualTo("http tunnel:2");
        assertThat(both.hops()).containsOnlyKeys("http", "https");
        assertThat(way(properties("https.proxyHost", "tunnel"), "a:22")).isEqualTo("http tunnel:443");
    }

    @Test
    void socksIsTheDefaultForUnsetProperties() {
        SystemProxies proxies = properties("http.proxyHost", "web", "http.proxyPort", "1", "socksProxyHost", "::1");

        assertThat(way(proxies, "a:80")).isEqualTo("http web:1");
        assertThat(way(proxies, "a:443")).isEqualTo("socks5 [::1]:1080");
    }

    @Test
    void socksCredentialsAreReadIfBothAreThere() {
        String[] all = {
            "socksProxyHost", "socks", "java.net.socks.username", "user", "java.net.socks.password", "hunter2"
        };
        assertThat(credentials(properties(all), "socks")).isEqualTo(Credentials.basic("user", "hunter2"));

        all[4] = "unrelated";
        assertThat(credentials(properties(all), "socks")).isNull();
    }

    @Test
    void theUserIdOfSocks4IsTheSystemsUserAsInTheJdk() {
        SystemProxies proxies = properties(
                "socksProxyHost",
                "socks",
                "socksProxyVersion",
                "4",
                "java.net.socks.username",
                "user",
                "java.net.socks.password",
                "hunter2",
                "user.name",
                "me");

        assertThat(way(proxies, "a:443")).isEqualTo("socks4 socks:1080");
        assertThat(credentials(proxies, "socks")).isEqualTo(Credentials.basic("me", ""));
        assertThat(credentials(properties("socksProxyHost", "socks", "socksProxyVersion", "4"), "socks"))
                .isNull();
    }

    @ParameterizedTest
    @CsvSource({
        "localhost:80, true",
        "app.localhost:80, false",
        "127.0.0.1:80, true",
        "127.1.2.3:80, true",
        "[::1]:80, true",
        "0.0.0.0:80, true",
        "[::]:80, true",
        "[::2]:80, false",
        "128.0.0.1:80, false",
    })
    void theLoopbackIsDialedDirectlyUnlessTheListIsEmpty(String target, boolean direct) {
        assertThat(way(properties("http.proxyHost", "web"), target).equals("direct"))
                .isEqualTo(direct);
        assertThat(way(properties("http.proxyHost", "web", "http.nonProxyHosts", "x"), target)
                        .equals("direct"))
                .isEqualTo(direct);
        assertThat(way(properties("http.proxyHost", "web", "http.nonProxyHosts", ""), target))
                .isEqualTo("http web:80");
    }

    @ParameterizedTest
    @CsvSource({
        "example.com, example.com:80, true",
        "EXAMPLE.com, example.COM:80, true",
        "example.com, www.example.com:80, false",
        "*.example.com, www.example.com:80, true",
        "*.example.com, a.b.example.com:80, true",
        "*.example.com, example.com:80, false",
        "*.example.com, evilexample.com:80, false",
        "*example.com, evilexample.com:80, true",
        "10.*, 10.1.2.3:80, true",
        "10.*, 110.1.2.3:80, false",
        "*.2.3, 10.1.2.3:80, true",
        "*.p1, a.p1:80, true",
        "*corp*, www.corp.example:80, true",
        "*corp*, www.core.example:80, false",
        "www.*, www.example.com:80, true",
        "*, anything:80, true",
        "**, anything:80, true",
        "192.0.2.1, 192.0.2.1:80, true",
        "[2001:db8::1], [2001:db8::1]:80, true",
        "[2001:DB8:0::1], [2001:db8::1]:80, true",
        "[2001:db8:*, [2001:db8::1]:80, true",
        "[2001:db8:*, [2001:db9::1]:80, false",
        "a|b| c, c:80, true",
        "a||b, b:80, true",
    })
    void nonProxyHostsHaveWildcardsAtEitherEnd(String list, String target, boolean direct) {
        SystemProxies proxies = properties("http.proxyHost", "web", "http.nonProxyHosts", list);

        assertThat(way(proxies, target).equals("direct")).isEqualTo(direct);
    }

    @Test
    void aPatternThatIsNotUnderstoodIsSkippedAndReported() {
        SystemProxies proxies =
                properties("http.proxyHost", "web", "http.nonProxyHosts", "a|www.*.com|b:8080|*.c|<local>");

        assertThat(way(proxies, "a:80")).isEqualTo("direct");
        assertThat(way(proxies, "x.c:80")).isEqualTo("direct");
        assertThat(way(proxies, "www.x.com:80")).isEqualTo("http web:80");
        assertThat(proxies.problems())
                .extracting(SystemProxies.Problem::setting, SystemProxies.Problem::index)
                .containsExactly(
                        tuple("http.nonProxyHosts", 1), tuple("http.nonProxyHosts", 2), tuple("http.nonProxyHosts", 4));
    }

    @Test
    void strictRefusesAPatternWithItsPlace() {
        assertThatThrownBy(() -> properties("http.nonProxyHosts", "a|www.*.com").strict())
                .isInstanceOfSatisfying(
                        RuleException.class, e -> assertThat(e.index()).isEqualTo(1))
                .hasMessageStartingWith("http.nonProxyHosts[1]: ");
        assertThatThrownBy(() -> properties("http.nonProxyHosts", "*.ex ample").strict())
                .isInstanceOf(RuleException.class)
                .hasMessageStartingWith("http.nonProxyHosts[0]: ");
        assertThatThrownBy(() -> properties("http.nonProxyHosts", "a,b*").strict())
                .isInstanceOf(RuleException.class);
    }

    // ------------------------------------------------------------------ exceptions of SOCKS

    @ParameterizedTest
    @CsvSource({
        "db.corp.example:5432, direct",
        "db.corp.example:80, direct",
        "www.corp.example:80, direct",
        "localhost:1, direct",
        "other.example:443, socks5 socks:1080",
    })
    void socksHasExceptionsOfItsOwn(String target, String expected) {
        SystemProxies proxies = properties(
                "socksProxyHost", "socks", "socksNonProxyHosts", "db.*", "http.nonProxyHosts", "www.corp.example");

        assertThat(way(proxies, target)).isEqualTo(expected);
    }

    @Test
    void theyAreForWhatWouldGoThroughSocks() {
        SystemProxies web = properties("http.proxyHost", "web", "socksProxyHost", "socks", "socksNonProxyHosts", "a");
        assertThat(way(web, "a:80")).isEqualTo("http web:80");
        assertThat(way(web, "a:81")).isEqualTo("direct");
        assertThat(way(web, "b:81")).isEqualTo("socks5 socks:1080");

        SystemProxies tunnel = properties(
                "https.proxyHost",
                "tunnel",
                "socksProxyHost",
                "socks",
                "socksNonProxyHosts",
                "a|10.0.0.1|*b|*.c|*",
                "http.nonProxyHosts",
                "");
        for (String target : List.of("a", "10.0.0.1", "xb", "x.c", "any")) {
            assertThat(way(tunnel, target + ":80")).isEqualTo("direct");
            assertThat(way(tunnel, target + ":443")).isEqualTo("http tunnel:443");
        }

        SystemProxies both = properties(
                "http.proxyHost",
                "web",
                "https.proxyHost",
                "tunnel",
                "socksProxyHost",
                "s",
                "socksNonProxyHosts",
                "<local>");
        assertThat(both.problems()).isEmpty();
    }

    @Test
    void anUnusableSocksProxyStopsNothingThatDoesNotNeedIt() {
        SystemProxies both = properties(
                "http.proxyHost", "web", "https.proxyHost", "tunnel", "socksProxyHost", "s", "socksProxyVersion", "6");
        assertThat(way(both, "a:443")).isEqualTo("http tunnel:443");
        assertThat(both.problems()).singleElement().asString().startsWith("socksProxyVersion: ");

        SystemProxies web = properties("http.proxyHost", "web", "socksProxyHost", "s", "socksProxyPort", "70000");
        assertThat(way(web, "a:80")).isEqualTo("http web:80");
        assertThat(web.rules().explain(HostPort.parse("a:443"))).contains("is denied", "socksProxyPort");
    }

    @Test
    void aBadPropertyIsRefusedWithItsName() {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> properties("http.proxyHost", "web", "http.proxyPort", "x"))
                .withMessageStartingWith("http.proxyHost or http.proxyPort: ");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> properties("socksProxyHost", "socks", "socksProxyVersion", "6"))
                .withMessageStartingWith("socksProxyVersion: ");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> properties(
                        "socksProxyHost", "socks", "java.net.socks.username", "", "java.net.socks.password", "x"))
                .withMessageContaining("RFC 1929");
    }
}
