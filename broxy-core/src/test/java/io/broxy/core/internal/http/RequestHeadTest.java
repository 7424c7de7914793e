package io.broxy.core.internal.http;

import static io.broxy.core.internal.http.Feeding.bytes;
import static io.broxy.core.internal.http.Feeding.requestHead;
import static org.assertj.core.api.Assertions.assertThat;

import java.nio.ByteBuffer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Specifies the properties of a request's head. */
class RequestHeadTest {

    @Test
    void aHeadIsSeenAsItWasReceived() {
        String text = "POST http://example.org/?q HTTP/1.0\r\nA: b\r\n\r\n";
        RequestHead head = requestHead(text);

        assertThat(head.method()).isEqualTo("POST");
        assertThat(head.target()).isEqualTo("http://example.org/?q");
        assertThat(head.minorVersion()).isZero();
        assertThat(head.fields().first("a")).isEqualTo("b");
        assertThat(head.bytes()).isEqualTo(ByteBuffer.wrap(bytes(text)));
        assertThat(head.bytes().isReadOnly()).isTrue();
    }

    @ParameterizedTest
    @ValueSource(strings = {"CONNECT", "GET", "POST", "HEAD", "PUT", "OPTIONS", "DELETE", "PATCH", "TRACE"})
    void theKnownMethodsCostNoNewString(String method) {
        RequestHead head = requestHead(method + " / HTTP/1.1\r\n\r\n");

        assertThat(head.method()).isEqualTo(method).isSameAs(head.method());
        assertThat(head.isConnect()).isEqualTo(method.equals("CONNECT"));
    }

    @ParameterizedTest
    @ValueSource(strings = {"connect", "Connect", "CONNEC", "CONNECTS", "get", "G", "PROPFIND", "GETS"})
    void methodsAreCaseSensitiveAndWhole(String method) {
        RequestHead head = requestHead(method + " / HTTP/1.1\r\n\r\n");

        assertThat(head.method()).isEqualTo(method);
        assertThat(head.isConnect()).isFalse();
    }

    @Test
    void theTextNamesNeitherTargetNorValues() {
        assertThat(requestHead("GET /?token=secret HTTP/1.1\r\nCookie: secret\r\n\r\n"))
                .hasToString("RequestHead[GET, 1 fields]");
    }
}
