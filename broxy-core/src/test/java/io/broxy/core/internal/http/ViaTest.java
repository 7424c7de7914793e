package io.broxy.core.internal.http;

import static io.broxy.core.internal.http.Feeding.requestHead;
import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import java.nio.ByteBuffer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Specifies how Via is read and written (RFC 9110, section 7.6.3). */
class ViaTest {

    private static boolean names(String pseudonym, String... lines) {
        StringBuilder text = new StringBuilder("GET / HTTP/1.1\r\n");
        for (String line : lines) {
            text.append("Via: ").append(line).append("\r\n");
        }
        return Via.names(requestHead(text + "\r\n").fields(), pseudonym);
    }

    @Test
    void everyMemberOfTheRfcsExamplesIsFound() {
        String example = "1.0 fred, 1.1 p.example.net";
        String longExample = "1.0 ricky, 1.1 ethel, 1.1 fred, 1.0 lucy";

        assertThat(names("fred", example)).isTrue();
        assertThat(names("p.example.net", example)).isTrue();
        assertThat(names("ricky", longExample)).isTrue();
        assertThat(names("lucy", longExample)).isTrue();
        assertThat(names("mertz", longExample)).isFalse();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "1.1 me",
                "1.1 ME",
                "1.1  me",
                "1.1\tme",
                "HTTP/1.1 me",
                "HTTP/2 me",
                "3 me",
                "1.1 me (comment)",
                "1.1 me(comment)",
                "1.1 me,",
                ",1.1 me",
                ", , 1.1 me",
                "1.1 a,1.1 me",
                "1.1 a ,1.1 me , 1.1 b",
                "1.1 a (x), 1.1 me",
                "1.1 a (x, y), 1.1 me",
                "1.1 a ((x) y), 1.1 me",
                "1.1 a (\\)), 1.1 me",
                "1.1 a (\\(), 1.1 me",
                "1.1 a (\\\\), 1.1 me",
                "1.1 a (x)(y), 1.1 me",
                "1.1 a x y z, 1.1 me",
                "1.1, 1.1 me",
                "1.1 (x) , 1.1 me",
                "1.1 [::1]:80, 1.1 me",
            })
    void aProxyIsFoundByItsName(String value) {
        assertThat(names("me", value)).isTrue();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                ",",
                "me",
                "me 1.1",
                "1.1",
                "1.1 you",
                "1.1 men",
                "1.1 some",
                "1.1 me:80",
                "1.1 a (me)",
                "1.1 a (1.1 me)",
                "1.1 a (x, 1.1 me, y)",
                "1.1 a ((1.1 me), 1.1 me, x)",
                "1.1 a (\\), 1.1 me)",
                "1.1 a me",
                "1.1 a (x) me",
                "1.1,me",
                "(1.1 me)",
                "1.1 (me)",
                "1.1 m e",
            })
    void whatIsNoNameOfAProxyIsNotTakenForOne(String value) {
        assertThat(names("me", value)).isFalse();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {"1.1 a (x, 1.1 me", "1.1 a (, 1.1 me", "1.1 a ((x), 1.1 me", "1.1 a (x\\), 1.1 me", "( , 1.1 me"
            })
    void aCommentThatIsNotClosedHidesNothing(String value) {
        assertThat(names("me", value)).isTrue();
    }

    @Test
    void allLinesAreOneListAndACommentEndsWithItsLine() {
        assertThat(names("me", "1.1 a", "1.1 b, 1.1 me")).isTrue();
        assertThat(names("me", "1.1 a (x", "1.1 me)")).isFalse();
        assertThat(names("me", "1.1 a (x", "1.1 me")).isTrue();
        assertThat(names("me")).isFalse();
    }

    @Test
    void aPortBelongsToTheName() {
        assertThat(names("me:3128", "1.1 me:3128 (Broxy)")).isTrue();
        assertThat(names("me:3128", "1.1 me")).isFalse();
    }

    /** Linear: a search for the end of a comment at each parenthesis would take a hundred million steps here. */
    @Test
    void manyParenthesesAreReadOnce() {
        String value = "1.1 a " + "(".repeat(16_000) + ", 1.1 me";
        RequestHead head = requestHead("GET / HTTP/1.1\r\nVia: " + value + "\r\n\r\n");

        for (int i = 0; i < 100; i++) {
            assertThat(Via.names(head.fields(), "me")).isTrue();
            assertThat(Via.names(head.fields(), "you")).isFalse();
        }
    }

    @Test
    void aLineOfItsOwnIsWritten() {
        ByteBuffer out = ByteBuffer.allocate("Via: 1.0 me\r\n".length());
        Via.put(0, "me", out);

        assertThat(out.hasRemaining()).isFalse();
        assertThat(new String(out.array(), US_ASCII)).isEqualTo("Via: 1.0 me\r\n");
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "a b", "a\r\nb", "a,b", "a(b", "\u00e4", "a\0"})
    void aPseudonymIsOneWord(String pseudonym) {
        ByteBuffer out = ByteBuffer.allocate(100);

        assertThatIllegalArgumentException().isThrownBy(() -> Via.put(1, pseudonym, out));
        assertThat(out.position()).isZero();
    }
}
