package io.broxy.core.testkit;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.lang.reflect.Field;
import java.util.ArrayList;
import java.util.List;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.slf4j.spi.LocationAwareLogger;

/** What is logged from its start to its close. Threading: thread-safe; but one at a time, for it takes the standard error. */
public final class CapturedLog implements AutoCloseable {
    private static final int TRACE = LocationAwareLogger.TRACE_INT;
    private static final int INFO = LocationAwareLogger.INFO_INT;

    private final List<Level> levels = new ArrayList<>();
    private final PrintStream usual = System.err;
    private final ByteArrayOutputStream bytes = new ByteArrayOutputStream();

    private CapturedLog() {
        System.setErr(new PrintStream(bytes, true, UTF_8)); // slf4j-simple asks for it each time
    }

    /** Begins to capture. */
    public static CapturedLog start() {
        return new CapturedLog();
    }

    /** Begins to capture, with the access log on, which tests do without otherwise. */
    public static CapturedLog startWithAccess() {
        return startWith("io.broxy.access", INFO);
    }

    /** Begins to capture, with everything that this logger has to say. */
    public static CapturedLog startWithAll(String logger) {
        return startWith(logger, TRACE);
    }

    private static CapturedLog startWith(String logger, int level) {
        CapturedLog log = start();
        log.levels.add(new Level(logger, setLevel(logger, level)));
        return log;
    }

    /** As {@link #startWithAll}, for one more logger. */
    public CapturedLog andAll(String logger) {
        levels.add(new Level(logger, setLevel(logger, TRACE)));
        return this;
    }

    private record Level(String logger, int level) {}

    /** SLF4J has no word for it, and slf4j-simple asks for its properties once. Gives the level before. */
    private static int setLevel(String name, int level) {
        Logger logger = LoggerFactory.getLogger(name);
        try {
            Field field = logger.getClass().getDeclaredField("currentLogLevel");
            field.setAccessible(true);
            int before = field.getInt(logger);
            field.setInt(logger, level);
            return before;
        } catch (ReflectiveOperationException e) {
            throw new LinkageError("slf4j-simple is not what it was", e);
        }
    }

    /** All that has been logged. */
    public String text() {
        return bytes.toString(UTF_8);
    }

    /** The lines with this text. */
    public List<String> lines(String text) {
        return bytes.toString(UTF_8).lines().filter(line -> line.contains(text)).toList();
    }

    /** Puts the standard error back, and shows there what was captured. */
    @Override
    public void close() {
        levels.forEach(level -> setLevel(level.logger, level.level));
        System.setErr(usual);
        usual.print(bytes.toString(UTF_8));
    }
}
