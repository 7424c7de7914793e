package io.broxy.examples.logging;

import java.nio.file.Path;
import org.jspecify.annotations.Nullable;
import org.slf4j.event.Level;

/**
 * What is logged, how and where.
 *
 * <p>Threading: immutable.
 *
 * @param verbose whether Broxy's own loggers log at DEBUG
 * @param access whether the access log is written
 * @param file null for standard error
 * @param accessFile for the access log; null if it goes where the rest goes
 */
public record LogSettings(
        LogFormat format,
        boolean verbose,
        boolean access,
        @Nullable Path file,
        @Nullable Path accessFile) {
    /** Warnings as text on standard error. */
    static final LogSettings DEFAULT = new LogSettings(LogFormat.TEXT, false, false, null, null);

    private static final String BROXY = "io.broxy.";
    private static final String PROGRAM = "io.broxy.examples.";
    private static final String ACCESS = "io.broxy.access";

    /** Whether only {@link LogProvider} can log like that. */
    public boolean needsOwnProvider() {
        return format != LogFormat.TEXT || verbose || access || file != null || accessFile != null;
    }

    /** The least level that a logger logs. */
    Level level(String logger) {
        if (logger.equals(ACCESS)) {
            return access || verbose ? Level.INFO : Level.WARN;
        }
        if (verbose && logger.startsWith(BROXY)) {
            return Level.DEBUG;
        }
        return logger.startsWith(PROGRAM) ? Level.INFO : Level.WARN;
    }
}
