package io.broxy.examples.admin;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Specifies what a token of operators may look like, and where it is recognized. */
class AdminTokenTest {

    @Test
    void itIsRecognizedInItsField() {
        AdminToken token = AdminToken.of("abcdefghijklmno/+-._~1==");

        assertThat(token.isIn("Bearer abcdefghijklmno/+-._~1==")).isTrue();
        assertThat(token.isIn("bearer  abcdefghijklmno/+-._~1==")).isTrue();
        assertThat(token.isIn("Bearer abcdefghijklmno/+-._~1=")).isFalse();
        assertThat(token.isIn("Basic abcdefghijklmno/+-._~1==")).isFalse();
        assertThat(token.isIn("")).isFalse();
        assertThat(token.isIn("Bearer ")).isFalse();
    }

    @Test
    void itIsNotShown() {
        assertThat(AdminToken.of("abcdefghijklmnop")).hasToString("AdminToken");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {"", "secret-tooshort", "with a space 123456", "=abcdefghijklmnopq", "päßwort-päßwort-päßwort"})
    void oneThatIsNoBearerTokenIsRefusedWithoutShowingIt(String text) {

        assertThatThrownBy(() -> AdminToken.of(text))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageStartingWith("a token ")
                .message()
                .satisfies(message -> {
                    if (!text.isEmpty()) {
                        assertThat(message).doesNotContain(text);
                    }
                });
    }
}
