package io.broxy.core.internal.http;

import static io.broxy.core.internal.http.Feeding.readRequest;
import static io.broxy.core.internal.http.Feeding.requestHead;
import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import io.broxy.HostPort;
import io.broxy.core.internal.http.RequestTarget.Form;
import java.nio.ByteBuffer;
import java.util.Locale;
import java.util.function.BiConsumer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Specifies the four forms of the request target (RFC 9112, section 3.2). */
class RequestTargetTest {

    private static String request(String method, String target) {
        return method + " " + target + " HTTP/1.1\r\nHost: elsewhere\r\n\r\n";
    }

    /** The form, where it goes to, and both ways in which it can be passed on; or the problem. */
    private static String read(String method, String target) {
        return readRequest(request(method, target), head -> describe(RequestTarget.of(head)));
    }

    private static String describe(RequestTarget target) {
        return switch (target.form()) {
            case ORIGIN, ASTERISK -> target.form().name();
            case AUTHORITY -> "AUTHORITY " + target.hostPort();
            case ABSOLUTE ->
                target.hostPort() + " " + written(target, RequestTarget::putOriginForm) + " "
                        + written(target, RequestTarget::putAbsoluteForm);
        };
    }

    private static String written(RequestTarget target, BiConsumer<RequestTarget, ByteBuffer> put) {
        ByteBuffer out = ByteBuffer.allocate(1_024);
        put.accept(target, out);
        return new String(out.array(), 0, out.position(), ISO_8859_1);
    }

    @ParameterizedTest
    @CsvSource({
        "GET,     /where?q=now,                                    ORIGIN",
        "GET,     http://www.example.org/pub/WWW/TheProject.html,  www.example.org:80 /pub/WWW/TheProject.html"
                + " http://www.example.org/pub/WWW/TheProject.html",
        "CONNECT, www.example.com:80,                              AUTHORITY www.example.com:80",
        "OPTIONS, *,                                               ASTERISK",
        "OPTIONS, http://www.example.org:8001,                     www.example.org:8001 *"
                + " http://www.example.org:8001",
    })
    void theExamplesOfTheRfcAreRead(String method, String target, String expected) {
        assertThat(read(method, target)).isEqualTo(expected);
    }

    @ParameterizedTest
    @CsvSource({
        "http://a,              a:80 / http://a/",
        "http://a/,             a:80 / http://a/",
        "http://a?x,            a:80 /?x http://a/?x",
        "http://a?,             a:80 /? http://a/?",
        "http://a/?,            a:80 /? http://a/?",
        "http://a?x/y?z,        a:80 /?x/y?z http://a/?x/y?z",
        "http://a//b,           a:80 //b http://a//b",
        "http://a/../b/./c,     a:80 /../b/./c http://a/../b/./c",
        "http://a/%zz%,         a:80 /%zz% http://a/%zz%",
        "http://a/%2F%2e,       a:80 /%2F%2e http://a/%2F%2e",
        "http://a/b@c:d\\e,     a:80 /b@c:d\\e http://a/b@c:d\\e",
        "http://a/\"<>^`{|},    a:80 /\"<>^`{|} http://a/\"<>^`{|}",
        "http://a/http://b/,    a:80 /http://b/ http://a/http://b/",
    })
    void pathAndQueryArePassedAsTheyWereReceived(String target, String expected) {
        assertThat(read("GET", target)).isEqualTo(expected);
    }

    @ParameterizedTest
    @CsvSource({
        "http://a:8080/,                 a:8080 / http://a:8080/",
        "http://a:80/,                   a:80 / http://a/",
        "http://a:/,                     a:80 / http://a/",
        "http://a:,                      a:80 / http://a/",
        "http://a:1/,                    a:1 / http://a:1/",
        "http://a:65535/,                a:65535 / http://a:65535/",
        "http://a:443?x,                 a:443 /?x http://a:443/?x",
        "HTTP://WWW.Example.ORG/X,       www.example.org:80 /X http://www.example.org/X",
        "hTTp://example.org./,           example.org:80 / http://example.org/",
        "http://a_b.xn--4ca/,            a_b.xn--4ca:80 / http://a_b.xn--4ca/",
        "http://192.0.2.1/,              192.0.2.1:80 / http://192.0.2.1/",
        "http://[2001:DB8:0:0::1]/,      [2001:db8::1]:80 / http://[2001:db8::1]/",
        "http://[2001:db8::1]:/,         [2001:db8::1]:80 / http://[2001:db8::1]/",
        "http://[2001:db8::1]:8080?x,    [2001:db8::1]:8080 /?x http://[2001:db8::1]:8080/?x",
        "http://[::ffff:102:304]/,       [::ffff:1.2.3.4]:80 / http://[::ffff:1.2.3.4]/",
    })
    void theAuthorityIsBroughtIntoItsCanonicalForm(String target, String expected) {
        assertThat(read("GET", target)).isEqualTo(expected);
    }

    @ParameterizedTest
    @CsvSource({
        "http://a,    a:80 * http://a",
        "http://a/,   a:80 / http://a/",
        "http://a?,   a:80 /? http://a/?",
        "http://a:8001/*, a:8001 /* http://a:8001/*",
    })
    void optionsWithoutPathAndQueryIsForTheWholeServer(String target, String expected) {
        assertThat(read("OPTIONS", target)).isEqualTo(expected);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "http://user@a/",
                "http://user:pass@a/",
                "http://@a/",
                "http://a@b@c/",
                "http://:80@a/",
                "http://a/#",
                "http://a#x",
                "http://a/b?c#d",
                "/#",
                "/x#y",
                "#",
            })
    void userInformationAndFragmentsAreRefused(String target) {
        assertThat(read("GET", target)).isEqualTo("TARGET");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "http:",
                "http:/",
                "http:a",
                "http:/a",
                "http:a/b",
                "http://",
                "http:///",
                "http:///x",
                "http://?x",
                "http://:80/",
                "http://:/",
                "http:\\\\a/",
                "http:/\\a",
                "http",
            })
    void aHostHasToBeThere(String target) {
        assertThat(read("GET", target)).isEqualTo("TARGET");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "http://a:0/",
                "http://a:00/",
                "http://a:080/",
                "http://a:65536/",
                "http://a:99999999999999999999/",
                "http://a:-1/",
                "http://a:+80/",
                "http://a:8x/",
                "http://a:80:80/",
                "http://a::80/",
                "http://a:%38/",
                "http://[::1]:0/",
                "http://[::1]:x/",
                "http://[::1]80/",
                "http://[::1]::80/",
            })
    void aPortIsAPlainNumber(String target) {
        assertThat(read("GET", target)).isEqualTo("TARGET");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "http://a\\b/",
                "http://a\\@b/",
                "http://a%/",
                "http://a%2/",
                "http://a%zz/",
                "http://a%2eb/",
                "http://%61/",
                "http://a..b/",
                "http://.a/",
                "http://a,b/",
                "http://a;b/",
                "http://a|b/",
                "http://a\"b/",
                "http://a^b/",
                "http://{a}/",
                "http://127.1/",
                "http://2130706433/",
                "http://0x7f.1/",
                "http://1.2.3.04/",
                "http://1.2.3.256/",
                "http://[::1/",
                "http://::1/",
                "http://::1]/",
                "http://[]/",
                "http://[a]/",
                "http://[1.2.3.4]/",
                "http://[fe80::1%25eth0]/",
                "http://[v1.x]/",
                "http://[::1]a/",
                "http://a[::1]/",
                "http://[[::1]]/",
                "http://*/",
                "http://a*/",
            })
    void aHostIsANameOrAnAddress(String target) {
        assertThat(read("GET", target)).isEqualTo("TARGET");
    }

    @Test
    void aNameMayBeAsLongAsNamesAre() {
        String longest = ("a".repeat(63) + ".").repeat(3) + "b".repeat(61);

        assertThat(read("GET", "http://" + longest + "/")).startsWith(longest + ":80 / http://");
        assertThat(read("GET", "http://" + longest + "b/")).isEqualTo("TARGET");
        assertThat(read("GET", "http://" + "a".repeat(64) + "/")).isEqualTo("TARGET");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "https://a/",
                "HTTPS://a",
                "https://a:443/",
                "ftp://a/x",
                "ws://a/",
                "wss://a/",
                "httpx://a/",
                "h://a/",
                "coap+tcp://a/",
                "a.b-c+9://x",
                "file:///etc/passwd",
                "https://user@a/",
            })
    void urisOfOtherSchemesHaveAProblemOfTheirOwn(String target) {
        assertThat(read("GET", target)).isEqualTo("SCHEME");
    }

    @Test
    void theRefusalOfHttpsSaysWhatToDo() {
        RequestHead head = requestHead(request("GET", "https://a/"));

        assertThat(catchThrowableOfType(BadHeadException.class, () -> RequestTarget.of(head)))
                .hasMessage("only http is forwarded; https goes through CONNECT");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "1http://a/",
                "+http://a/",
                ".://a",
                "://a/",
                ":",
                "ht_tp://a/",
                "ht%74p://a/",
                "urn:a:b",
                "mailto:a@b",
                "example.org",
                "example.org:80",
                "localhost:80/x",
                "[::1]:80",
                "?",
                "?x",
                "\\a",
                "**",
                "*/",
                "*?",
            })
    void whatHasNoneOfTheFormsIsRefused(String target) {
        assertThat(read("GET", target)).isEqualTo("TARGET");
        assertThat(read("OPTIONS", target)).isEqualTo("TARGET");
    }

    @ParameterizedTest
    @ValueSource(strings = {"/", "/x", "//a/b", "/?", "/*", "/http://a/", "/%", "/\\"})
    void aPathIsForTheServerThatItIsSentTo(String target) {
        assertThat(read("GET", target)).isEqualTo("ORIGIN");
    }

    @ParameterizedTest
    @ValueSource(strings = {"GET", "HEAD", "POST", "TRACE", "options", "PROPFIND"})
    void theAsteriskIsForOptionsOnly(String method) {
        assertThat(read(method, "*")).isEqualTo("TARGET");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "/",
                "*",
                "a",
                "a:",
                "http://a/",
                "http://a:80",
                "a:80/",
                "a:80?x",
                "a:80#x",
                "user@a:80",
                ":80",
                "a:0",
                "a:65536",
                "a:080",
                "[::1]",
                "::1:80",
            })
    void connectHasTheAuthorityFormAndNoOther(String target) {
        assertThat(read("CONNECT", target)).isEqualTo("TARGET");
    }

    @Test
    void connectGoesToHostsOfEveryKind() {
        assertThat(read("CONNECT", "Example.ORG:443")).isEqualTo("AUTHORITY example.org:443");
        assertThat(read("CONNECT", "[2001:db8::1]:443")).isEqualTo("AUTHORITY [2001:db8::1]:443");
        assertThat(read("connect", "a:443")).as("methods are case-sensitive").isEqualTo("TARGET");
    }

    @Test
    void onlyTwoFormsHaveAHost() throws BadHeadException {
        assertThat(RequestTarget.of(requestHead(request("GET", "http://a:8080/")))
                        .hostPort())
                .isEqualTo(HostPort.of("a", 8080));
        RequestTarget origin = RequestTarget.of(requestHead(request("GET", "/")));
        RequestTarget asterisk = RequestTarget.of(requestHead(request("OPTIONS", "*")));

        assertThatIllegalStateException().isThrownBy(origin::hostPort);
        assertThatIllegalStateException().isThrownBy(asterisk::hostPort);
        assertThat(asterisk.form()).isEqualTo(Form.ASTERISK);
    }

    /** Every visible character in an authority: none makes a host that is not the text in lower case. */
    @Test
    void noCharacterOfAnAuthorityIsRepaired() {
        int taken = 0;
        for (char c = 0x21; c < 0x7F; c++) {
            String host = "a" + c + "b";
            String read = read("GET", "http://" + host + "/");
            if (read.equals("TARGET")) {
                continue;
            }
            if (c == '/' || c == '?') { // these end it
                assertThat(read).startsWith("a:80 /");
            } else {
                assertThat(read).startsWith(host.toLowerCase(Locale.ROOT) + ":80 / ");
            }
            taken++;
        }
        assertThat(taken)
                .as("letters twice, digits, '-', '_' and '.', and both ends")
                .isEqualTo(52 + 10 + 3 + 2);
    }

    @Test
    void theTextNamesNoTarget() throws BadHeadException {
        assertThat(RequestTarget.of(requestHead(request("GET", "http://a/?token=secret"))))
                .hasToString("RequestTarget[ABSOLUTE]");
    }
}
