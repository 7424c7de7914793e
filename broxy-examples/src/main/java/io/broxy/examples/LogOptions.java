package io.broxy.examples;

import io.broxy.examples.logging.LogFormat;
import io.broxy.examples.logging.LogSettings;
import java.nio.file.Path;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/** The mini-server's options for what it logs. Threading: filled in by one thread, and not changed after that. */
final class LogOptions {
    private final Setting<Boolean> accessLog;
    private final Setting<@Nullable Path> accessFile;
    private final Setting<@Nullable Path> file;
    private final Setting<LogFormat> format;

    /** Reads a format. Threading: immutable. */
    private record Format() implements Converter<LogFormat> {
        @Override
        public LogFormat convert(String text) {
            for (LogFormat format : LogFormat.values()) {
                if (format.name().toLowerCase(Locale.ROOT).equals(text)) {
                    return format;
                }
            }
            throw new IllegalArgumentException(Found.value(text) + " is neither text nor json");
        }
    }

    /** Adds its options. */
    LogOptions(OptionSet options) {
        accessLog = options.flag(
                "--access-log",
                "Log a line for each tunnel, forwarded request and refusal: on standard error, or in the file of --log-file.");
        accessFile = options.one(
                "--access-log-file",
                "FILE",
                new FileConverter(),
                "Append the lines of --access-log to this file. SIGUSR1 opens it anew, after a rotation. Default: they go"
                        + " where the log goes");
        file = options.one(
                "--log-file",
                "FILE",
                new FileConverter(),
                "Append the log to this file. SIGUSR1 opens it anew, after a rotation. Default: standard error");
        format = options.one(
                "--log-format",
                "text|json",
                new Format(),
                LogFormat.TEXT,
                "How lines are logged: as text, or each as a JSON object. Default: text");
    }

    /** Whether the access log is written. */
    boolean accessLog() {
        return accessLog.value() || accessFile.value() != null;
    }

    LogSettings settings(boolean verbose) {
        return new LogSettings(format.value(), verbose, accessLog(), file.value(), accessFile.value());
    }
}
