package io.broxy.examples;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.broxy.core.testkit.LeakCheck;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Specifies that certificates and keys are read as OpenSSL writes them. Skipped where it is missing. */
@ExtendWith(LeakCheck.class)
class OpenSslFilesTest {
    private static final long LIMIT_SECONDS = 60;

    private final Path folder;

    OpenSslFilesTest(@TempDir Path folder) {
        this.folder = folder;
    }

    @BeforeEach
    void needsOpenSsl() throws Exception {
        assumeTrue(run("version") == 0, "openssl is not installed");
    }

    /** Runs it in the folder; {@code -1} if it is missing. */
    private int run(String command) throws IOException, InterruptedException {
        List<String> words = new ArrayList<>(List.of("openssl"));
        words.addAll(List.of(command.split(" ")));
        Process process;
        try {
            process = new ProcessBuilder(words)
                    .directory(folder.toFile())
                    .redirectErrorStream(true)
                    .start();
        } catch (IOException e) {
            return -1;
        }
        try (InputStream output = process.getInputStream()) {
            process.getOutputStream().close();
            String text = new String(output.readAllBytes(), UTF_8);
            assertThat(process.waitFor(LIMIT_SECONDS, TimeUnit.SECONDS))
                    .as(text)
                    .isTrue();
            return process.exitValue();
        } finally {
            process.destroyForcibly();
        }
    }

    private void openssl(String command) throws Exception {
        assertThat(run(command)).as(command).isZero();
    }

    private ServerCertificate read() throws IOException {
        Path chain = folder.resolve("chain.pem");
        Path key = folder.resolve("key.pem");
        return ServerCertificate.read(chain, Files.readAllBytes(chain), key, Files.readAllBytes(key));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -out key.pem",
                "genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-384 -out key.pem",
                "genpkey -algorithm ED25519 -out key.pem",
                "ecparam -name prime256v1 -genkey -out key.pem"
            })
    void aKeyAndItsCertificateAreRead(String generate) throws Exception {
        openssl(generate);
        openssl("req -x509 -new -key key.pem -subj /CN=proxy.example -days 2 -out chain.pem");

        assertThat(read().names()).containsExactly("proxy.example");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "rsa -in pkcs8.pem -traditional -out key.pem",
                "pkey -in pkcs8.pem -text -out key.pem",
                "pkey -in pkcs8.pem -traditional -out key.pem"
            })
    void otherFormsOfAnRsaKeyAreRead(String convert) throws Exception {
        openssl("genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -out pkcs8.pem");
        openssl(convert);
        openssl("req -x509 -new -key key.pem -subj /CN=proxy.example -days 2 -out plain.pem");
        openssl("x509 -in plain.pem -text -out chain.pem");

        assertThat(read().names()).containsExactly("proxy.example");
    }

    @Test
    void theTraditionalFormOfAnEcKeyWithoutParametersIsRead() throws Exception {
        openssl("genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out pkcs8.pem");
        openssl("ec -in pkcs8.pem -out key.pem");
        openssl("req -x509 -new -key key.pem -subj /CN=proxy.example -days 2 -out chain.pem");

        assertThat(read().names()).containsExactly("proxy.example");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "rsa -in pkcs8.pem -traditional -aes128 -passout pass:sesame -out key.pem",
                "pkcs8 -topk8 -in pkcs8.pem -passout pass:sesame -out key.pem"
            })
    void anEncryptedKeyIsRefused(String encrypt) throws Exception {
        openssl("genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -out pkcs8.pem");
        openssl("req -x509 -new -key pkcs8.pem -subj /CN=proxy.example -days 2 -out chain.pem");
        openssl(encrypt);

        assertThatThrownBy(this::read)
                .hasMessage(
                        folder.resolve("key.pem") + ":1: the key is encrypted; one without a passphrase is expected");
    }
}
