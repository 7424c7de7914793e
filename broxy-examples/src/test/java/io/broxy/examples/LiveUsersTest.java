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
import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

/** Specifies how a running mini-server takes a changed user file, and keeps the old users when the file is broken. */
@ExtendWith(LeakCheck.class)
class LiveUsersTest {
    private static final Duration PATIENCE = Duration.ofMillis(Peer.PATIENCE_MILLIS);

    private final Path folder;
    private final Path file;

    LiveUsersTest(@TempDir Path folder) {
        this.folder = folder;
        this.file = folder.resolve("users");
    }

    private void write(String user, String password) throws IOException {
        replace(user + ":" + UserFileTest.hash("2b", password) + "\n");
    }

    private void replace(String content) throws IOException {
        Path next = Files.writeString(folder.resolve("next"), content);
        Files.move(next, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
    }

    @Test
    void aChangeTakesEffectAlsoForWhoHasLoggedIn() throws Exception {
        write("alice", "old");
        try (LiveUsers users = LiveUsers.start(file)) {
            assertThat(users.matches("alice", "old")).isTrue();
            assertThat(users.matches("alice", "old")).isTrue();
            assertThat(users.matches("alice", "new")).isFalse();
            write("alice", "new");

            await().atMost(PATIENCE).until(() -> users.matches("alice", "new"));
            assertThat(users.matches("alice", "old")).isFalse();
        }
    }

    @Test
    void whatCannotBeUsedIsToldAndTheOldUsersStay() throws Exception {
        write("alice", "sesame");
        try (CapturedLog log = CapturedLog.start();
                LiveUsers users = LiveUsers.start(file)) {
            replace("alice:sesame\n");
            await().atMost(PATIENCE)
                    .until(() -> !log.lines("the old users stay").isEmpty());

            assertThat(log.lines("the old users stay"))
                    .singleElement()
                    .asString()
                    .contains("WARN", file + ":1: the hash is not a bcrypt hash")
                    .doesNotContain("sesame");
            assertThat(users.matches("alice", "sesame")).isTrue();
        }
    }

    @Test
    void aReloadReadsTheFileAndABrokenOneLeavesTheOldUsers() throws Exception {
        write("alice", "old");
        try (LiveUsers users = LiveUsers.start(file)) {
            users.close(); // so that nothing but the reload reads what is written next
            write("alice", "new");
            assertThat(users.matches("alice", "old")).isTrue();
            assertThat(users.live().reload()).isEqualTo(new LiveFile.Outcome(false, file + ": reloaded: 1 users"));
            assertThat(users.matches("alice", "new")).isTrue();
            assertThat(users.matches("alice", "old")).isFalse();
            Files.delete(file);
            assertThat(users.live().reload())
                    .isEqualTo(new LiveFile.Outcome(true, file + ": no such file; the old users stay"));
            assertThat(users.matches("alice", "new")).isTrue();
        }
    }

    @Test
    void aMissingFileIsAFailureOfTheStart() {
        assertThatThrownBy(() -> LiveUsers.start(file))
                .isInstanceOf(IOException.class)
                .hasMessage(file + ": no such file");
    }
}
