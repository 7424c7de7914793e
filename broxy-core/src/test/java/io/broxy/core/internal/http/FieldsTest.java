package io.broxy.core.internal.http;

import static io.broxy.core.internal.http.Feeding.bytes;
import static io.broxy.core.internal.http.Feeding.requestHead;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.ByteBuffer;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Specifies how fields are found by name, and their values read. */
class FieldsTest {

    private static Fields fields(String... lines) {
        StringBuilder text = new StringBuilder("GET / HTTP/1.1\r\n");
        for (String line : lines) {
            text.append(line).append("\r\n");
        }
        return requestHead(text + "\r\n").fields();
    }

    @Test
    void fieldsKeepTheirOrderTheirCaseAndTheirDuplicates() {
        Fields fields = fields("B: 1", "a: 2", "b: 3", "C:");

        assertThat(fields.size()).isEqualTo(4);
        assertThat(List.of(fields.name(0), fields.name(1), fields.name(2), fields.name(3)))
                .containsExactly("B", "a", "b", "C");
        assertThat(List.of(fields.value(0), fields.value(1), fields.value(2), fields.value(3)))
                .containsExactly("1", "2", "3", "");
    }

    @Test
    void namesAreComparedWithoutTheCaseOfAsciiLetters() {
        Fields fields = fields("Proxy-Authorization: x", "^_`: y", "K: z");

        assertThat(fields.first("PROXY-authorization")).isEqualTo("x");
        assertThat(fields.isNamed(0, "proxy-AUTHORIZATION")).isTrue();
        assertThat(fields.isNamed(0, "Proxy-Authorizatio")).isFalse();
        assertThat(fields.isNamed(0, "Proxy-Authorizations")).isFalse();
        assertThat(fields.contains("^_`")).isTrue();
        assertThat(fields.contains("~\u007f@")).as("others than letters").isFalse();
        assertThat(fields.contains("\u212a")).as("the Kelvin sign is no K").isFalse();
        assertThat(fields.contains("\u014b"))
                .as("nor what is K in its low byte")
                .isFalse();
    }

    @Test
    void theFirstAndAllAndTheCountOfAName() {
        Fields fields = fields("Via: a", "Host: h", "via: b", "VIA:");

        assertThat(fields.first("via")).isEqualTo("a");
        assertThat(fields.values("Via")).containsExactly("a", "b", "");
        assertThat(fields.count("Via")).isEqualTo(3);
        assertThat(fields.count("Host")).isEqualTo(1);
        assertThat(fields.first("Cookie")).isNull();
        assertThat(fields.values("Cookie")).isEmpty();
        assertThat(fields.count("Cookie")).isZero();
        assertThat(fields.contains("Cookie")).isFalse();
        assertThatThrownBy(() -> fields.values("Via").add("c")).isInstanceOf(UnsupportedOperationException.class);
    }

    @Test
    void valuesAreLatin1() {
        assertThat(fields("A: gr\u00fcn\u00ff").first("A")).isEqualTo("gr\u00fcn\u00ff");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "close                | true",
                "CLOSE                | true",
                "keep-alive, close    | true",
                "close,keep-alive     | true",
                ",, close ,           | true",
                "a,close,b            | true",
                "closed               | false",
                "clos                 | false",
                "close x              | false",
                "x close              | false",
                "close;q=1            | false",
                "\"close\"            | false",
                "keep-alive           | false",
                ",                    | false",
            })
    void aTokenOfAListIsFoundAsAWhole(String value, boolean there) {
        assertThat(fields("Connection: " + value).containsToken("connection", "close"))
                .isEqualTo(there);
    }

    @Test
    void allLinesOfANameMakeOneList() {
        Fields fields = fields("Connection: keep-alive", "Other: close", "connection:\tupgrade\t, x");

        assertThat(fields.containsToken("Connection", "upgrade")).isTrue();
        assertThat(fields.containsToken("Connection", "close")).isFalse();
        assertThat(fields("A:").containsToken("A", ""))
                .as("an empty member is none")
                .isFalse();
        assertThat(fields().containsToken("A", "b")).isFalse();
    }

    @Test
    void aLineIsGivenAsItWasReceivedAndCannotBeChanged() {
        Fields fields = fields("A:  x \t", "Bee:", "C: y");

        assertThat(fields.line(0)).isEqualTo(ByteBuffer.wrap(bytes("A:  x \t\r\n")));
        assertThat(fields.line(1)).isEqualTo(ByteBuffer.wrap(bytes("Bee:\r\n")));
        assertThat(fields.line(2)).isEqualTo(ByteBuffer.wrap(bytes("C: y\r\n")));
        assertThat(fields.line(2).isReadOnly()).isTrue();
    }

    @ParameterizedTest
    @ValueSource(ints = {-1, 1, 2, Integer.MAX_VALUE, Integer.MIN_VALUE})
    void aFieldThatIsNotThereIsMisuse(int index) {
        Fields fields = fields("A: b");

        assertThatThrownBy(() -> fields.name(index)).isInstanceOf(IndexOutOfBoundsException.class);
        assertThatThrownBy(() -> fields.value(index)).isInstanceOf(IndexOutOfBoundsException.class);
        assertThatThrownBy(() -> fields.line(index)).isInstanceOf(IndexOutOfBoundsException.class);
        assertThatThrownBy(() -> fields.isNamed(index, "A")).isInstanceOf(IndexOutOfBoundsException.class);
    }

    @Test
    void theTextNamesNoValue() {
        assertThat(fields("Proxy-Authorization: Basic c2VjcmV0")).hasToString("Fields[1]");
    }
}
