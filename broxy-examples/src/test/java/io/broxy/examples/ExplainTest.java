package io.broxy.examples;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.broxy.core.testkit.LeakCheck;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Specifies what {@code --explain} prints, and with which code it exits. */
@ExtendWith(LeakCheck.class)
class ExplainTest {
    private static final String TARGET = "--explain=no-such-host.invalid:443";

    private final ByteArrayOutputStream out = new ByteArrayOutputStream();
    private final ByteArrayOutputStream err = new ByteArrayOutputStream();
    private final Path folder;

    ExplainTest(@TempDir Path folder) {
        this.folder = folder;
    }

    private int run(String... arguments) {
        return MiniServer.run(new PrintStream(out, true, UTF_8), new PrintStream(err, true, UTF_8), arguments);
    }

    private String printed() {
        return out.toString(UTF_8);
    }

    @Test
    void aRequestThatWouldBeAdmittedExitsWithZero() {
        assertThat(run(TARGET)).isZero();
        assertThat(printed()).startsWith("access policy: ").endsWith("\nadmitted\n");
        assertThat(err.toString(UTF_8)).isEmpty();
    }

    @Test
    void theRuleThatDecidesIsNamed() throws IOException {
        Path rules = Files.writeString(
                folder.resolve("rules.yaml"),
                "proxies: [ { name: corp, type: http, host: proxy.corp.example, port: 3128,"
                        + " auth: { username: me, password: hidden } } ]\n"
                        + "rules: [ { match: domain, value: corp.example, proxy: corp }, { match: default, proxy: deny } ]\n");

        assertThat(run("--rules=" + rules, "--explain=www.corp.example:443")).isZero();
        assertThat(printed()).contains("corp").doesNotContain("hidden");
        out.reset();
        assertThat(run("--rules=" + rules, "--explain=www.example:443")).isEqualTo(3);
        assertThat(printed()).contains("\nroute: ").endsWith("\nrefused\n");
    }

    @ParameterizedTest
    @CsvSource({
        "--allow-ports=80, 3, access policy",
        "--deny-host=no-such-host.invalid, 3, access policy",
        "--allow-client=192.0.2.0/24, 3, client"
    })
    void whatRefusesIsNamed(String option, int code, String part) {
        assertThat(run(option, TARGET, "--explain-client=198.51.100.1")).isEqualTo(code);
        assertThat(printed()).contains(part + ": ").endsWith("\nrefused\n");
    }

    @Test
    void theClientAndTheUserMakeADifference() throws IOException {
        Path users = Files.writeString(
                folder.resolve("users"), "alice:$2y$04$AAAAAAAAAAAAAAAAAAAAAOxRhNzmfUPlCbzWBFdIxLZL8xoCNWN2i\n");

        assertThat(run("--auth=" + users, TARGET)).isEqualTo(3);
        assertThat(printed()).startsWith("authentication: ");
        assertThat(run("--auth=" + users, TARGET, "--explain-user=alice")).isZero();
        assertThat(run("--allow-client=192.0.2.0/24", TARGET, "--explain-client=192.0.2.7"))
                .isZero();
    }

    @ParameterizedTest
    @CsvSource({
        "--explain=example.org, the port is missing",
        "--explain-user=alice, --explain-user and --explain-client need --explain",
        "--explain-client=home, '''home'' is not an IP address'"
    })
    void whatIsWrongExitsWithTwo(String option, String reason) {
        assertThat(run(option)).isEqualTo(2);
        assertThat(err.toString(UTF_8)).contains(reason).hasLineCount(1);
    }
}
