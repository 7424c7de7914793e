package io.broxy.examples.logging;

import org.jspecify.annotations.Nullable;
import org.slf4j.event.Level;

/**
 * Something to be logged.
 *
 * <p>Threading: immutable.
 *
 * @param millis since 1970
 * @param thread the name of the thread that logs
 */
record LogEvent(
        long millis,
        String thread,
        Level level,
        String logger,
        String message,
        @Nullable Throwable cause) {
    /** The logger of the access log. */
    private static final String ACCESS = "io.broxy.access";

    /** Creates an event of now and this thread. */
    static LogEvent now(Level level, String logger, String message, @Nullable Throwable cause) {
        return new LogEvent(
                System.currentTimeMillis(), Thread.currentThread().getName(), level, logger, message, cause);
    }

    /** Whether it is a line of the access log. */
    boolean isAccess() {
        return logger.equals(ACCESS);
    }
}
