package io.broxy.core.internal.http;

import static io.broxy.core.internal.http.Feeding.requestHead;
import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.ByteBuffer;
import java.util.Random;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Specifies which heads can be written, and their bytes. */
class HeadWriterTest {

    private static String text(HeadWriter writer) {
        return new String(writer.toBytes(), ISO_8859_1);
    }

    @Test
    void aRequestIsWritten() {
        assertThat(text(HeadWriter.request("CONNECT", "example.org:443")
                        .field("Host", "example.org:443")
                        .field("X-Empty", "")))
                .isEqualTo("CONNECT example.org:443 HTTP/1.1\r\nHost: example.org:443\r\nX-Empty: \r\n\r\n");
    }

    @Test
    void aResponseIsWritten() {
        assertThat(text(HeadWriter.response(407, "Proxy Authentication Required")
                        .field("A", "gr\u00fcn\ttee")))
                .isEqualTo("HTTP/1.1 407 Proxy Authentication Required\r\nA: gr\u00fcn\ttee\r\n\r\n");
        assertThat(text(HeadWriter.response(200, ""))).isEqualTo("HTTP/1.1 200 \r\n\r\n");
    }

    @Test
    void aWriterGoesOnAfterItsBytesWereTaken() {
        HeadWriter writer = HeadWriter.response(100, "Continue");
        byte[] first = writer.toBytes();
        writer.field("A", "b");

        assertThat(new String(first, ISO_8859_1)).isEqualTo("HTTP/1.1 100 Continue\r\n\r\n");
        assertThat(text(writer)).isEqualTo("HTTP/1.1 100 Continue\r\nA: b\r\n\r\n");
    }

    @Test
    void aHeadMayBeLong() {
        String value = "x".repeat(10_000);

        assertThat(text(HeadWriter.request("GET", "/").field("A", value).field("B", value)))
                .isEqualTo("GET / HTTP/1.1\r\nA: " + value + "\r\nB: " + value + "\r\n\r\n");
    }

    @Test
    void aReceivedFieldLineIsCopiedByteForByte() {
        Fields fields = requestHead("GET / HTTP/1.1\r\nA:\t x  \r\nB: y\r\nc:\u00e4\r\n\r\n")
                .fields();
        HeadWriter writer =
                HeadWriter.response(200, "OK").field(fields, 2).field(fields, 0).field(fields, 1);

        assertThat(text(writer)).isEqualTo("HTTP/1.1 200 OK\r\nc:\u00e4\r\nA:\t x  \r\nB: y\r\n\r\n");
        assertThatThrownBy(() -> writer.field(fields, 3)).isInstanceOf(IndexOutOfBoundsException.class);
    }

    // ------------------------------------------------------------------ what is refused

    @ParameterizedTest
    @ValueSource(strings = {"", "G T", "GET ", "G\r\nT", "G\nT", "G\0T", "G:T", "G\u00c4T", "G(", "\tGET"})
    void aMethodIsAToken(String method) {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> HeadWriter.request(method, "/"))
                .withMessage("the method is not a token");
    }

    @ParameterizedTest
    @ValueSource(strings = {"", " ", "/ x", "/\r\nA: b", "/\n", "/\r", "/\0", "/\t", "/\u007f", "/\u00e4", "/\u010a"})
    void aTargetIsVisibleAscii(String target) {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> HeadWriter.request("GET", target))
                .withMessage("the request target is empty or has a character that it must not have");
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 99, 600, 999, -200, 1_000, Integer.MAX_VALUE})
    void aStatusIsOneOfHttp(int status) {
        assertThatIllegalArgumentException().isThrownBy(() -> HeadWriter.response(status, "x"));
    }

    @ParameterizedTest
    @ValueSource(strings = {"OK\r\nA: b", "O\nK", "O\rK", "O\0K", "O\u007fK", "O\u0100K", "O\u010dK"})
    void aReasonHasNoControlCharacter(String reason) {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> HeadWriter.response(200, reason))
                .withMessage("the reason phrase has a character that it must not have");
    }

    @ParameterizedTest
    @ValueSource(strings = {"", " A", "A ", "A:", "A B", "A\r\nB", "A\n", "A\0", "\u00c4", "\u0141"})
    void aFieldNameIsAToken(String name) {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> HeadWriter.response(200, "OK").field(name, "x"))
                .withMessage("the field name is not a token");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "secret\r\nB: c", "secret\n", "secret\r", "\rsecret", "secret\0", "secret\u0001", "secret\u001f",
                "secret\u007f", "secret\u0100", "secret\u010a", "secret\u010d", "secret\ud83d\ude00", " secret",
                        "secret ",
                "\tsecret", "secret\t", " ",
            })
    void aFieldValueThatTheParserWouldNotGiveBackIsRefusedAndNotInTheMessage(String value) {
        HeadWriter writer = HeadWriter.response(200, "OK");

        assertThatIllegalArgumentException()
                .isThrownBy(() -> writer.field("Proxy-Authorization", value))
                .withMessageContaining("Proxy-Authorization")
                .withMessageNotContaining("secret");
        assertThat(text(writer)).as("nothing of it is written").isEqualTo("HTTP/1.1 200 OK\r\n\r\n");
    }

    /** Every character that a parameter can have: what is not refused is read back as it was. */
    @Test
    void whatIsWrittenIsReadBackAsItWas() throws BadHeadException {
        int written = 0;
        for (int c = 0; c <= 0xffff; c++) {
            String value = "a" + (char) c + "b";
            byte[] head;
            try {
                head = HeadWriter.response(200, value).field("A", value).toBytes();
            } catch (IllegalArgumentException e) {
                continue;
            }
            ResponseHead read = HeadParser.response(HeadLimits.RESPONSE).feed(ByteBuffer.wrap(head));
            assertThat(read).isNotNull();
            assertThat(read.reason()).isEqualTo(value);
            assertThat(read.fields().first("A")).isEqualTo(value);
            written++;
        }
        assertThat(written).as("HTAB, SP, visible ASCII and obs-text").isEqualTo(1 + 95 + 128);
    }

    @Test
    @Tag("sweep")
    void randomHeadsAreReadBackAsTheyWereWritten() throws BadHeadException {
        Random random = new Random(9112);
        String alphabet = " \t!:,;\"()azAZ09\u0080\u00ff\r\n\0\u007f";
        int read = 0;
        for (int i = 0; i < 20_000; i++) {
            String name = random(random, alphabet, 3);
            String value = random(random, alphabet, 5);
            String target = random(random, alphabet, 3);
            byte[] bytes;
            try {
                bytes = HeadWriter.request("GET", target).field(name, value).toBytes();
            } catch (IllegalArgumentException e) {
                continue;
            }
            RequestHead head = HeadParser.request(HeadLimits.REQUEST).feed(ByteBuffer.wrap(bytes));
            assertThat(head).isNotNull();
            assertThat(head.target()).isEqualTo(target);
            assertThat(head.fields().size()).isEqualTo(1);
            assertThat(head.fields().name(0)).isEqualTo(name);
            assertThat(head.fields().value(0)).isEqualTo(value);
            read++;
        }
        assertThat(read).isGreaterThan(300);
    }

    private static String random(Random random, String alphabet, int maxLength) {
        StringBuilder text = new StringBuilder();
        for (int left = random.nextInt(maxLength + 1); left > 0; left--) {
            text.append(alphabet.charAt(random.nextInt(alphabet.length())));
        }
        return text.toString();
    }

    @Test
    void theTextNamesNoValue() {
        assertThat(HeadWriter.response(200, "OK").field("A", "secret").toString())
                .isEqualTo("HeadWriter[28 bytes]");
    }
}
