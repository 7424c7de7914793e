package io.broxy.core.internal.http;

import static io.broxy.core.internal.http.Feeding.bytes;
import static io.broxy.core.internal.http.Feeding.responseHead;
import static org.assertj.core.api.Assertions.assertThat;

import java.nio.ByteBuffer;
import org.junit.jupiter.api.Test;

/** Specifies the properties of a response's head. */
class ResponseHeadTest {

    @Test
    void aHeadIsSeenAsItWasReceived() {
        String text = "HTTP/1.0 407 Proxy Auth\u00e9 \r\nProxy-Authenticate: Basic\r\nA:\r\n\r\n";
        ResponseHead head = responseHead(text);

        assertThat(head.status()).isEqualTo(407);
        assertThat(head.reason()).isEqualTo("Proxy Auth\u00e9 ");
        assertThat(head.minorVersion()).isZero();
        assertThat(head.fields().first("proxy-authenticate")).isEqualTo("Basic");
        assertThat(head.bytes()).isEqualTo(ByteBuffer.wrap(bytes(text)));
        assertThat(head.bytes().isReadOnly()).isTrue();
    }

    @Test
    void eachViewOfTheBytesHasItsOwnPosition() {
        ResponseHead head = responseHead("HTTP/1.1 200 OK\r\n\r\n");
        head.bytes().position(5);

        assertThat(head.bytes().position()).isZero();
    }

    @Test
    void theTextNamesNoValue() {
        assertThat(responseHead("HTTP/1.1 200 secret\r\nSet-Cookie: secret\r\n\r\n"))
                .hasToString("ResponseHead[200, 1 fields]");
    }
}
