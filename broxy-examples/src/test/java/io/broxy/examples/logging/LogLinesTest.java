package io.broxy.examples.logging;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.time.OffsetDateTime;
import java.time.format.DateTimeFormatter;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.slf4j.event.Level;

/** Specifies the lines of the mini-server's log, as text and as JSON, and the fields of the access log in the latter. */
class LogLinesTest {
    private static final long MILLIS = 1_764_531_296_007L;

    private static LogEvent event(String logger, String message, @Nullable Throwable cause) {
        return new LogEvent(MILLIS, "main", Level.WARN, logger, message, cause);
    }

    private static String line(LogFormat format, LogEvent event) {
        StringBuilder line = new StringBuilder();
        format.append(line, event);
        return line.toString();
    }

    private static JsonNode json(LogEvent event) throws IOException {
        String line = line(LogFormat.JSON, event);
        assertThat(line.indexOf('\n')).as("the only end of a line").isEqualTo(line.length() - 1);
        return new ObjectMapper().readTree(line.getBytes(UTF_8));
    }

    // ------------------------------------------------------------------ text

    @Test
    void textHasTimeThreadLevelShortNameAndMessage() {
        String line = line(LogFormat.TEXT, event("io.broxy.core.Broxy", "something", null));

        String time = line.substring(0, line.indexOf(' '));
        assertThat(OffsetDateTime.parse(time).toInstant().toEpochMilli()).isEqualTo(MILLIS);
        assertThat(time)
                .isEqualTo(DateTimeFormatter.ofPattern("yyyy-MM-dd'T'HH:mm:ss.SSSXXX")
                        .format(OffsetDateTime.parse(time)));
        assertThat(line).isEqualTo(time + " [main] WARN Broxy - something\n");
    }

    @Test
    void aStackTraceIsBelowTheText() {
        Exception cause = new IOException("broken");

        assertThat(line(LogFormat.TEXT, event("x", "failed", cause)).lines())
                .anySatisfy(line -> assertThat(line).endsWith(" [main] WARN x - failed"))
                .contains("java.io.IOException: broken")
                .anySatisfy(line -> assertThat(line).startsWith("\tat io.broxy.examples.logging.LogLinesTest."));
    }

    // ------------------------------------------------------------------ JSON

    @Test
    void jsonHasTheSameAsFields() throws Exception {
        JsonNode json = json(event("io.broxy.core.Broxy", "something", null));

        List<String> names = new ArrayList<>();
        json.fieldNames().forEachRemaining(names::add);
        assertThat(names).containsExactly("time", "level", "logger", "thread", "message");
        assertThat(OffsetDateTime.parse(json.get("time").asText()).toInstant().toEpochMilli())
                .isEqualTo(MILLIS);
        assertThat(json.get("level").asText()).isEqualTo("WARN");
        assertThat(json.get("logger").asText()).isEqualTo("io.broxy.core.Broxy");
        assertThat(json.get("thread").asText()).isEqualTo("main");
        assertThat(json.get("message").asText()).isEqualTo("something");
    }

    @Test
    void anExceptionIsOneFieldWithItsStackTrace() throws Exception {
        JsonNode json = json(event("x", "failed", new IOException("two\nlines", new IllegalStateException("why"))));

        assertThat(json.get("exception").asText())
                .startsWith("java.io.IOException: two\nlines")
                .contains("\n\tat io.broxy.examples.logging.LogLinesTest.")
                .contains("Caused by: java.lang.IllegalStateException: why");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "\"quoted\" and \\ and /",
                "a\nb\r\tc\b\f",
                "\0\u0001\u001f\u007f",
                "ü € \u2028 \uD83D\uDE00",
                "{\"a\":1}",
                ""
            })
    void everyTextComesBack(String text) throws Exception {
        assertThat(json(event("x", text, null)).get("message").asText()).isEqualTo(text);
    }

    @Test
    void halfACharacterIsEscapedSoThatTheLineStaysUtf8() {
        assertThat(line(LogFormat.JSON, event("x", "a\uD83Db\uDE00\uD83D", null)))
                .contains("a\\ud83db\\ude00\\ud83d");
    }

    // ------------------------------------------------------------------ access log

    @Test
    void theKeysOfTheAccessLogAreFields() throws Exception {
        JsonNode json = json(event(
                "io.broxy.access",
                "kind=tunnel client=[::1]:50312 user=\"al \\\"ice\\\" \\\\ \\u00fc\" protocol=http method=CONNECT"
                        + " target=example.org:443 status=200 peer=- to_origin=517 to_client=4096 ms=1234"
                        + " reason=FINISHED error=-",
                null));

        assertThat(json.has("message")).isFalse();
        assertThat(json.get("kind").asText()).isEqualTo("tunnel");
        assertThat(json.get("client").asText()).isEqualTo("[::1]:50312");
        assertThat(json.get("user").asText()).isEqualTo("al \"ice\" \\ ü");
        assertThat(json.get("status").isInt()).isTrue();
        assertThat(json.get("to_client").longValue()).isEqualTo(4096);
        assertThat(json.get("ms").longValue()).isEqualTo(1234);
        assertThat(json.get("peer").isNull()).isTrue();
        assertThat(json.get("reason").asText()).isEqualTo("FINISHED");
        assertThat(json.get("error").isNull()).isTrue();
    }

    @Test
    void aValueThatWasCutAndAQuotedHyphenAreToldFromNoValue() {
        assertThat(AccessLine.fields("user=\"abc\"... method=\"-\" status=- reason=\"\""))
                .containsEntry("user", "abc...")
                .containsEntry("method", "-")
                .containsEntry("status", null)
                .containsEntry("reason", "");
    }

    @Test
    void aClientCannotForgeAField() throws Exception {
        JsonNode json = json(event("io.broxy.access", "kind=tunnel user=\"x\\\" status=500\" status=407", null));

        assertThat(json.get("user").asText()).isEqualTo("x\" status=500");
        assertThat(json.get("status").intValue()).isEqualTo(407);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "nonsense",
                "kind=tunnel and more",
                "kind",
                "=",
                "a=\"unfinished",
                "a=\"\\",
                "a=\"\\u12",
                "a=\"\\uzzzz\"",
                " "
            })
    void whatIsNoLineOfTheAccessLogIsStillOneObject(String line) throws Exception {
        assertThat(json(event("io.broxy.access", line, null)).get("logger").asText())
                .isEqualTo("io.broxy.access");
    }
}
