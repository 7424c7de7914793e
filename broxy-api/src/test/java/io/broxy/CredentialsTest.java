package io.broxy;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import java.util.Base64;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Specifies which credentials are valid, how they are encoded (RFC 7617), and that their text hides the password. */
class CredentialsTest {

    @Test
    void theFieldValueIsThatOfTheRfcsExample() {
        Credentials credentials = Credentials.basic("Aladdin", "open sesame");

        assertThat(credentials.authorization()).isEqualTo("Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==");
        assertThat(credentials.user()).isEqualTo("Aladdin");
        assertThat(credentials.password()).isEqualTo("open sesame");
    }

    @Test
    void bothAreSentAsUtf8() {
        assertThat(Credentials.basic("test", "123£").authorization()).isEqualTo("Basic dGVzdDoxMjPCow==");
    }

    @ParameterizedTest
    @CsvSource({"'', ''", "user, ''", "'', secret", "user, a:b:c", "Zoë, 😀"})
    void emptyValuesColonsInPasswordsAndAllOfUnicodeAreTaken(String user, String password) {
        byte[] pair = Base64.getDecoder()
                .decode(Credentials.basic(user, password).authorization().substring("Basic ".length()));

        assertThat(new String(pair, UTF_8)).isEqualTo(user + ":" + password);
    }

    @ParameterizedTest
    @ValueSource(strings = {"a:b", ":", "a\nb", "a\r", "\0", "a\tb", "\u007f", "\u0085", "\ud800", "a\udc00"})
    void aUserNameWithAColonAControlOrALoneSurrogateIsRefused(String user) {
        assertThatIllegalArgumentException().isThrownBy(() -> Credentials.basic(user, "secret"));
    }

    @ParameterizedTest
    @ValueSource(strings = {"hunter2\n", "hunter2\r\nX: y", "\0hunter2", "hunter2\ud800"})
    void aPasswordWithAControlOrALoneSurrogateIsRefusedAndNotShown(String password) {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> Credentials.basic("user", password))
                .withMessageContaining("a password")
                .withMessageNotContaining("hunter2");
    }

    @Test
    void onlyTheSamePairMatches() {
        Credentials credentials = Credentials.basic("user", "secret");

        assertThat(credentials.matches("user", "secret")).isTrue();
        assertThat(credentials.matches("user", "Secret")).isFalse();
        assertThat(credentials.matches("user", "secret ")).isFalse();
        assertThat(credentials.matches("user", "")).isFalse();
        assertThat(credentials.matches("users", "ecret")).isFalse();
        assertThat(credentials.matches("", "secret")).isFalse();
    }

    @Test
    void equalityIsThatOfBothValues() {
        assertThat(Credentials.basic("user", "secret"))
                .isEqualTo(Credentials.basic("user", "secret"))
                .hasSameHashCodeAs(Credentials.basic("user", "secret"))
                .isNotEqualTo(Credentials.basic("user", "other"))
                .isNotEqualTo(Credentials.basic("other", "secret"))
                .isNotEqualTo("user:secret");
    }

    @Test
    void thePasswordIsNotInItsText() {
        assertThat(Credentials.basic("user", "hunter2")).hasToString("Credentials[\"user\", password not shown]");
    }
}
