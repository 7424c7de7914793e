package io.broxy.examples;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.broxy.core.testkit.CapturedLog;
import io.broxy.core.testkit.LeakCheck;
import io.broxy.core.testkit.Peer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.security.cert.Certificate;
import java.time.Duration;
import java.util.List;
import javax.net.ssl.SSLContext;
import org.awaitility.core.ConditionFactory;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

/** Specifies when the files of a TLS server are read again, and what happens if they cannot be used. */
@ExtendWith(LeakCheck.class)
class LiveTlsTest {
    private final Path folder;
    private final Path chain;
    private final Path key;
    private final Issued root;
    private final Issued first;
    private final Issued second;

    LiveTlsTest(@TempDir Path folder) throws Exception {
        this.folder = folder;
        this.chain = folder.resolve("chain.pem");
        this.key = Files.createDirectory(folder.resolve("private")).resolve("key.pem");
        this.root = Issued.of("CN=Root").authority().issue();
        this.first = Issued.of("CN=first").by(root);
        this.second = Issued.of("CN=second")
                .keys(Issued.Keys.generate("EC", "secp256r1"))
                .by(root);
        replace(chain, first.certificatePem());
        replace(key, first.keyPem());
    }

    private TlsFiles files() {
        return new TlsFiles(List.of(new TlsFiles.Pair(chain, key)), null);
    }

    private void replace(Path file, String content) throws IOException {
        Path next = Files.writeString(folder.resolve("next"), content);
        Files.move(next, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
    }

    private static ConditionFactory patiently() {
        return await().atMost(Duration.ofMillis(Peer.PATIENCE_MILLIS));
    }

    private Certificate presented(LiveTls tls) throws Exception {
        return Handshake.presented(Handshake.client(root, null), tls.get(), null, parameters -> {});
    }

    @Test
    void newFilesTakeEffectAndUntilBothAreThereTheOldOnesStay() throws Exception {
        try (CapturedLog log = CapturedLog.start();
                LiveTls tls = LiveTls.start(files())) {
            SSLContext old = tls.get();
            assertThat(presented(tls)).isEqualTo(first.certificate());
            replace(chain, second.certificatePem());
            String mismatch = key + ": the key (EC) does not match the certificate of \"CN=second\" (EC) in " + chain
                    + "; the old certificates stay";
            patiently().until(() -> !log.lines(mismatch).isEmpty());
            assertThat(tls.get()).isSameAs(old);
            assertThat(presented(tls)).isEqualTo(first.certificate());
            replace(key, second.keyPem());
            patiently().until(() -> tls.get() != old);

            assertThat(presented(tls)).isEqualTo(second.certificate());
            patiently().until(() -> !log.lines("TLS: reloaded").isEmpty());
            assertThat(log.lines("TLS: reloaded"))
                    .singleElement()
                    .asString()
                    .contains(
                            "INFO",
                            "1 certificates, valid until "
                                    + second.certificate().getNotAfter().toInstant());
            assertThat(log.lines(mismatch)).singleElement().asString().contains("WARN");
        }
    }

    @Test
    void aFileThatBecomesUselessLeavesTheOldContext() throws Exception {
        try (LiveTls tls = LiveTls.start(files())) {
            tls.close(); // so that nothing but the reload reads what is written next
            SSLContext old = tls.get();
            Files.delete(key);
            assertThat(tls.reload())
                    .isEqualTo(new LiveFile.Outcome(true, key + ": no such file; the old certificates stay"));
            replace(key, first.keyPem());
            Issued expired =
                    Issued.of("CN=first").validUntil(Duration.ofMinutes(-1)).issue();
            replace(chain, expired.certificatePem());
            assertThat(tls.reload().text())
                    .startsWith(chain + ":1: the certificate of \"CN=first\" has expired")
                    .endsWith("; the old certificates stay");

            assertThat(tls.get()).isSameAs(old);
        }
    }

    @Test
    void aReloadReadsUnchangedFilesToo() throws Exception {
        try (LiveTls tls = LiveTls.start(files())) {
            SSLContext old = tls.get();

            assertThat(tls.reload())
                    .isEqualTo(new LiveFile.Outcome(
                            false,
                            "TLS: reloaded: 1 certificates, valid until "
                                    + first.certificate().getNotAfter().toInstant()));
            assertThat(tls.get()).isNotSameAs(old);
        }
    }

    @Test
    void aChangedAuthorityOfClientsTakesEffect() throws Exception {
        Path authority = Files.writeString(folder.resolve("clients.pem"), root.certificatePem());
        TlsFiles files = new TlsFiles(List.of(new TlsFiles.Pair(chain, key)), authority);
        try (LiveTls tls = LiveTls.start(files)) {
            SSLContext old = tls.get();
            replace(authority, Issued.of("CN=Staff").authority().issue().certificatePem());

            patiently().until(() -> tls.get() != old);
        }
    }

    @Test
    void filesThatCannotBeUsedAreAFailureOfTheStart() throws Exception {
        Files.delete(chain);
        assertThatThrownBy(() -> LiveTls.start(files()))
                .isInstanceOf(IOException.class)
                .hasMessage(chain + ": no such file");
    }
}
