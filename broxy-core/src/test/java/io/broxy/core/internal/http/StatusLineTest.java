package io.broxy.core.internal.http;

import static io.broxy.core.internal.http.Feeding.response;
import static io.broxy.core.internal.http.Feeding.responseHead;
import static org.assertj.core.api.Assertions.assertThat;

import io.broxy.core.internal.http.BadHeadException.Problem;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Specifies the status line, and which deviations from its grammar are accepted. */
class StatusLineTest {

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "HTTP/1.1 200 OK                             | 1.1 200 [OK]",
                "HTTP/1.0 200 Connection established         | 1.0 200 [Connection established]",
                "HTTP/1.1 407 Proxy Authentication Required  | 1.1 407 [Proxy Authentication Required]",
                "HTTP/1.9 100 Continue                       | 1.1 100 [Continue]",
                "HTTP/1.1 599 200 OK                         | 1.1 599 [200 OK]",
                "HTTP/1.1 999 Request denied                 | 1.1 999 [Request denied]",
            })
    void wellFormedLinesAreRead(String line, String head) {
        assertThat(response(line + "\r\n\r\n").head()).isEqualTo(head);
    }

    @Test
    void theReasonMayBeEmptyAndItsSpaceToo() {
        assertThat(response("HTTP/1.1 200 \r\n\r\n").head()).isEqualTo("1.1 200 []");
        assertThat(response("HTTP/1.1 200\r\n\r\n").head()).isEqualTo("1.1 200 []");
        assertThat(response("HTTP/1.0 404\r\nA: b\r\n\r\n").head()).isEqualTo("1.0 404 [] | A=b");
    }

    /** curl, Go, Squid and Chromium read them; HTAB there, and HTTP in lower case, are for some of them only. */
    @Test
    void severalSpacesMayStandBeforeTheStatus() {
        assertThat(response("HTTP/1.1  200 OK\r\n\r\n").head()).isEqualTo("1.1 200 [OK]");
        assertThat(response("HTTP/1.1    200\r\n\r\n").head()).isEqualTo("1.1 200 []");
    }

    @Test
    void aReasonMayBeVeryLong() {
        String reason = "r".repeat(50_000);

        assertThat(response("HTTP/1.1 500 " + reason + "\r\n\r\n").head()).isEqualTo("1.1 500 [" + reason + "]");
    }

    @Test
    void theReasonKeepsItsWhiteSpaceAndItsObsText() {
        assertThat(response("HTTP/1.1 200  \tgr\u00fcn \r\n\r\n").head()).isEqualTo("1.1 200 [ \tgr\u00fcn ]");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                " HTTP/1.1 200 OK",
                "\r\nHTTP/1.1 200 OK",
                "HTTP/1.1",
                "HTTP/1.1 ",
                "HTTP/1.1  ",
                "HTTP/1.1 \t200 OK",
                "HTTP/1.1 200OK",
                "HTTP/1.1 2 00 OK",
                "HTTP/1.1 200,",
                "HTTP/1.1\u00a0200 OK",
                "HTTP/1.1200 OK",
                "Http/1.1 200 OK",
                "HTTP /1.1 200 OK",
                "HTTP/1.1\t200 OK",
                "HTTP/1.1 200\tOK",
                "HTTP/1.1 20",
                "HTTP/1.1 20 OK",
                "HTTP/1.1 2000 OK",
                "HTTP/1.1 000 OK",
                "HTTP/1.1 099 OK",
                "HTTP/1.1 2O0 OK",
                "HTTP/1.1 +20 OK",
                "HTTP/1.1 -20 OK",
                "HTTP/1.1 0x2 OK",
                "HTTP/1. 200 OK",
                "HTTP/1.10 200 OK",
                "http/1.1 200 OK",
                "HTTP 200 OK",
                "ICY 200 OK",
                "SSH-2.0-OpenSSH_9.6",
                "HTTP/1.1 200 O\0K",
                "HTTP/1.1 200 O\u007fK",
                "HTTP/1.1 200 O\rK",
                "HTTP/1.1 200 O\nK",
            })
    void otherLinesAreRefused(String line) {
        assertThat(response(line + "\r\n\r\n").problem()).isEqualTo(Problem.SYNTAX);
    }

    @ParameterizedTest
    @ValueSource(strings = {"HTTP/2.0 200 OK", "HTTP/0.9 200 OK"})
    void anotherMajorVersionIsRefusedAsSuch(String line) {
        assertThat(response(line + "\r\n\r\n").problem()).isEqualTo(Problem.VERSION);
    }

    @Test
    void theClassesOfStatusAreKnown() {
        assertThat(responseHead("HTTP/1.1 103 Early Hints\r\n\r\n").isInterim()).isTrue();
        assertThat(responseHead("HTTP/1.1 200 OK\r\n\r\n").isInterim()).isFalse();
        assertThat(responseHead("HTTP/1.1 199 x\r\n\r\n").isSuccessful()).isFalse();
        assertThat(responseHead("HTTP/1.1 200 OK\r\n\r\n").isSuccessful()).isTrue();
        assertThat(responseHead("HTTP/1.1 299 x\r\n\r\n").isSuccessful()).isTrue();
        assertThat(responseHead("HTTP/1.1 300 x\r\n\r\n").isSuccessful()).isFalse();
    }
}
