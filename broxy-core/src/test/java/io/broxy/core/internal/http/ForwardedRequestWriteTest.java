package io.broxy.core.internal.http;

import static io.broxy.core.internal.http.Feeding.readRequest;
import static io.broxy.core.internal.http.Feeding.requestHead;
import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;

import io.broxy.ConnectRequest;
import java.nio.ByteBuffer;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Specifies the bytes of a request that the next hop gets. */
class ForwardedRequestWriteTest {

    private static String text(String... lines) {
        return String.join("\r\n", lines) + "\r\n\r\n";
    }

    private static String toOrigin(String... lines) {
        return readRequest(text(lines), head -> written(ForwardedRequest.of(head), false, null, null));
    }

    private static String written(
            ForwardedRequest request, boolean absoluteForm, @Nullable String authorization, @Nullable String via) {
        List<ConnectRequest.Field> further = authorization == null ? List.of() : authorization(authorization);
        ByteBuffer out = ByteBuffer.allocate(request.maxBytes(further, via));
        request.write(out, absoluteForm, further, via);
        return new String(out.array(), 0, out.position(), ISO_8859_1);
    }

    private static List<ConnectRequest.Field> authorization(String value) {
        return List.of(new ConnectRequest.Field("Proxy-Authorization", value));
    }

    private static ForwardedRequest request(String... lines) throws BadHeadException {
        return ForwardedRequest.of(requestHead(text(lines)));
    }

    // ------------------------------------------------------------------ target and Host

    @Test
    void anOriginGetsTheOriginFormAsInTheRfc() {
        assertThat(toOrigin("GET http://www.example.org/pub/WWW/TheProject.html HTTP/1.1", "Host: www.example.org"))
                .isEqualTo(text("GET /pub/WWW/TheProject.html HTTP/1.1", "Host: www.example.org"));
        assertThat(toOrigin("GET http://www.example.org/where?q=now HTTP/1.1", "Host: www.example.org"))
                .isEqualTo(text("GET /where?q=now HTTP/1.1", "Host: www.example.org"));
        assertThat(toOrigin("OPTIONS http://www.example.org:8001 HTTP/1.1", "Host: www.example.org:8001"))
                .isEqualTo(text("OPTIONS * HTTP/1.1", "Host: www.example.org:8001"));
    }

    @Test
    void aProxyGetsTheAbsoluteFormAndItsCredentials() throws BadHeadException {
        ForwardedRequest get = request("GET http://a/?x HTTP/1.1", "Host: a", "Proxy-Authorization: Basic Y2xpZW50");
        ForwardedRequest options = request("OPTIONS http://a:8001 HTTP/1.1", "Host: a");

        assertThat(written(get, true, "Basic bWU6c2VjcmV0", "me"))
                .isEqualTo(text(
                        "GET http://a/?x HTTP/1.1",
                        "Host: a",
                        "Via: 1.1 me",
                        "Proxy-Authorization: Basic bWU6c2VjcmV0"));
        assertThat(written(get, true, null, null)).isEqualTo(text("GET http://a/?x HTTP/1.1", "Host: a"));
        assertThat(written(options, true, null, null))
                .isEqualTo(text("OPTIONS http://a:8001 HTTP/1.1", "Host: a:8001"));
    }

    @ParameterizedTest
    @CsvSource({
        "http://a/,                  elsewhere,   a",
        "http://a:80/,               a:80,        a",
        "http://a:/,                 a,           a",
        "http://A.Example:8080/,     a,           a.example:8080",
        "http://[2001:DB8::1]/,      a,           [2001:db8::1]",
        "http://[::1]:8080/,         [::1]:8080,  [::1]:8080",
        "http://127.0.0.1:81/,       127.0.0.1,   127.0.0.1:81",
    })
    void hostIsWrittenFromTheTargetAndFirst(String target, String received, String written) {
        assertThat(toOrigin("GET " + target + " HTTP/1.1", "A: b", "Host: " + received, "C: d"))
                .isEqualTo(text("GET / HTTP/1.1", "Host: " + written, "A: b", "C: d"));
    }

    @Test
    void http10BecomesHttp11() throws BadHeadException {
        assertThat(written(request("GET http://a/ HTTP/1.0", "Expect: 100-continue", "X: y"), false, null, "me"))
                .isEqualTo(text("GET / HTTP/1.1", "Host: a", "X: y", "Via: 1.0 me"));
        assertThat(toOrigin("PROPFIND http://a/ HTTP/1.0")).isEqualTo(text("PROPFIND / HTTP/1.1", "Host: a"));
        assertThat(toOrigin("GET http://a/ HTTP/1.7", "Host: a")).isEqualTo(text("GET / HTTP/1.1", "Host: a"));
    }

    // ------------------------------------------------------------------ fields

    @Test
    void theRestIsPassedInItsOrderWithItsBytesUntouched() {
        assertThat(toOrigin(
                        "POST http://a/ HTTP/1.1",
                        "accept:*/*",
                        "Host: a",
                        "COOKIE:\t a=b  ",
                        "X-Empty:",
                        "X: gr\u00fcn\ttee",
                        "Cookie: c=d",
                        "cOnTeNt-LeNgTh: 3",
                        "x: 2",
                        "Via: 1.1 other (x)",
                        "Authorization: Basic eDp5",
                        "Expect: 100-continue",
                        "Trailer: X"))
                .isEqualTo(text(
                        "POST / HTTP/1.1",
                        "Host: a",
                        "accept:*/*",
                        "COOKIE:\t a=b  ",
                        "X-Empty:",
                        "X: gr\u00fcn\ttee",
                        "Cookie: c=d",
                        "cOnTeNt-LeNgTh: 3",
                        "x: 2",
                        "Via: 1.1 other (x)",
                        "Authorization: Basic eDp5",
                        "Expect: 100-continue",
                        "Trailer: X"));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "Connection: x",
                "connection:",
                "Keep-Alive: timeout=5",
                "Proxy-Connection: keep-alive",
                "PROXY-AUTHENTICATE: Basic",
                "Proxy-Authentication-Info: x=y",
                "TE: gzip",
                "te:",
                "Upgrade: websocket",
                "HTTP2-Settings: AAMAAABk",
                "hTTP2-sETTINGS:",
            })
    void hopByHopFieldsGoNoFurtherInAnyPlace(String line) {
        String expected = text("GET / HTTP/1.1", "Host: a", "A: 1", "B: 2");

        assertThat(toOrigin("GET http://a/ HTTP/1.1", line, "Host: a", "A: 1", "B: 2"))
                .isEqualTo(expected);
        assertThat(toOrigin("GET http://a/ HTTP/1.1", "Host: a", "A: 1", line, line, "B: 2"))
                .isEqualTo(expected);
        assertThat(toOrigin("GET http://a/ HTTP/1.1", "A: 1", "Host: a", line, "B: 2", line))
                .isEqualTo(expected);
    }

    /** Twice, they are ambiguous and refused. */
    @Test
    void credentialsForThisProxyGoNoFurtherWhereverTheyStand() {
        String line = "Proxy-Authorization: Basic eDp5";
        String expected = text("GET / HTTP/1.1", "Host: a", "A: 1", "B: 2");

        assertThat(toOrigin("GET http://a/ HTTP/1.1", line, "Host: a", "A: 1", "B: 2"))
                .isEqualTo(expected);
        assertThat(toOrigin("GET http://a/ HTTP/1.1", "Host: a", "A: 1", line, "B: 2"))
                .isEqualTo(expected);
        assertThat(toOrigin("GET http://a/ HTTP/1.1", "A: 1", "Host: a", "B: 2", line))
                .isEqualTo(expected);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "Connections: x",
                "Keep-Aliv: x",
                "Proxy-Status: x",
                "Proxy-Connectio: x",
                "TF: x",
                "Upgrades: x",
                "HTTP2-Setting: x",
                "X-Connection: x",
                "Hos: x",
                "Proxy-Authorizatiom: x",
                "Upgrade-Insecure-Requests: 1",
                "Transfer-Encodin: x",
                "Max-Forwards: 7",
                "Sec-WebSocket-Key: x",
            })
    void whatOnlyLooksLikeItIsPassed(String line) {
        assertThat(toOrigin("GET http://a/ HTTP/1.1", "Host: a", line))
                .isEqualTo(text("GET / HTTP/1.1", "Host: a", line));
    }

    @Test
    void whatConnectionNamesGoesNoFurther() {
        assertThat(toOrigin(
                        "GET http://a/ HTTP/1.1",
                        "Host: a",
                        "x-one: 1",
                        "Connection: X-One,\tX-Two ,close,, absent",
                        "X-Three: 3",
                        "X-TWO: 2",
                        "X-Two: 2",
                        "Close: now",
                        "X-Four: 4",
                        "connection: x-three"))
                .isEqualTo(text("GET / HTTP/1.1", "Host: a", "X-Four: 4"));
    }

    @Test
    void chunksAreAnnouncedAnewAndALengthStaysInItsPlace() {
        assertThat(toOrigin("POST http://a/ HTTP/1.1", "Transfer-Encoding:\tCHUNKED ", "Host: a", "A: b"))
                .isEqualTo(text("POST / HTTP/1.1", "Host: a", "A: b", "Transfer-Encoding: chunked"));
        assertThat(toOrigin("POST http://a/ HTTP/1.1", "Content-Length:  0", "Host: a", "A: b"))
                .isEqualTo(text("POST / HTTP/1.1", "Host: a", "Content-Length:  0", "A: b"));
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {"trailers", "TRAILERS", "trailers, deflate;q=0.5", "deflate;q=0.5,trailers", ", trailers"})
    void trailersAreWelcomeToWhomTheyAre(String value) throws BadHeadException {
        assertThat(toOrigin("GET http://a/ HTTP/1.1", "Connection: TE", "TE: " + value, "Host: a"))
                .isEqualTo(text("GET / HTTP/1.1", "Host: a", "TE: trailers", "Connection: TE"));
        assertThat(toOrigin("GET http://a/ HTTP/1.0", "Connection: TE", "TE: " + value, "Host: a"))
                .isEqualTo(text("GET / HTTP/1.1", "Host: a"));
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "deflate", "trailers;q=1", "x-trailers", "deflate, gzip;q=0.5"})
    void otherTransferCodingsAreNotAskedFor(String value) {
        assertThat(toOrigin("GET http://a/ HTTP/1.1", "Connection: TE", "TE: " + value, "Host: a"))
                .isEqualTo(text("GET / HTTP/1.1", "Host: a"));
    }

    @Test
    void anUpgradeIsPassedWithoutH2c() {
        assertThat(toOrigin(
                        "GET http://www.example.com/hello HTTP/1.1",
                        "Host: www.example.com",
                        "Connection: upgrade",
                        "Upgrade: websocket, IRC/6.9, RTA/x11"))
                .isEqualTo(text(
                        "GET /hello HTTP/1.1",
                        "Host: www.example.com",
                        "Upgrade: websocket, IRC/6.9, RTA/x11",
                        "Connection: upgrade"));
        assertThat(toOrigin(
                        "GET http://a/ HTTP/1.1",
                        "Host: a",
                        "Upgrade: h2c,WebSocket",
                        "Connection: Upgrade, HTTP2-Settings, TE",
                        "HTTP2-Settings: AAMAAABk",
                        "TE: trailers",
                        "Sec-WebSocket-Version: 13",
                        "Upgrade: H2C,,x/1"))
                .isEqualTo(text(
                        "GET / HTTP/1.1",
                        "Host: a",
                        "Sec-WebSocket-Version: 13",
                        "TE: trailers",
                        "Upgrade: WebSocket, x/1",
                        "Connection: upgrade, TE"));
        assertThat(toOrigin("GET http://a/ HTTP/1.1", "Host: a", "Upgrade: h2c", "Connection: Upgrade, HTTP2-Settings"))
                .isEqualTo(text("GET / HTTP/1.1", "Host: a"));
    }

    @ParameterizedTest
    @CsvSource({"1, 0", "10, 9", "007, 6", "2147483647, 2147483646", "99999999999999999999, 2147483646"})
    void maxForwardsIsDecrementedInItsPlace(String received, String sent) {
        assertThat(toOrigin(
                        "OPTIONS http://a HTTP/1.1", "A: 1", "max-FORWARDS:\t " + received + " ", "Host: a", "B: 2"))
                .isEqualTo(text("OPTIONS * HTTP/1.1", "Host: a", "A: 1", "max-FORWARDS:\t " + sent, "B: 2"));
        assertThat(toOrigin("TRACE http://a/ HTTP/1.1", "Max-Forwards:" + received, "Host: a"))
                .isEqualTo(text("TRACE / HTTP/1.1", "Host: a", "Max-Forwards:" + sent));
        assertThat(toOrigin("GET http://a/ HTTP/1.1", "Max-Forwards: " + received, "Host: a"))
                .isEqualTo(text("GET / HTTP/1.1", "Host: a", "Max-Forwards: " + received));
    }

    @Test
    void maxForwardsThatConnectionNamesGoesNoFurther() {
        assertThat(toOrigin("TRACE http://a/ HTTP/1.1", "Host: a", "Max-Forwards: 5", "Connection: Max-Forwards"))
                .isEqualTo(text("TRACE / HTTP/1.1", "Host: a"));
    }

    @Test
    void theExpectationOfTheRfcsExampleIsPassed() {
        assertThat(toOrigin(
                        "PUT http://origin.example.com/somewhere/fun HTTP/1.1",
                        "Host: origin.example.com",
                        "Content-Type: video/h264",
                        "Content-Length: 1234567890987",
                        "Expect: 100-continue"))
                .isEqualTo(text(
                        "PUT /somewhere/fun HTTP/1.1",
                        "Host: origin.example.com",
                        "Content-Type: video/h264",
                        "Content-Length: 1234567890987",
                        "Expect: 100-continue"));
    }

    // ------------------------------------------------------------------ what cannot be written

    @Test
    void whatIsNotToBeForwardedIsNotWritten() throws BadHeadException {
        ByteBuffer out = ByteBuffer.allocate(1_000);
        ForwardedRequest[] requests = {
            request("GET / HTTP/1.1", "Host: a"),
            request("OPTIONS * HTTP/1.1", "Host: a"),
            request("CONNECT a:443 HTTP/1.1", "Host: a"),
            request("TRACE http://a/ HTTP/1.1", "Host: a", "Max-Forwards: 0"),
        };

        for (ForwardedRequest request : requests) {
            assertThatIllegalStateException().isThrownBy(() -> request.write(out, false, List.of(), null));
        }
        assertThat(out.position()).isZero();
    }

    @ParameterizedTest
    @ValueSource(strings = {"secret\r\nX: y", "secret\n", "secret\0", "secret\u0100"})
    void credentialsCannotEndTheirLineAndAreNotInTheMessage(String value) throws BadHeadException {
        ForwardedRequest request = request("GET http://a/ HTTP/1.1", "Host: a");

        assertThatIllegalArgumentException()
                .isThrownBy(() -> request.write(ByteBuffer.allocate(1_000), true, authorization(value), null))
                .withMessageNotContaining("secret");
    }

    // ------------------------------------------------------------------ TRACE

    @Test
    void traceEchoesTheHeadWithoutSecrets() throws BadHeadException {
        ForwardedRequest request = request(
                "TRACE http://a/x HTTP/1.0",
                "cookie: a=b",
                "A:  1 ",
                "Authorization: Basic eDp5",
                "PROXY-Authorization: Basic eDp5",
                "Via: 1.1 b",
                "Max-Forwards: 0",
                "Cookie: c=d");
        ByteBuffer out = ByteBuffer.allocate(request.traceBytes());
        request.writeTrace(out);

        assertThat(out.hasRemaining()).isFalse();
        assertThat(new String(out.array(), ISO_8859_1))
                .isEqualTo(text("TRACE http://a/x HTTP/1.0", "A:  1 ", "Via: 1.1 b", "Max-Forwards: 0"));
    }

    @Test
    void traceEchoesAHeadWithoutFields() throws BadHeadException {
        ForwardedRequest request = ForwardedRequest.of(requestHead("TRACE http://a/ HTTP/1.0\r\n\r\n"));
        ByteBuffer out = ByteBuffer.allocate(request.traceBytes());
        request.writeTrace(out);

        assertThat(new String(out.array(), ISO_8859_1)).isEqualTo("TRACE http://a/ HTTP/1.0\r\n\r\n");
    }
}
