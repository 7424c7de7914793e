package io.broxy.examples;

import java.io.IOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import org.yaml.snakeyaml.error.Mark;

/**
 * A file of rules, users, certificates or keys cannot be used. Its message is one line: {@code FILE:LINE:COLUMN: reason} or
 * {@code FILE:LINE: reason}, counted from 1, or {@code FILE: reason} if there is nothing to read.
 *
 * <p>Threading: immutable.
 */
final class ConfigFileException extends IOException {
    private static final long serialVersionUID = 1L;

    private ConfigFileException(String message) {
        super(OneLineErrors.oneLine(message));
    }

    /** What is in the file is wrong. There is no cause, for SnakeYAML's exceptions show lines of the file. */
    static ConfigFileException at(Path file, Mark mark, String reason) {
        return new ConfigFileException(
                file + ":" + (mark.getLine() + 1) + ":" + (mark.getColumn() + 1) + ": " + reason);
    }

    /**
     * What is in a line is wrong.
     *
     * @param line counted from 1
     */
    static ConfigFileException at(Path file, int line, String reason) {
        return new ConfigFileException(file + ":" + line + ": " + reason);
    }

    /** What is in the file as a whole is wrong. */
    static ConfigFileException of(Path file, String reason) {
        return new ConfigFileException(file + ": " + reason);
    }

    /** The file cannot be read. */
    static ConfigFileException unreadable(Path file, IOException cause) {
        String reason;
        if (cause instanceof NoSuchFileException) {
            reason = "no such file";
        } else if (cause instanceof AccessDeniedException) {
            reason = "access denied";
        } else {
            reason = "cannot be read: " + cause.getMessage();
        }
        ConfigFileException failure = new ConfigFileException(file + ": " + reason);
        failure.initCause(cause);
        return failure;
    }
}
