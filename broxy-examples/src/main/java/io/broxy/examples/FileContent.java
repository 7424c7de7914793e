package io.broxy.examples;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * What was in a configuration file at some time, or why it could not be read.
 *
 * <p>Threading: immutable.
 */
final class FileContent {
    /** No file that makes sense is larger. */
    static final int LARGEST = YamlDocument.LARGEST;

    private final byte[] bytes;
    private final @Nullable ConfigFileException failure;

    private FileContent(byte[] bytes, @Nullable ConfigFileException failure) {
        this.bytes = bytes;
        this.failure = failure;
    }

    /** What is there now. */
    static FileContent of(Path file) {
        try (InputStream in = Files.newInputStream(file)) {
            return new FileContent(in.readNBytes(LARGEST + 1), null);
        } catch (IOException e) {
            return new FileContent(new byte[0], ConfigFileException.unreadable(file, e));
        }
    }

    /**
     * What was read.
     *
     * @throws ConfigFileException if it could not be
     */
    byte[] bytes() throws ConfigFileException {
        if (failure != null) {
            throw failure;
        }
        return bytes.clone();
    }

    /** Whether there is nothing new in the other one. */
    boolean isLike(FileContent other) {
        return Arrays.equals(bytes, other.bytes) && problem().equals(other.problem());
    }

    private String problem() {
        return failure == null ? "" : String.valueOf(failure.getMessage());
    }
}
