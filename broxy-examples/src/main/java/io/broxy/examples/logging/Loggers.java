package io.broxy.examples.logging;

import java.io.IOException;
import java.util.HashMap;
import java.util.Map;
import org.slf4j.ILoggerFactory;

/**
 * All loggers by their names. Until {@link #configure} they write text to standard error.
 *
 * <p>Threading: thread-safe; the lock guards {@code loggers} and {@code settings}.
 */
public final class Loggers implements ILoggerFactory {
    private final Object lock = new Object();
    private final Map<String, LineLogger> loggers = new HashMap<>();
    private LogSettings settings = LogSettings.DEFAULT;
    private volatile LogOutput output = LogOutput.standardError();

    Loggers() {}

    @Override
    public LineLogger getLogger(String name) {
        synchronized (lock) {
            return loggers.computeIfAbsent(name, any -> new LineLogger(name, level(name), this));
        }
    }

    private int level(String name) {
        return settings.level(name).toInt();
    }

    /**
     * Logs with these settings from now on.
     *
     * @return the files
     * @throws IOException if a file cannot be written to; nothing changes then
     */
    public LogOutput configure(LogSettings wanted) throws IOException {
        LogOutput opened = LogOutput.open(wanted);
        output = opened;
        synchronized (lock) {
            settings = wanted;
            loggers.forEach((name, logger) -> logger.threshold(level(name)));
        }
        return opened;
    }

    void log(LogEvent event) {
        output.write(event);
    }
}
