package io.broxy.examples;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * What was in a file of rules at some time, or why it could not be read.
 *
 * <p>Threading: immutable.
 */
final class FileContent {
    private final byte[] bytes;
    private final @Nullable RuleFileException failure;

    private FileContent(byte[] bytes, @Nullable RuleFileException failure) {
        this.bytes = bytes;
        this.failure = failure;
    }

    /** What is there now. */
    static FileContent of(Path file) {
        try (InputStream in = Files.newInputStream(file)) {
            return new FileContent(in.readNBytes(YamlDocument.LARGEST + 1), null);
        } catch (IOException e) {
            return new FileContent(new byte[0], RuleFileException.unreadable(file, e));
        }
    }

    /**
     * Understands it.
     *
     * @param file for messages
     * @throws RuleFileException if it could not be read, or makes no sense
     */
    RuleFile parse(Path file) throws RuleFileException {
        if (failure != null) {
            throw failure;
        }
        return RuleFile.parse(file, bytes);
    }

    /** Whether there is nothing new in the other one. */
    boolean isLike(FileContent other) {
        return Arrays.equals(bytes, other.bytes) && problem().equals(other.problem());
    }

    private String problem() {
        return failure == null ? "" : String.valueOf(failure.getMessage());
    }
}
