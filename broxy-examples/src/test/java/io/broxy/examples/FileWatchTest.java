package io.broxy.examples;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.broxy.core.testkit.CapturedLog;
import io.broxy.core.testkit.LeakCheck;
import io.broxy.core.testkit.Peer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Duration;
import java.util.Set;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import org.awaitility.core.ConditionFactory;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

/** Specifies that a file is read again after every kind of change, and never after the watch has ended. */
@ExtendWith(LeakCheck.class)
class FileWatchTest {
    private static final Duration NEVER = Duration.ofHours(1);
    private static final String MISSING = "(missing)";

    private final Path folder;
    private final Path file;
    private final AtomicReference<String> seen = new AtomicReference<>("");
    private final AtomicInteger looks = new AtomicInteger();

    FileWatchTest(@TempDir Path folder) {
        this.folder = folder;
        this.file = folder.resolve("rules.yaml");
    }

    private FileWatch watch(Duration period) {
        return FileWatch.start(file, period, this::look);
    }

    private void look() {
        String content;
        try {
            content = Files.readString(file);
        } catch (IOException e) {
            content = MISSING;
        }
        seen.set(content);
        looks.incrementAndGet();
    }

    private static ConditionFactory patiently() {
        return await().atMost(Duration.ofMillis(Peer.PATIENCE_MILLIS));
    }

    private void awaitSeen(String content) {
        patiently().untilAsserted(() -> assertThat(seen).hasValue(content));
    }

    private static void move(Path from, Path to) throws IOException {
        Files.move(from, to, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
    }

    @Test
    void theFirstLookComesByItself() throws IOException {
        Files.writeString(file, "one");
        try (FileWatch watch = watch(NEVER)) {
            awaitSeen("one");
        }
    }

    @Test
    void aFileWrittenInPlaceIsLookedAt() throws IOException {
        Files.writeString(file, "one");
        try (FileWatch watch = watch(NEVER)) {
            awaitSeen("one");
            Files.writeString(file, "two");
            awaitSeen("two");
        }
    }

    @Test
    void aFileRenamedOverTheOldOneIsLookedAt() throws IOException {
        Files.writeString(file, "one");
        try (FileWatch watch = watch(NEVER)) {
            awaitSeen("one");
            move(Files.writeString(folder.resolve(".rules.yaml.swp"), "two"), file);
            awaitSeen("two");
        }
    }

    @Test
    void aFileThatGoesAndComesBackIsLookedAt() throws IOException {
        Files.writeString(file, "one");
        try (FileWatch watch = watch(NEVER)) {
            awaitSeen("one");
            Files.delete(file);
            awaitSeen(MISSING);
            Files.writeString(file, "two");
            awaitSeen("two");
        }
    }

    @Test
    void aConfigMapWhoseLinkIsSwappedIsLookedAt() throws IOException {
        ConfigMap map = ConfigMap.create(folder, "one");
        try (FileWatch watch = watch(NEVER)) {
            awaitSeen("one");
            map.swap("two");
            awaitSeen("two");
            map.swap("three");
            awaitSeen("three");
        }
    }

    @Test
    void whatTellsNoEventIsLookedAtFromTimeToTime() throws IOException {
        Path elsewhere = Files.createDirectory(folder.resolve("elsewhere"));
        Path real = Files.writeString(elsewhere.resolve("real.yaml"), "one");
        Files.createSymbolicLink(file, real);
        try (FileWatch watch = watch(Duration.ofMillis(20))) {
            awaitSeen("one");
            Files.writeString(real, "two");
            awaitSeen("two");
        }
    }

    @Test
    void aFolderThatIsReplacedIsWatchedAgain() throws IOException {
        Path inner = Files.createDirectory(folder.resolve("inner"));
        Path moving = Files.writeString(inner.resolve("rules.yaml"), "one");
        AtomicReference<String> content = new AtomicReference<>("");
        Runnable look = () -> {
            try {
                content.set(Files.readString(moving, UTF_8));
            } catch (IOException e) {
                content.set(MISSING);
            }
        };
        try (FileWatch watch = FileWatch.start(moving, Duration.ofMillis(20), look)) {
            Files.delete(moving);
            Files.delete(inner);
            patiently().untilAsserted(() -> assertThat(content).hasValue(MISSING));
            Files.createDirectory(inner);
            Files.writeString(moving, "two");
            patiently().untilAsserted(() -> assertThat(content).hasValue("two"));
        }
    }

    @Test
    void filesInSeveralFoldersShareOneLook() throws IOException {
        Path other = Files.createDirectory(folder.resolve("other")).resolve("key.pem");
        AtomicReference<String> content = new AtomicReference<>("");
        Runnable look = () -> {
            look();
            try {
                content.set(Files.readString(other));
            } catch (IOException e) {
                content.set(MISSING);
            }
        };
        try (FileWatch watch = FileWatch.start(Set.of(file, other), NEVER, look)) {
            patiently().untilAsserted(() -> assertThat(content).hasValue(MISSING));
            Files.writeString(other, "one");
            patiently().untilAsserted(() -> assertThat(content).hasValue("one"));
            Files.writeString(file, "two");
            awaitSeen("two");
        }
    }

    @Test
    void aLookThatFailsIsNotTheLast() throws IOException {
        AtomicInteger failures = new AtomicInteger();
        try (CapturedLog log = CapturedLog.start();
                FileWatch watch = FileWatch.start(file, NEVER, () -> {
                    look();
                    failures.incrementAndGet();
                    throw new IllegalStateException("a mistake");
                })) {
            patiently().until(() -> failures.get() > 0);
            Files.writeString(file, "two");
            awaitSeen("two");
            assertThat(log.lines("checking a file failed")).isNotEmpty();
        }
    }

    @Test
    void nothingIsLookedAtAfterTheEnd() throws IOException {
        FileWatch watch = watch(Duration.ofMillis(1));
        patiently().until(() -> looks.get() > 2);
        watch.close();
        watch.close();

        assertThat(LeakCheck.engineThreads()).isEmpty(); // nobody is left to look
    }
}
