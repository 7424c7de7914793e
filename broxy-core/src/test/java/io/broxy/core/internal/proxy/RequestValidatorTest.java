package io.broxy.core.internal.proxy;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import io.broxy.RefusedException;
import io.broxy.RefusedException.Reason;
import io.broxy.core.internal.http.BadHeadException;
import io.broxy.core.internal.http.ForwardedRequest;
import io.broxy.core.internal.http.HeadLimits;
import io.broxy.core.internal.http.HeadParser;
import io.broxy.core.internal.http.Rejection;
import java.nio.ByteBuffer;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Specifies the response to each request that cannot be forwarded. */
class RequestValidatorTest {

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "http://u@a/ | A: b | BAD_TARGET | 400 Bad Request",
                "ftp://a/ | A: b | NOT_IMPLEMENTED | 501 Not Implemented",
                "http://a/ | Expect: x | NOT_IMPLEMENTED | 417 Expectation Failed",
                "http://a/ | Connection: a b | BAD_REQUEST | 400 Bad Request",
                "http://a/ | Content-Length: x | BAD_REQUEST | 400 Bad Request",
                "http://a/ | Transfer-Encoding: x, chunked | NOT_IMPLEMENTED | 501 Not Implemented",
            })
    void aRequestThatCannotBeForwardedHasItsAnswer(String target, String field, Reason reason, String status) {
        String text = "GET " + target + " HTTP/1.1\r\nHost: a\r\n" + field + "\r\n\r\n";
        BadHeadException bad = catchThrowableOfType(BadHeadException.class, () -> {
            var head = HeadParser.request(HeadLimits.REQUEST).feed(ByteBuffer.wrap(text.getBytes(US_ASCII)));
            assertThat(head).isNotNull();
            ForwardedRequest.of(head);
        });
        RefusedException refusal = Rejection.of(bad);

        assertThat(refusal.reason()).isEqualTo(reason);
        assertThat(US_ASCII.decode(Responses.refused(refusal, true).bytes()).toString())
                .startsWith("HTTP/1.1 " + status + "\r\n")
                .endsWith(refusal.status() + " " + bad.getMessage() + "\n");
    }
}
