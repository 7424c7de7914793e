package io.broxy;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Specifies how the URI of a proxy is parsed, which URIs are refused, and that its text hides the credentials. */
class ProxyUriTest {

    @ParameterizedTest
    @CsvSource({
        "http://proxy.example:3128, HTTP, proxy.example:3128",
        "http://proxy.example:3128/, HTTP, proxy.example:3128",
        "http://proxy.example, HTTP, proxy.example:80",
        "https://proxy.example, HTTPS, proxy.example:443",
        "socks5://proxy.example, SOCKS5, proxy.example:1080",
        "socks5h://proxy.example:9050, SOCKS5, proxy.example:9050",
        "HTTP://PROXY.Example.:81, HTTP, proxy.example:81",
        "SOCKS5H://192.0.2.1/, SOCKS5, 192.0.2.1:1080",
        "socks://proxy.example, SOCKS5, proxy.example:1080",
        "socks4://proxy.example, SOCKS4, proxy.example:1080",
        "SOCKS4A://[2001:db8::1]:9050/, SOCKS4, [2001:db8::1]:9050",
    })
    void schemeHostAndPortAreRead(String text, ProxyUri.Scheme scheme, String address) {
        ProxyUri proxy = ProxyUri.parse(text);

        assertThat(proxy.scheme()).isEqualTo(scheme);
        assertThat(proxy.address()).hasToString(address);
        assertThat(proxy.credentials()).isNull();
        assertThat(proxy).isEqualTo(ProxyUri.of(scheme, HostPort.parse(address), null));
    }

    @ParameterizedTest
    @CsvSource({
        "http://[2001:db8::1]:3128, [2001:db8::1]:3128",
        "https://[2001:DB8:0::1], [2001:db8::1]:443",
        "http://u:p@[::1]:8080/, [::1]:8080",
        "socks5://u:p@[::1], [::1]:1080",
    })
    void upstreamsWithIpv6AddressesAreRead(String text, String address) {
        assertThat(ProxyUri.parse(text).address()).hasToString(address);
    }

    @ParameterizedTest
    @CsvSource({
        "http://user:secret@proxy:1, user, secret",
        "http://user@proxy:1, user, ''",
        "http://user:@proxy:1, user, ''",
        "http://:secret@proxy:1, '', secret",
        "http://u:a:b@proxy:1, u, a:b",
        "http://us%40er:p%3A%2F%3F%23%5B%5D%25@proxy:1, us@er, p:/?#[]%",
        "http://u:a+b%20c@proxy:1, u, a+b c",
        "http://u:%C3%A9%f0%9f%98%80@proxy:1, u, é😀",
        "socks5://u:%2541@proxy:1, u, %41",
        "https://-._~:!$&'()*+;=@proxy:1, -._~, !$&'()*+;=",
    })
    void userInformationIsUnescapedOnceAndAsUtf8(String text, String user, String password) {
        Credentials credentials = ProxyUri.parse(text).credentials();

        assertThat(credentials).isEqualTo(Credentials.basic(user, password));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "http://hunter2:%@proxy:1",
                "http://hunter2:%4@proxy:1",
                "http://hunter2:%zz@proxy:1",
                "http://hunter2:%+1@proxy:1",
                "http://u:hunter2%ff@proxy:1",
                "http://u:hunter2%c0%80@proxy:1",
                "http://u:hunter2%ed%a0%80@proxy:1",
                "http://u:hunter2%0d%0aX@proxy:1",
                "http://u:hunter2%00@proxy:1",
                "http://u%3Ahunter2:x@proxy:1",
                "http://u:hunter2 @proxy:1",
                "http://u:hunter2é@proxy:1",
                "http://u:hunter2\"@proxy:1",
                "http://u:hunter2@x@proxy:1",
                "http://u:hunter2/x@proxy:1",
                "http://u:hunter2?x@proxy:1",
                "http://u:hunter2#x@proxy:1",
                "http://u:hunter2@proxy:0",
                "http://u:hunter2@",
                "http://u:hunter2@/",
                "http://u:hunter2@proxy:1/path",
                "http://u:hunter2@proxy:1?query",
                "http://u:hunter2@pro xy:1",
                "socks4://u:hunter2@proxy:1",
                "u:hunter2@proxy:1",
                "socks5://:hunter2@proxy:1",
                "socks5://:hunter2@proxy:1",
            })
    void aRefusalShowsNothingOfTheUserInformation(String text) {
        assertThatThrownBy(() -> ProxyUri.parse(text))
                .isInstanceOf(IllegalArgumentException.class)
                .satisfies(e -> {
                    for (Throwable each = e; each != null; each = each.getCause()) {
                        assertThat(each.getMessage()).doesNotContain("hunter2").doesNotContain("\n");
                    }
                });
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "proxy",
                "proxy:3128",
                "//proxy:3128",
                "http:/proxy",
                "http:proxy",
                "ftp://proxy",
                "sock://proxy",
                "socks4b://proxy",
                "socks6://proxy",
                " http://proxy",
                "http://proxy ",
                "http://",
                "http:///",
                "http://@proxy",
                "http://:3128",
                "http://proxy:",
                "http://proxy:0",
                "http://proxy:65536",
                "http://proxy:+1",
                "http://proxy:3128/x",
                "http://proxy//",
                "http://proxy?",
                "http://proxy#",
                "http://::1",
                "http://::1:3128",
                "http://[::1",
                "http://[::1]x",
                "http://[::1]:",
                "http://[fe80::1%25eth0]:1",
                "http://2130706433",
                "http://pr%6fxy:1",
                "http://proxy\n:1",
            })
    void everythingElseIsRefusedInOnePrintableLine(String text) {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> ProxyUri.parse(text))
                .satisfies(e -> assertThat(e.getMessage()).matches("[ -~]+"));
    }

    @Test
    void socks4TakesAUserIdOfUpTo255BytesAndNoPassword() {
        String most = "x".repeat(255);
        assertThat(ProxyUri.parse("socks4://" + most + "@proxy").credentials()).isEqualTo(Credentials.basic(most, ""));
        assertThat(ProxyUri.parse("socks4a://us%40er:@proxy").credentials()).isEqualTo(Credentials.basic("us@er", ""));

        assertThatIllegalArgumentException()
                .isThrownBy(() -> ProxyUri.parse("socks4://" + most + "x@proxy"))
                .withMessageContaining("at most 255 bytes");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> ProxyUri.parse("SOCKS4A://u:hunter2@proxy:1080"))
                .withMessageContaining("SOCKS 4 has no password")
                .withMessageNotContaining("hunter2");
    }

    @Test
    void socks5TakesCredentialsOfUpTo255BytesEach() {
        String most = "x".repeat(255);
        assertThat(ProxyUri.parse("socks5://" + most + ":" + most + "@proxy").credentials())
                .isEqualTo(Credentials.basic(most, most));

        assertThatIllegalArgumentException()
                .isThrownBy(() -> ProxyUri.parse("socks5://" + most + "x:p@proxy"))
                .withMessageContaining("RFC 1929");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> ProxyUri.parse("socks5://u:" + "%C3%A9".repeat(128) + "@proxy"))
                .withMessageContaining("RFC 1929")
                .withMessageNotContaining("\u00e9");
        HostPort proxy = HostPort.of("proxy", 1080);
        assertThat(ProxyUri.of(ProxyUri.Scheme.SOCKS5, proxy, Credentials.basic("user", ""))
                        .credentials())
                .isEqualTo(Credentials.basic("user", ""));
        assertThatIllegalArgumentException()
                .isThrownBy(() -> ProxyUri.of(ProxyUri.Scheme.SOCKS5, proxy, Credentials.basic("", "password")));
        assertThat(ProxyUri.parse("http://u:" + most + "x@proxy").credentials())
                .isEqualTo(Credentials.basic("u", most + "x"));
    }

    @ParameterizedTest
    @ValueSource(strings = {"http://user:@proxy", "http://user@proxy", "socks5://user:@proxy", "socks5h://user@proxy"})
    void aPasswordMayBeEmpty(String text) {
        assertThat(ProxyUri.parse(text).credentials()).isEqualTo(Credentials.basic("user", ""));
    }

    @Test
    void socks5HasNoEmptyUserName() {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> ProxyUri.parse("socks5://:password@proxy"))
                .withMessageContaining("RFC 1929");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> ProxyUri.parse("socks5://:@proxy"))
                .withMessageContaining("RFC 1929");
        assertThat(ProxyUri.parse("http://:password@proxy").credentials()).isEqualTo(Credentials.basic("", "password"));
    }

    @Test
    void itsTextHidesTheCredentials() {
        assertThat(ProxyUri.parse("https://user:hunter2@proxy")).hasToString("https://(not shown)@proxy:443");
        assertThat(ProxyUri.parse("socks5h://[::1]")).hasToString("socks5://[::1]:1080");
        assertThat(ProxyUri.parse("socks4a://me@proxy")).hasToString("socks4://(not shown)@proxy:1080");
    }

    @Test
    void equalityIsThatOfAllParts() {
        assertThat(ProxyUri.parse("http://u:p@proxy"))
                .isEqualTo(ProxyUri.parse("HTTP://%75:%70@PROXY:80/"))
                .hasSameHashCodeAs(ProxyUri.parse("HTTP://%75:%70@PROXY:80/"))
                .isNotEqualTo(ProxyUri.parse("http://u:q@proxy"))
                .isNotEqualTo(ProxyUri.parse("http://proxy"))
                .isNotEqualTo(ProxyUri.parse("https://u:p@proxy:80"))
                .isNotEqualTo(ProxyUri.parse("http://u:p@proxy:81"));
    }
}
