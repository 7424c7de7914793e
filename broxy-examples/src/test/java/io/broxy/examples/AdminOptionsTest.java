package io.broxy.examples;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Specifies the options for operators, and where their token comes from. */
class AdminOptionsTest {
    private static final String ADMIN = "--admin=127.0.0.1:0";

    private final Path file;

    AdminOptionsTest(@TempDir Path folder) {
        this.file = folder.resolve("token");
    }

    private static AdminOptions parse(String... arguments) {
        return ServerOptions.parse(arguments).admin();
    }

    @Test
    void withoutATokenThePageIsReadOnly() throws IOException {
        assertThat(parse(ADMIN).token()).isNull();
        assertThat(parse().address()).isNull();
    }

    @Test
    void theTokenIsAnOptionOrTheOnlyLineOfAFile() throws IOException {
        assertThat(parse(ADMIN, "--admin-token=0123456789abcdef").token()).isNotNull();
        Files.writeString(file, "\uFEFF0123456789abcdef\r\n");
        assertThat(parse(ADMIN, "--admin-token-file=" + file).token()).isNotNull();
    }

    @Test
    void theHostOfTheAddressAndThoseOfTheOptionsAreKnown() {
        assertThat(parse("--admin=proxy.example:9090", "--admin-host=Stats.Example", "--admin-host=a.example")
                        .hosts())
                .containsExactly("proxy.example", "stats.example", "a.example");
    }

    @ParameterizedTest
    @CsvSource({
        "'', a token has at least 16 characters",
        "short, a token has at least 16 characters",
        "'one 0123456789abcdef', 'a token consists of letters, digits and'",
        "'0123456789abcdef\n0123456789abcdef', 'a token consists of letters, digits and'"
    })
    void aFileThatHasNoTokenIsNamedAndNotShown(String content, String reason) throws IOException {
        Files.writeString(file, content);
        AdminOptions options = parse(ADMIN, "--admin-token-file=" + file);

        assertThatThrownBy(options::token)
                .isInstanceOf(ConfigFileException.class)
                .hasMessageStartingWith(file + ": " + reason)
                .hasMessageNotContaining("0123456789abcdef");
    }

    @Test
    void aFileThatIsNotThereIsNamed() {
        AdminOptions options = parse(ADMIN, "--admin-token-file=" + file);

        assertThatThrownBy(options::token)
                .isInstanceOf(ConfigFileException.class)
                .hasMessage(file + ": no such file");
    }

    @Test
    void aWrongTokenIsNotShown() {
        assertThatThrownBy(() -> parse(ADMIN, "--admin-token=secret"))
                .isInstanceOf(UsageException.class)
                .hasMessageContaining("--admin-token")
                .hasMessageNotContaining("secret");
    }

    @ParameterizedTest
    @CsvSource({"--admin-token=0123456789abcdef", "--admin-token-file=x", "--admin-host=a.example"})
    void nothingHasAnEffectWithoutAnAddress(String option) {
        assertThatThrownBy(() -> parse(option))
                .isInstanceOf(UsageException.class)
                .hasMessage("--admin-token, --admin-token-file and --admin-host need --admin");
    }

    @Test
    void thereIsOneToken() {
        assertThatThrownBy(() -> parse(ADMIN, "--admin-token=0123456789abcdef", "--admin-token-file=x"))
                .isInstanceOf(UsageException.class)
                .hasMessageContaining("mutually exclusive");
    }
}
