package io.broxy;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Specifies which values of {@code https_proxy} and its kin name a proxy, and which one. */
class ProxyVariableTest {

    @ParameterizedTest
    @CsvSource({
        "p:3128, http://p:3128",
        "p, http://p",
        "http://p:3128/, http://p:3128",
        "http://p:3128/path?query#fragment, http://p:3128",
        "p:3128/, http://p:3128",
        "http://p?query, http://p",
        "http://p:, http://p",
        "p:, http://p",
        "http://[::1]:, http://[::1]",
        "http://[::1]:3128, http://[::1]:3128",
        "[2001:db8::1]:3128, http://[2001:db8::1]:3128",
        "HTTP://P:3128, http://p:3128",
        "https://p, https://p:443",
        "socks://p, socks5://p:1080",
        "socks5h://p/, socks5://p",
        "socks4://p, socks4://p:1080",
        "socks4a://me@p/, socks4://me@p",
        "http://squid_proxy:3128, http://squid_proxy:3128",
        "http://bücher.example:3128, http://xn--bcher-kva.example:3128",
        "http://@p:3128, http://p:3128",
        "http://:@p:3128, http://p:3128",
        "\"http://p:3128\", http://p:3128",
        "\" http://p:3128 \", http://p:3128",
    })
    void aProxyIsFound(String value, String uri) {
        assertThat(ProxyVariable.read(value)).isEqualTo(ProxyUri.parse(uri));
    }

    @Test
    void apostrophesAroundAValueMeanNothing() {
        assertThat(ProxyVariable.read("'p:1'")).isEqualTo(ProxyUri.parse("http://p:1"));
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = ' ',
            value = {
                "http://u:p@ss@p:3128 u p@ss",
                "u:p@ss@p:3128 u p@ss",
                "http://u:p%40s%3A%2F@p:3128 u p@s:/",
                "http://u:p!$&()*+,;=@p:3128 u p!$&()*+,;=",
                "http://u:p^w{}|@p:3128 u p^w{}|",
                "http://u:100%@p:3128 u 100%",
                "http://u:%zz@p:3128 u %zz",
                "http://u:a:b@p:3128 u a:b",
                "http://u:pässwörd@p:3128 u pässwörd",
                "http://u:+@p:3128 u +",
                "http://user@p:3128 user ''",
            })
    void userInformationNeedsNoPercentEncoding(String value, String user, String password) {
        ProxyUri proxy = ProxyVariable.read(value);

        assertThat(proxy.address()).isEqualTo(HostPort.parse("p:3128"));
        assertThat(proxy.credentials()).isEqualTo(Credentials.basic(user, password));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "http://",
                "http:///p",
                "//p:3128",
                "http://p:0",
                "http://p:65536",
                "http://p:port",
                "http://::1",
                "pac+http://p/proxy.pac",
                "ftp://p:21",
                "socks4://u:p@p",
                "socks6://p",
                "p q",
                "http://127.1:3128",
                "\"",
                "http://u:hunter2/x@p",
                "http://u:3128/hunter2@p",
                "http://u:hunter2",
                "u:hunter2",
                "u:hunter2\u00df",
                "http://u:hunter2@",
                "http://u:hunter2@p:x",
                "http://u:hunter2%0a@p:1",
                "http://u:hunter2\n@p:1",
                "ftp://u:hunter2@p",
                "socks4a://u:hunter2@p:1",
            })
    void anythingElseIsRefusedInOneLineThatShowsNoPassword(String value) {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> ProxyVariable.read(value))
                .satisfies(e -> assertThat(e.getMessage()).matches("[ -~]+").doesNotContain("hunter2"));
    }

    @ParameterizedTest
    @ValueSource(strings = {"", " ", "\"\"", "''", "\" \""})
    void anEmptyValueIsNone(String value) {
        SystemProxies proxies = SystemProxies.ofEnvironment(Map.of("https_proxy", value));

        assertThat(proxies.rules().route(HostPort.parse("a:443"))).isEqualTo(Route.direct());
        assertThat(proxies.problems()).isEmpty();
    }
}
