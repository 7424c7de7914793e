package io.broxy;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import com.code_intelligence.jazzer.junit.DictionaryEntries;
import com.code_intelligence.jazzer.junit.FuzzTest;
import java.util.List;
import java.util.Map;
import java.util.Properties;

/**
 * Specifies that each entry of any list of exceptions becomes a rule or a problem in one printable line, and that a
 * bad entry takes nothing from a good one.
 */
class SystemProxiesFuzzTest {
    private static final HostPort GOOD = HostPort.parse("good.example:443");

    @DictionaryEntries({
        ",",
        " ",
        "|",
        "\\x22",
        "'",
        "*",
        "*.",
        ".",
        "example.com",
        ":443",
        ":",
        "10.1.2.3/8",
        "192.168.*",
        "[2001:db8::]/32",
        "[::1]:80",
        "<local>",
        "http://",
        "@",
        "%eth0",
        "b\\xc3\\xbccher",
        "\\xc3\\x9f"
    })
    @FuzzTest
    void aBadEntryTakesNothingFromAGoodOne(byte[] bytes) {
        String text = new String(bytes, UTF_8);
        check(SystemProxies.ofEnvironment(Map.of("https_proxy", "p:1", "no_proxy", "good.example," + text)));
        Properties properties = new Properties();
        properties.setProperty("https.proxyHost", "p");
        properties.setProperty("http.nonProxyHosts", "good.example|" + text);
        check(SystemProxies.ofProperties(properties));
        check(SystemProxies.ofEnvironment(Map.of("https_proxy", "p:1", "no_proxy", text + ",good.example")));
    }

    private static void check(SystemProxies proxies) {
        assertThat(proxies.rules().route(GOOD)).isEqualTo(Route.direct());
        for (SystemProxies.Problem problem : proxies.problems()) {
            assertThat(problem.toString()).matches("[ -~]{1,1000}");
        }
    }

    @DictionaryEntries({
        "http://",
        "socks://",
        "socks4a://",
        "user:password@",
        "proxy.example",
        ":3128",
        "/",
        "?",
        "#",
        "%40",
        "\\x22"
    })
    @FuzzTest
    void aValueIsAProxyOrIsRefusedInOneLine(byte[] bytes) {
        String text = new String(bytes, UTF_8);
        SystemProxies proxies;
        try {
            proxies = SystemProxies.ofEnvironment(Map.of("https_proxy", text));
        } catch (IllegalArgumentException e) {
            assertThat(e.getMessage()).matches("https_proxy: [ -~]{1,1000}");
            return;
        }
        boolean empty = List.of("", "\"\"", "''").contains(text.strip())
                || ProxyVariable.unquote(text).isEmpty();
        assertThat(proxies.rules().route(GOOD)).isEqualTo(empty ? Route.direct() : Route.via("https"));
    }
}
