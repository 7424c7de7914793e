package io.broxy.examples;

import java.io.IOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import org.yaml.snakeyaml.error.Mark;

/**
 * A file of rules cannot be used. Its message is one line: {@code FILE:LINE:COLUMN: reason}, counted from 1, or {@code
 * FILE: reason} if there is nothing to read.
 *
 * <p>Threading: immutable.
 */
final class RuleFileException extends IOException {
    private static final long serialVersionUID = 1L;

    private RuleFileException(String message) {
        super(OneLineErrors.oneLine(message));
    }

    /** What is in the file is wrong. There is no cause, for SnakeYAML's exceptions show lines of the file. */
    static RuleFileException at(Path file, Mark mark, String reason) {
        return new RuleFileException(file + ":" + (mark.getLine() + 1) + ":" + (mark.getColumn() + 1) + ": " + reason);
    }

    /** The file cannot be read. */
    static RuleFileException unreadable(Path file, IOException cause) {
        String reason;
        if (cause instanceof NoSuchFileException) {
            reason = "no such file";
        } else if (cause instanceof AccessDeniedException) {
            reason = "access denied";
        } else {
            reason = "cannot be read: " + cause.getMessage();
        }
        RuleFileException failure = new RuleFileException(file + ": " + reason);
        failure.initCause(cause);
        return failure;
    }
}
