package io.broxy.core.internal.http;

import static io.broxy.core.internal.http.Feeding.readResponse;
import static io.broxy.core.internal.http.Feeding.requestHead;
import static io.broxy.core.internal.http.Feeding.responseHead;
import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;

import java.nio.ByteBuffer;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Specifies which responses are refused, and the bytes of the others that a client gets. */
class ForwardedResponseTest {
    private static final ForwardedRequest GET = request("GET http://a/ HTTP/1.1", "Host: a");
    private static final ForwardedRequest GET_10 = request("GET http://a/ HTTP/1.0");
    private static final ForwardedRequest HEAD = request("HEAD http://a/ HTTP/1.1", "Host: a");
    private static final ForwardedRequest UPGRADE = request(
            "GET http://www.example.com/hello HTTP/1.1",
            "Host: www.example.com",
            "Connection: upgrade",
            "Upgrade: websocket, IRC/6.9, h2c, RTA/x11");

    private static final String OK = "HTTP/1.1 200 OK";

    private static String text(String... lines) {
        return String.join("\r\n", lines) + "\r\n\r\n";
    }

    private static ForwardedRequest request(String... lines) {
        try {
            return ForwardedRequest.of(requestHead(text(lines)));
        } catch (BadHeadException e) {
            throw new AssertionError(e);
        }
    }

    private static ForwardedResponse response(ForwardedRequest request, String... lines) throws BadHeadException {
        return ForwardedResponse.of(responseHead(text(lines)), request);
    }

    private static String problem(ForwardedRequest request, String... lines) {
        return readResponse(text(lines), head -> {
            ForwardedResponse.of(head, request);
            return "nothing";
        });
    }

    private static String kept(ForwardedRequest request, String... lines) {
        return readResponse(text(lines), head -> written(ForwardedResponse.of(head, request), true, null));
    }

    private static String closed(ForwardedRequest request, String... lines) {
        return readResponse(text(lines), head -> written(ForwardedResponse.of(head, request), false, null));
    }

    private static String written(ForwardedResponse response, boolean keepAlive, @Nullable String via) {
        ByteBuffer out = ByteBuffer.allocate(16_384);
        response.write(out, keepAlive, via);
        return new String(out.array(), 0, out.position(), ISO_8859_1);
    }

    // ------------------------------------------------------------------ where it ends

    @Test
    void theEndIsFoundByTheRulesOfTheRequest() throws BadHeadException {
        String length = "Content-Length: 3";

        assertThat(response(GET, OK, length).body()).isEqualTo(BodyFraming.length(3));
        assertThat(response(HEAD, OK, length).body()).isEqualTo(BodyFraming.NONE);
        assertThat(response(GET, "HTTP/1.1 304 Not Modified", length).body()).isEqualTo(BodyFraming.NONE);
        assertThat(response(GET, "HTTP/1.1 204 No Content").body()).isEqualTo(BodyFraming.NONE);
        assertThat(response(GET, OK, "Transfer-Encoding: chunked").body()).isEqualTo(BodyFraming.CHUNKED);
        assertThat(response(GET, OK).body()).isEqualTo(BodyFraming.UNTIL_CLOSE);
    }

    @ParameterizedTest
    @CsvSource({
        "Content-Length: 3,            true,  false, true",
        "Transfer-Encoding: chunked,   true,  true,  true",
        "X: y,                         false, false, false",
    })
    void theRecipientsThatCanFindTheEndAreKnown(
            String field, boolean delimited, boolean dechunked, boolean originPersists) throws BadHeadException {
        ForwardedResponse to11 = response(GET, OK, field);
        ForwardedResponse to10 = response(GET_10, OK, field);

        assertThat(to11.delimited()).isEqualTo(delimited);
        assertThat(to11.dechunked()).isFalse();
        assertThat(to10.delimited()).isEqualTo(delimited && !dechunked);
        assertThat(to10.dechunked()).isEqualTo(dechunked);
        assertThat(to11.originPersists()).isEqualTo(originPersists);
        assertThat(to10.originPersists()).isEqualTo(originPersists);
    }

    @Test
    void anOriginPersistsUnlessItSaysCloseOrIsOld() throws BadHeadException {
        String length = "Content-Length: 3";

        assertThat(response(GET, OK, length, "Connection: keep-alive").originPersists())
                .isTrue();
        assertThat(response(GET, OK, length, "Connection: x, Close").originPersists())
                .isFalse();
        assertThat(response(GET, OK, length, "Connection: x", "Connection: close")
                        .originPersists())
                .isFalse();
        assertThat(response(GET, "HTTP/1.0 200 OK", length).originPersists()).isFalse();
        assertThat(response(GET, "HTTP/1.0 200 OK", length, "Connection: keep-alive")
                        .originPersists())
                .isFalse();
        assertThat(response(HEAD, OK).originPersists()).isTrue();
    }

    /** Whatever it means, it cannot name a field. */
    @ParameterizedTest
    @ValueSource(strings = {"keep alive", "Keep-Alive, timeout=5", "close;", "\"close\"", "a b, X"})
    void aConnectionOptionThatIsNoTokenIsTakenForClose(String options) throws BadHeadException {
        ForwardedResponse response = response(GET, OK, "Content-Length: 3", "Connection: " + options, "Y: z");

        assertThat(response.originPersists()).isFalse();
        assertThat(written(response, true, null)).isEqualTo(text(OK, "Content-Length: 3", "Y: z"));
    }

    @Test
    void whatOthersMightReadDifferentlyIsRefused() {
        assertThat(problem(GET, OK, "Content-Length: 3", "Content-Length: 4")).isEqualTo("FRAMING");
        assertThat(problem(GET, OK, "Transfer-Encoding: gzip, chunked")).isEqualTo("CODING");
        assertThat(problem(GET, "HTTP/1.0 200 OK", "Transfer-Encoding: chunked"))
                .isEqualTo("FRAMING");
        assertThat(problem(GET, OK, "Content-Length: 3", "Connection: content-length"))
                .isEqualTo("FRAMING");
        assertThat(problem(GET, OK, "Transfer-Encoding: chunked", "Connection: Transfer-Encoding"))
                .isEqualTo("FRAMING");
        assertThat(problem(GET, OK, "Connection: a b, Content-Length")).isEqualTo("FRAMING");
    }

    // ------------------------------------------------------------------ interim responses and switches

    @ParameterizedTest
    @ValueSource(strings = {"100 Continue", "102 Processing", "103 Early Hints", "199 "})
    void anInterimResponseIsFollowedByAnother(String status) throws BadHeadException {
        ForwardedResponse response = response(GET, "HTTP/1.1 " + status, "Link: </x>; rel=preload");

        assertThat(response.isInterim()).isTrue();
        assertThat(response.isUpgrade()).isFalse();
        assertThat(response.body()).isEqualTo(BodyFraming.NONE);
        assertThat(response.isForClient()).isTrue();
        assertThat(response(GET_10, "HTTP/1.1 " + status).isForClient()).isFalse();
        assertThat(written(response, false, "me"))
                .as("nothing is said about what follows")
                .isEqualTo(text("HTTP/1.1 " + status, "Link: </x>; rel=preload", "Via: 1.1 me"));
    }

    @Test
    void aFinalResponseIsForEveryClient() throws BadHeadException {
        assertThat(response(GET, OK).isInterim()).isFalse();
        assertThat(response(GET_10, OK).isForClient()).isTrue();
        assertThat(response(GET, OK).status()).isEqualTo(200);
    }

    @ParameterizedTest
    @ValueSource(strings = {"websocket", "WebSocket", "IRC/6.9", "rta/X11", "websocket, irc/6.9", ",websocket,"})
    void aSwitchToWhatWasOfferedIsTaken(String protocol) throws BadHeadException {
        ForwardedResponse response =
                response(UPGRADE, "HTTP/1.1 101 Switching Protocols", "Connection: upgrade", "Upgrade: " + protocol);

        assertThat(response.isUpgrade()).isTrue();
        assertThat(response.isInterim()).isFalse();
        assertThat(response.originPersists()).isFalse();
        assertThat(response.isForClient()).isTrue();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {"", ",", "h2c", "IRC", "IRC/7", "websocket/13", "x", "websocket, x", "web", "websocket, a b"})
    void aSwitchToSomethingElseIsRefused(String protocol) {
        assertThat(problem(UPGRADE, "HTTP/1.1 101 Switching Protocols", "Connection: upgrade", "Upgrade: " + protocol))
                .isIn("FRAMING", "SYNTAX");
    }

    @Test
    void aSwitchIsCompleteAndWasAskedFor() {
        String line = "HTTP/1.1 101 Switching Protocols";
        String upgrade = "Upgrade: websocket";

        assertThat(problem(UPGRADE, line, "Connection: Upgrade", upgrade)).isEqualTo("nothing");
        assertThat(problem(UPGRADE, line, upgrade)).isEqualTo("FRAMING");
        assertThat(problem(UPGRADE, line, "Connection: upgrade")).isEqualTo("FRAMING");
        assertThat(problem(UPGRADE, line)).isEqualTo("FRAMING");
        assertThat(problem(UPGRADE, "HTTP/1.0 101 Switching Protocols", "Connection: Upgrade", upgrade))
                .isEqualTo("FRAMING");
        assertThat(problem(GET, line, "Connection: Upgrade", upgrade)).isEqualTo("FRAMING");
        ForwardedRequest withoutOption = request("GET http://a/ HTTP/1.1", "Host: a", upgrade);
        assertThat(problem(withoutOption, line, "Connection: Upgrade", upgrade)).isEqualTo("FRAMING");
        ForwardedRequest old = request("GET http://a/ HTTP/1.0", "Connection: upgrade", upgrade);
        assertThat(problem(old, line, "Connection: Upgrade", upgrade)).isEqualTo("FRAMING");
    }

    @Test
    void aSwitchIsWrittenWithItsProtocol() {
        assertThat(closed(
                        UPGRADE,
                        "HTTP/1.1 101 Switching Protocols",
                        "Connection: upgrade",
                        "Upgrade: websocket",
                        "Content-Length: 5",
                        "Sec-WebSocket-Accept: x"))
                .isEqualTo(text(
                        "HTTP/1.1 101 Switching Protocols",
                        "Sec-WebSocket-Accept: x",
                        "Upgrade: websocket",
                        "Connection: upgrade"));
    }

    /** RFC 9110, section 15.5.22. */
    @Test
    void theRequiredUpgradeIsPassedOn() {
        String[] response = {
            "HTTP/1.1 426 Upgrade Required",
            "Upgrade: HTTP/3.0",
            "Connection: Upgrade",
            "Content-Length: 53",
            "Content-Type: text/plain"
        };

        assertThat(kept(GET, response))
                .isEqualTo(text(
                        "HTTP/1.1 426 Upgrade Required",
                        "Content-Length: 53",
                        "Content-Type: text/plain",
                        "Upgrade: HTTP/3.0",
                        "Connection: upgrade"));
        assertThat(closed(GET, response)).endsWith("Upgrade: HTTP/3.0\r\nConnection: close, upgrade\r\n\r\n");
        assertThat(kept(GET, "HTTP/1.1 426 Upgrade Required", "Content-Length: 0"))
                .isEqualTo(text("HTTP/1.1 426 Upgrade Required", "Content-Length: 0"));
    }

    // ------------------------------------------------------------------ what is written

    /** RFC 9110, section 3.9. */
    @Test
    void theRfcsExampleIsPassedAsItIs() {
        String[] response = {
            OK,
            "Date: Mon, 27 Jul 2009 12:28:53 GMT",
            "Server: Apache",
            "Last-Modified: Wed, 22 Jul 2009 19:15:56 GMT",
            "ETag: \"34aa387-d-1568eb00\"",
            "Accept-Ranges: bytes",
            "Content-Length: 51",
            "Vary: Accept-Encoding",
            "Content-Type: text/plain"
        };

        assertThat(kept(GET, response)).isEqualTo(text(response));
        assertThat(closed(GET, response))
                .isEqualTo(text(response).replaceFirst("\r\n\r\n$", "\r\nConnection: close\r\n\r\n"));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {"200 ", "200 OK", "404  Not\tfound ", "500 gr\u00fcn", "999 Request Denied", "600 ", "304 x"})
    void statusAndReasonAreUntouched(String status) {
        assertThat(kept(HEAD, "HTTP/1.1 " + status)).isEqualTo(text("HTTP/1.1 " + status));
        assertThat(kept(HEAD, "HTTP/1.0 " + status)).isEqualTo(text("HTTP/1.1 " + status));
    }

    @Test
    void orderDuplicatesAndBytesOfFieldsAreUntouched() {
        String[] response = {
            OK,
            "set-cookie:a=b",
            "Set-Cookie:  c=d ",
            "X-Empty:",
            "SET-COOKIE: e",
            "cOntent-length: 3",
            "X: gr\u00fcn\tx"
        };

        assertThat(kept(GET, response)).isEqualTo(text(response));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "Connection: x",
                "Keep-Alive: timeout=5, max=100",
                "Proxy-Connection: keep-alive",
                "Proxy-Authenticate: Basic",
                "Proxy-Authentication-Info: x",
                "Proxy-Authorization: x",
                "TE: trailers",
                "Upgrade: h2,h2c",
                "HTTP2-Settings: x",
            })
    void hopByHopFieldsGoNoFurtherInAnyPlace(String line) {
        String expected = text(OK, "Content-Length: 1", "B: 2");

        assertThat(kept(GET, OK, line, "Content-Length: 1", "B: 2")).isEqualTo(expected);
        assertThat(kept(GET, OK, "Content-Length: 1", line, line, "B: 2", line)).isEqualTo(expected);
    }

    @Test
    void whatConnectionNamesGoesNoFurther() {
        assertThat(kept(GET, OK, "x-one: 1", "Content-Length: 0", "Connection: X-One, close", "X-Two: 2"))
                .isEqualTo(text(OK, "Content-Length: 0", "X-Two: 2"));
    }

    @Test
    void chunksArePassedAsChunksToWhomKnowsThem() {
        String[] response = {OK, "Transfer-Encoding: Chunked", "Trailer: X", "A: b"};

        assertThat(kept(GET, response)).isEqualTo(text(OK, "Trailer: X", "A: b", "Transfer-Encoding: chunked"));
        assertThat(closed(GET_10, response)).isEqualTo(text(OK, "A: b", "Connection: close"));
        assertThat(kept(HEAD, response)).isEqualTo(text(OK, "Trailer: X", "A: b"));
    }

    @Test
    void aLengthIsLeftOutWhereItHasNoPlace() {
        assertThat(kept(GET, "HTTP/1.1 204 No Content", "Content-Length: 0", "A: b"))
                .isEqualTo(text("HTTP/1.1 204 No Content", "A: b"));
        assertThat(kept(GET, "HTTP/1.1 204 x", "Transfer-Encoding: chunked")).isEqualTo(text("HTTP/1.1 204 x"));
        assertThat(kept(GET, "HTTP/1.1 103 Early Hints", "Content-Length: 7"))
                .isEqualTo(text("HTTP/1.1 103 Early Hints"));
        assertThat(kept(GET, "HTTP/1.1 304 x", "Content-Length: 7"))
                .isEqualTo(text("HTTP/1.1 304 x", "Content-Length: 7"));
        assertThat(kept(HEAD, OK, "Content-Length: 7")).isEqualTo(text(OK, "Content-Length: 7"));
        assertThat(kept(GET, "HTTP/1.1 205 x", "Content-Length: 0"))
                .isEqualTo(text("HTTP/1.1 205 x", "Content-Length: 0"));
    }

    // ------------------------------------------------------------------ what is normalised

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "0000344         |                | 344",
                "00              |                | 0",
                "5               | 5              | 5",
                "5               | 005            | 5",
                "5, 5            |                | 5",
                "5,5,05          | 0005, 5        | 5",
                "', 5'           |                | 5",
                "5 ,, 5,         | 5              | 5",
                "0000000000000000000000009223372036854775807 | | 9223372036854775807",
            })
    void oneLengthSaidTwiceAlikeOrWithZerosIsWrittenOnce(String first, @Nullable String second, String written)
            throws BadHeadException {
        String[] response = second == null
                ? new String[] {OK, "A: b", "content-length: " + first, "C: d"}
                : new String[] {OK, "A: b", "content-length: " + first, "C: d", "Content-Length: " + second, "E:f"};
        String[] expected = second == null
                ? new String[] {OK, "A: b", "Content-Length: " + written, "C: d"}
                : new String[] {OK, "A: b", "Content-Length: " + written, "C: d", "E:f"};

        assertThat(kept(GET, response)).isEqualTo(text(expected));
        assertThat(kept(HEAD, response)).isEqualTo(text(expected));
        assertThat(response(GET, response).body()).isEqualTo(BodyFraming.length(Long.parseLong(written)));
        assertThat(response(GET, response).originPersists()).isTrue();
        assertThat(response(HEAD, response).body()).isEqualTo(BodyFraming.NONE);
        assertThat(response(HEAD, response).originPersists()).isTrue();
    }

    /** RFC 9112, section 6.3: Transfer-Encoding overrides it, and the sender is not trusted any further. */
    @ParameterizedTest
    @ValueSource(strings = {"5", "0", "0005", "5, 5", "5, 6", "x", "", "99999999999999999999"})
    void aLengthBesideACodingIsDropped(String length) throws BadHeadException {
        for (String[] response : new String[][] {
            {OK, "Content-Length: " + length, "Transfer-Encoding: chunked", "A: b"},
            {OK, "Transfer-Encoding: chunked", "A: b", "Content-Length: " + length, "Content-Length: 7"},
        }) {
            assertThat(kept(GET, response)).isEqualTo(text(OK, "A: b", "Transfer-Encoding: chunked"));
            assertThat(closed(GET_10, response)).isEqualTo(text(OK, "A: b", "Connection: close"));
            assertThat(kept(HEAD, response)).isEqualTo(text(OK, "A: b"));
            assertThat(response(GET, response).body()).isEqualTo(BodyFraming.CHUNKED);
            assertThat(response(GET, response).originPersists()).isFalse();
            assertThat(response(HEAD, response).originPersists()).isFalse();
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"chunked,", ",chunked", ", , Chunked\t,,", "chunked , "})
    void emptyCodingsArePassedOver(String codings) throws BadHeadException {
        String[] response = {OK, "Transfer-Encoding: " + codings, "A: b"};

        assertThat(kept(GET, response)).isEqualTo(text(OK, "A: b", "Transfer-Encoding: chunked"));
        assertThat(response(GET, response).originPersists()).isTrue();
        assertThat(kept(GET, OK, "Transfer-Encoding:", "Transfer-Encoding: chunked", "A: b"))
                .isEqualTo(text(OK, "A: b", "Transfer-Encoding: chunked"));
    }

    /** They end with their heads (RFC 9112, section 6.3), so the field frames nothing; but it must not be passed on. */
    @ParameterizedTest
    @ValueSource(strings = {"", "x", "-1", "+5", "5, 6", "5;", "0x5", "1e3", "9223372036854775808", ","})
    void aMalformedLengthOfWhatHasNoBodyIsLeftOut(String length) throws BadHeadException {
        String line = "Content-Length: " + length;

        assertThat(kept(HEAD, OK, line, "A: b")).isEqualTo(text(OK, "A: b"));
        assertThat(response(HEAD, OK, line).originPersists()).isFalse();
        assertThat(kept(GET, "HTTP/1.1 304 x", line, "A: b", line)).isEqualTo(text("HTTP/1.1 304 x", "A: b"));
        assertThat(response(GET, "HTTP/1.1 304 x", line).originPersists()).isFalse();
        assertThat(kept(GET, "HTTP/1.1 204 x", line, "A: b")).isEqualTo(text("HTTP/1.1 204 x", "A: b"));
        assertThat(response(GET, "HTTP/1.1 204 x", line).originPersists()).isFalse();
        assertThat(kept(GET, "HTTP/1.1 103 x", line, "A: b")).isEqualTo(text("HTTP/1.1 103 x", "A: b"));
        assertThat(problem(GET, OK, line)).as("of a body").isEqualTo("FRAMING");
    }

    @Test
    void anOriginThatAnnouncesAForbiddenBodyIsNotReused() throws BadHeadException {
        assertThat(response(GET, "HTTP/1.1 204 x", "Content-Length: 0").originPersists())
                .isTrue();
        assertThat(response(GET, "HTTP/1.1 204 x", "Content-Length: 00, 0").originPersists())
                .isTrue();
        assertThat(response(GET, "HTTP/1.1 204 x", "Content-Length: 5").originPersists())
                .isFalse();
        assertThat(response(GET, "HTTP/1.1 204 x", "Transfer-Encoding: chunked").originPersists())
                .isFalse();
        assertThat(response(GET, "HTTP/1.1 304 x", "Content-Length: 5").originPersists())
                .isTrue();
        assertThat(response(HEAD, OK, "Transfer-Encoding: chunked").originPersists())
                .isTrue();
    }

    @Test
    void irregularLinesAreWrittenAnew() throws BadHeadException {
        ForwardedResponse response = ForwardedResponse.of(
                responseHead("HTTP/1.1  200\nA : b\n c\nCONTENT-LENGTH\t: 007\nD:\te\r\n\tf \r\n\n"), GET);

        assertThat(written(response, true, null))
                .isEqualTo(text("HTTP/1.1 200 ", "A: b c", "Content-Length: 7", "D: e f"));
        assertThat(response.originPersists()).isTrue();
    }

    /** Three bytes of a line become five. */
    @Test
    void whatGrowsAsItIsWrittenHasRoom() throws BadHeadException {
        ForwardedResponse response =
                ForwardedResponse.of(responseHead("HTTP/1.1 304\n" + "a:\n".repeat(256) + "\n"), GET);

        assertThat(written(response, true, "me")).endsWith("\r\na: \r\nVia: 1.1 me\r\n\r\n");
    }

    @Test
    void viaHasTheVersionThatWasReceived() throws BadHeadException {
        assertThat(written(response(GET, OK, "Via: 1.0 b", "Content-Length: 0"), true, "me"))
                .isEqualTo(text(OK, "Via: 1.0 b", "Content-Length: 0", "Via: 1.1 me"));
        assertThat(written(response(GET, "HTTP/1.0 200 OK"), false, "me"))
                .isEqualTo(text(OK, "Connection: close", "Via: 1.0 me"));
    }

    @Test
    void aConnectionWhoseEndIsTheEndIsNotKept() throws BadHeadException {
        ByteBuffer out = ByteBuffer.allocate(1_000);
        ForwardedResponse untilClose = response(GET, OK);
        ForwardedResponse dechunked = response(GET_10, OK, "Transfer-Encoding: chunked");

        assertThatIllegalArgumentException().isThrownBy(() -> untilClose.write(out, true, null));
        assertThatIllegalArgumentException().isThrownBy(() -> dechunked.write(out, true, null));
        assertThatIllegalStateException().isThrownBy(() -> dechunked.writeLastChunk(null, out));
        assertThat(out.position()).isZero();
    }

    @Test
    void theTextNamesTheStatusOnly() throws BadHeadException {
        assertThat(response(GET, OK, "Set-Cookie: secret")).hasToString("ForwardedResponse[200]");
    }
}
