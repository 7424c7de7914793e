package io.broxy.examples;

import static org.assertj.core.api.Assertions.assertThat;

import com.code_intelligence.jazzer.junit.DictionaryEntries;
import com.code_intelligence.jazzer.junit.FuzzTest;
import java.nio.file.Path;

/** Specifies that whatever a file is, it has a key or certificates, or one line says what is wrong. */
class PemFuzzTest {
    private static final Path FILE = Path.of("file.pem");
    private static final String ONE_LINE = "file\\.pem(:[1-9][0-9]*)?: \\P{Cntrl}+";

    @DictionaryEntries({
        "-----BEGIN PRIVATE KEY-----\\x0a",
        "-----END PRIVATE KEY-----\\x0a",
        "-----BEGIN RSA PRIVATE KEY-----\\x0d\\x0a",
        "-----BEGIN EC PRIVATE KEY-----\\x0a",
        "-----BEGIN EC PARAMETERS-----\\x0a",
        "-----BEGIN CERTIFICATE-----\\x0a",
        "-----END CERTIFICATE-----\\x0a",
        "Proc-Type: 4,ENCRYPTED\\x0a",
        "BggqhkjOPQMBBw==\\x0a",
        "MIIE"
    })
    @FuzzTest
    void aFileIsOfUseOrOneLineSaysWhyNot(byte[] content) {
        try {
            assertThat(PemKey.read(FILE, content).getEncoded()).isNotEmpty();
        } catch (ConfigFileException e) {
            assertThat(e.getMessage()).matches(ONE_LINE);
        }
        try {
            assertThat(PemCertificates.chain(FILE, content)).isNotEmpty();
        } catch (ConfigFileException e) {
            assertThat(e.getMessage()).matches(ONE_LINE);
        }
    }
}
