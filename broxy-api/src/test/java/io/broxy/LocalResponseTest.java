package io.broxy;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.ByteBuffer;
import java.nio.ReadOnlyBufferException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Specifies the responses that an embedder can build: their status, fields and body, and what is refused. */
class LocalResponseTest {

    @Test
    void aTextIsInUtf8AndSaysSo() {
        LocalResponse response = LocalResponse.of(200, "text/plain", "Ω");

        assertThat(response.status()).isEqualTo(200);
        assertThat(response.fields())
                .containsExactly(new ConnectRequest.Field("Content-Type", "text/plain; charset=utf-8"));
        assertThat(UTF_8.decode(response.body()).toString()).isEqualTo("Ω");
    }

    @Test
    void fieldsKeepTheirOrderAndDuplicates() {
        LocalResponse response = LocalResponse.builder(200)
                .field("Set-Cookie", "a=1")
                .field("X-Note", "caf\u00e9\tau lait")
                .field("Set-Cookie", "")
                .build();

        assertThat(response.fields())
                .extracting(ConnectRequest.Field::value)
                .containsExactly("a=1", "café\tau lait", "");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "Content-Length",
                "transfer-encoding",
                "TRAILER",
                "Connection",
                "Keep-Alive",
                "Proxy-Connection",
                "TE",
                "Upgrade",
                "HTTP2-Settings",
                "Proxy-Authenticate",
                "Proxy-Authentication-Info",
                "Proxy-Authorization"
            })
    void whatIsForTheProxyToSayIsNoFieldOfIt(String name) {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> LocalResponse.builder(200).field(name, "1"))
                .withMessage("the proxy itself writes " + name);
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "a b", "a:", "a\r\nb", "é", "a\u0000", "(a)"})
    void aNameIsAToken(String name) {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> LocalResponse.builder(200).field(name, "1"))
                .withMessage("the field name is not a token");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "secret\r\nX: y",
                "secret\n",
                "secret\u0000",
                "secret\u007f",
                " secret",
                "secret\t",
                "secret\u0100"
            })
    void aValueCannotEndItsLine(String value) {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> LocalResponse.builder(200).field("X-Note", value))
                .withMessageContaining("X-Note")
                .withMessageNotContaining("secret");
    }

    @ParameterizedTest
    @ValueSource(ints = {-1, 0, 100, 101, 199, 600, 999})
    void theStatusIsOfAFinalResponse(int status) {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> LocalResponse.builder(status))
                .withMessageContaining("not " + status);
    }

    @ParameterizedTest
    @ValueSource(ints = {204, 205, 304})
    void someHaveNoBody(int status) {
        LocalResponse.Builder builder = LocalResponse.builder(status).body(ByteBuffer.wrap(new byte[1]));

        assertThatIllegalArgumentException().isThrownBy(builder::build).withMessageContaining("must not have a body");
        assertThat(builder.body(ByteBuffer.allocate(0)).build().body().hasRemaining())
                .isFalse();
    }

    @Test
    void theBodyIsAnImmutableCopy() {
        ByteBuffer bytes = ByteBuffer.wrap("abc".getBytes(UTF_8));
        LocalResponse response = LocalResponse.builder(200).body(bytes).build();
        bytes.put(0, (byte) 'x');

        assertThat(bytes.remaining()).isEqualTo(3);
        assertThat(UTF_8.decode(response.body()).toString()).isEqualTo("abc");
        assertThat(UTF_8.decode(response.body()).toString()).isEqualTo("abc");
        assertThatThrownBy(() -> response.body().put((byte) 1)).isInstanceOf(ReadOnlyBufferException.class);
    }

    @Test
    void itsTextShowsTheStatusAlone() {
        assertThat(LocalResponse.of(404, "text/plain", "secret")).hasToString("LocalResponse[404]");
    }
}
