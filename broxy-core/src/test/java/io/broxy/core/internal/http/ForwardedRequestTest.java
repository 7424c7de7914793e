package io.broxy.core.internal.http;

import static io.broxy.core.internal.http.Feeding.readRequest;
import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Specifies which requests are refused, and the properties of those that are forwarded. */
class ForwardedRequestTest {
    private static final String GET = "GET http://a/ HTTP/1.1";
    private static final String GET_10 = "GET http://a/ HTTP/1.0";
    private static final String OPTIONS = "OPTIONS http://a/ HTTP/1.1";
    private static final String TRACE = "TRACE http://a/ HTTP/1.1";

    private static String text(String line, String... fields) {
        return line + "\r\nHost: a\r\n" + String.join("\r\n", fields) + (fields.length > 0 ? "\r\n\r\n" : "\r\n");
    }

    private static String read(Feeding.Reading<ForwardedRequest, Object> asked, String line, String... fields) {
        return readRequest(text(line, fields), head -> String.valueOf(asked.of(ForwardedRequest.of(head))));
    }

    private static String problem(String line, String... fields) {
        return read(request -> "nothing", line, fields);
    }

    private static boolean holds(Feeding.Reading<ForwardedRequest, Object> asked, String line, String... fields) {
        String read = read(asked, line, fields);
        assertThat(read).as("not refused").isIn("true", "false");
        return Boolean.parseBoolean(read);
    }

    @Test
    void whatIsSaidInTheHeadIsKnown() {
        String post = "POST http://Example.org:8080/x HTTP/1.1";

        assertThat(read(ForwardedRequest::method, post)).isEqualTo("POST");
        assertThat(read(request -> request.target().hostPort(), post)).isEqualTo("example.org:8080");
        assertThat(read(ForwardedRequest::minorVersion, post)).isEqualTo("1");
        assertThat(read(ForwardedRequest::minorVersion, GET_10)).isEqualTo("0");
        assertThat(read(request -> request.head().fields().size(), post, "A: b"))
                .isEqualTo("2");
        assertThat(read(ForwardedRequest::body, post)).isEqualTo(BodyFraming.NONE.toString());
        assertThat(read(ForwardedRequest::body, post, "Content-Length: 7"))
                .isEqualTo(BodyFraming.length(7).toString());
        assertThat(read(ForwardedRequest::body, post, "Transfer-Encoding: chunked"))
                .isEqualTo(BodyFraming.CHUNKED.toString());
        assertThat(read(request -> request, post, "A: secret")).isEqualTo("ForwardedRequest[POST, ABSOLUTE]");
    }

    @Test
    void hostFramingAndTargetAreLookedAt() {
        assertThat(problem(GET, "Host: b")).isEqualTo("HOST");
        assertThat(problem("GET ftp://a/ HTTP/1.1")).isEqualTo("SCHEME");
        assertThat(problem("GET http://u@a/ HTTP/1.1")).isEqualTo("TARGET");
        assertThat(problem(GET, "Content-Length: 1", "Content-Length: 2")).isEqualTo("FRAMING");
        assertThat(problem(GET, "Content-Length: 1", "Transfer-Encoding: chunked"))
                .isEqualTo("FRAMING");
        assertThat(problem(GET, "Transfer-Encoding: gzip, chunked")).isEqualTo("CODING");
        assertThat(problem(GET_10, "Transfer-Encoding: chunked")).isEqualTo("FRAMING");
    }

    @Test
    void theOtherFormsOfATargetAreNotRefusedHere() {
        assertThat(read(request -> request.target().form(), "GET / HTTP/1.1")).isEqualTo("ORIGIN");
        assertThat(read(request -> request.target().form(), "OPTIONS * HTTP/1.1"))
                .isEqualTo("ASTERISK");
        assertThat(read(request -> request.target().form(), "CONNECT a:443 HTTP/1.1"))
                .isEqualTo("AUTHORITY");
    }

    // ------------------------------------------------------------------ Connection

    @ParameterizedTest
    @ValueSource(strings = {"", "keep-alive", "Keep-Alive, TE", "x-close", "close-x", "\tkeep-alive ,, x", ",", "clos"})
    void http11Persists(String options) {
        assertThat(holds(ForwardedRequest::persistent, GET)).isTrue();
        assertThat(holds(ForwardedRequest::persistent, GET, "Connection: " + options))
                .isTrue();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {"close", "CLOSE", "keep-alive, close", "close,keep-alive", ", close", "\tclose\t", "x, close ,y"
            })
    void closeEndsIt(String options) {
        assertThat(holds(ForwardedRequest::persistent, GET, "Connection: " + options))
                .isFalse();
        assertThat(holds(ForwardedRequest::persistent, GET, "Connection: x", "connection: " + options))
                .isFalse();
    }

    @Test
    void http10NeverPersists() {
        assertThat(holds(ForwardedRequest::persistent, GET_10)).isFalse();
        assertThat(holds(ForwardedRequest::persistent, GET_10, "Connection: keep-alive"))
                .isFalse();
        assertThat(holds(ForwardedRequest::persistent, GET_10, "Proxy-Connection: keep-alive"))
                .isFalse();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "a b",
                "\"close\"",
                "close;x",
                "a=b",
                "a:b",
                "close, a b",
                "a/b",
                "@",
                "\u00e4",
                "a\tb",
                "(close)",
                "close,["
            })
    void aConnectionOptionIsAToken(String options) {
        assertThat(problem(GET, "Connection: " + options)).isEqualTo("SYNTAX");
        assertThat(problem(GET, "Connection: keep-alive", "Connection: " + options))
                .isEqualTo("SYNTAX");
    }

    @Test
    void connectionMustNotNameWhatEveryHopNeeds() {
        assertThat(problem(GET, "Connection: Content-Length")).isEqualTo("FRAMING");
        assertThat(problem(GET, "Connection: close, content-length", "Content-Length: 1"))
                .isEqualTo("FRAMING");
        assertThat(problem(GET, "Connection: x", "Connection: CONTENT-LENGTH")).isEqualTo("FRAMING");
        assertThat(problem(GET, "Connection: transfer-encoding")).isEqualTo("FRAMING");
        assertThat(problem(GET, "Connection: host")).isEqualTo("HOST");
        assertThat(problem(GET, "Connection: Hosts, Content-Lengths, Content-Type"))
                .isEqualTo("nothing");
    }

    @Test
    void connectionHasSoManyOptionsAndNotMore() {
        String most = "x,".repeat(64);

        assertThat(problem(GET, "Connection: " + most)).isEqualTo("nothing");
        assertThat(problem(GET, "Connection: " + most + "x")).isEqualTo("SYNTAX");
        assertThat(problem(GET, "Connection: " + most, "Connection: x")).isEqualTo("SYNTAX");
        assertThat(problem(GET, "Connection: " + ",".repeat(500)))
                .as("empty ones are passed over")
                .isEqualTo("nothing");
    }

    // ------------------------------------------------------------------ Max-Forwards

    @ParameterizedTest
    @CsvSource({
        "0, 0",
        "1, 1",
        "10, 10",
        "007, 7",
        "00, 0",
        "2147483646, 2147483646",
        "2147483647, 2147483647",
        "2147483648, 2147483647",
        "99999999999999999999999, 2147483647",
    })
    void maxForwardsLimitsTraceAndOptions(String value, int limit) {
        assertThat(read(ForwardedRequest::maxForwards, TRACE, "Max-Forwards: " + value))
                .isEqualTo("" + limit);
        assertThat(read(ForwardedRequest::maxForwards, OPTIONS, "max-forwards: " + value))
                .isEqualTo("" + limit);
        assertThat(read(ForwardedRequest::maxForwards, GET, "Max-Forwards: " + value))
                .isEqualTo("-1");
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "-1", "+1", "1.0", "1 2", "1,2", "x", "0x1", "\u00b2", "1;x"})
    void aMalformedLimitIsRefusedWhereItMeansSomething(String value) {
        assertThat(problem(TRACE, "Max-Forwards: " + value)).isEqualTo("SYNTAX");
        assertThat(problem(OPTIONS, "Max-Forwards: " + value)).isEqualTo("SYNTAX");
        assertThat(problem(GET, "Max-Forwards: " + value)).isEqualTo("nothing");
    }

    @Test
    void thereIsOneLimitOrNone() {
        assertThat(read(ForwardedRequest::maxForwards, TRACE)).isEqualTo("-1");
        assertThat(problem(TRACE, "Max-Forwards: 1", "Max-Forwards: 1")).isEqualTo("SYNTAX");
        assertThat(problem(GET, "Max-Forwards: 1", "Max-Forwards: 1")).isEqualTo("nothing");
        assertThat(read(ForwardedRequest::maxForwards, "trace http://a/ HTTP/1.1", "Max-Forwards: 1"))
                .isEqualTo("-1");
    }

    // ------------------------------------------------------------------ TRACE, Expect, Upgrade

    @Test
    void traceHasNoContent() {
        assertThat(problem(TRACE)).isEqualTo("nothing");
        assertThat(problem(TRACE, "Content-Length: 0")).isEqualTo("nothing");
        assertThat(problem(TRACE, "Content-Length: 1")).isEqualTo("FRAMING");
        assertThat(problem(TRACE, "Transfer-Encoding: chunked")).isEqualTo("FRAMING");
    }

    @ParameterizedTest
    @ValueSource(strings = {"100-continue", "100-CONTINUE", "100-continue, 100-continue", ", 100-continue"})
    void aClientMayWaitForContinue(String value) {
        assertThat(holds(ForwardedRequest::expectsContinue, GET, "Expect: " + value))
                .isTrue();
        assertThat(holds(ForwardedRequest::expectsContinue, GET_10, "Expect: " + value))
                .as("in HTTP/1.0 it means nothing")
                .isFalse();
    }

    @Test
    void anEmptyExpectationIsNone() {
        assertThat(holds(ForwardedRequest::expectsContinue, GET)).isFalse();
        assertThat(holds(ForwardedRequest::expectsContinue, GET, "Expect:")).isFalse();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "x",
                "100",
                "100-continue;x",
                "100-continue=x",
                "\"100-continue\"",
                "100-continue, x",
                "x, 100-continue",
                "x=\"a,100-continue\"",
                "100 continue",
                "200-ok",
            })
    void otherExpectationsCannotBeMet(String value) {
        assertThat(problem(GET, "Expect: " + value)).isEqualTo("EXPECTATION");
        assertThat(problem(GET_10, "Expect: " + value)).isEqualTo("EXPECTATION");
        assertThat(problem(GET, "Expect: 100-continue", "Expect: " + value)).isEqualTo("EXPECTATION");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {"websocket", "WebSocket", "websocket, IRC/6.9, RTA/x11", "h2c, websocket", "h2c,x", "h2c/1", ",x"
            })
    void anUpgradeNeedsItsConnectionOptionAndHttp11(String value) {
        assertThat(holds(ForwardedRequest::upgrade, GET, "Connection: Upgrade", "Upgrade: " + value))
                .isTrue();
        assertThat(holds(ForwardedRequest::upgrade, GET, "Upgrade: " + value)).isFalse();
        assertThat(holds(ForwardedRequest::upgrade, GET, "Connection: keep-alive", "Upgrade: " + value))
                .isFalse();
        assertThat(holds(ForwardedRequest::upgrade, GET_10, "Connection: Upgrade", "Upgrade: " + value))
                .isFalse();
    }

    @ParameterizedTest
    @ValueSource(strings = {"", ",", "h2c", "H2C", "h2c, h2c"})
    void anUpgradeToNothingOrH2cIsNone(String value) {
        assertThat(holds(ForwardedRequest::upgrade, GET, "Connection: upgrade", "Upgrade: " + value))
                .isFalse();
    }

    @Test
    void anUpgradeInSeveralLinesIsOneList() {
        assertThat(holds(ForwardedRequest::upgrade, GET, "Connection: upgrade", "Upgrade: h2c", "Upgrade: x"))
                .isTrue();
        assertThat(holds(ForwardedRequest::upgrade, GET, "Connection: upgrade")).isFalse();
    }

    @ParameterizedTest
    @ValueSource(strings = {"web socket", "a/b/c", "/1", "a/", "a;b", "\"a\"", "h2c, a/", "websocket, @"})
    void aMalformedUpgradeIsRefusedWhereItMeansSomething(String value) {
        assertThat(problem(GET, "Connection: upgrade", "Upgrade: " + value)).isEqualTo("SYNTAX");
        assertThat(problem(GET, "Upgrade: " + value)).isEqualTo("nothing");
        assertThat(problem(GET_10, "Connection: upgrade", "Upgrade: " + value)).isEqualTo("nothing");
    }

    // ------------------------------------------------------------------ the rest

    @ParameterizedTest
    @CsvSource({
        "GET, true",
        "HEAD, true",
        "OPTIONS, true",
        "TRACE, true",
        "PUT, true",
        "DELETE, true",
        "POST, false",
        "PATCH, false",
        "CONNECT, false",
        "get, false",
        "PROPFIND, false",
    })
    void itIsKnownWhichMethodsAreIdempotent(String method, boolean idempotent) {
        String target = method.equals("CONNECT") ? "a:443" : "http://a/";

        assertThat(holds(ForwardedRequest::isIdempotent, method + " " + target + " HTTP/1.1"))
                .isEqualTo(idempotent);
    }

    @Test
    void aLoopIsSeenInVia() {
        assertThat(holds(request -> request.passedThrough("me"), GET, "Via: 1.1 a", "Via: 1.0 b (x, y), 1.1 ME"))
                .isTrue();
        assertThat(holds(request -> request.passedThrough("me"), GET, "Via: 1.1 a (1.1 me)"))
                .isFalse();
        assertThat(holds(request -> request.passedThrough("me"), GET, "Connection: Via", "Via: 1.1 me"))
                .as("even if Via is for this hop only")
                .isTrue();
    }
}
