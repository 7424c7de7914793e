package io.broxy.core.testkit;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.util.List;

/** What is logged from its start to its close. Threading: thread-safe; but one at a time, for it takes the standard error. */
public final class CapturedLog implements AutoCloseable {
    private final PrintStream usual = System.err;
    private final ByteArrayOutputStream bytes = new ByteArrayOutputStream();

    private CapturedLog() {
        System.setErr(new PrintStream(bytes, true, UTF_8)); // slf4j-simple asks for it each time
    }

    /** Begins to capture. */
    public static CapturedLog start() {
        return new CapturedLog();
    }

    /** The lines with this text. */
    public List<String> lines(String text) {
        return bytes.toString(UTF_8).lines().filter(line -> line.contains(text)).toList();
    }

    /** Puts the standard error back, and shows there what was captured. */
    @Override
    public void close() {
        System.setErr(usual);
        usual.print(bytes.toString(UTF_8));
    }
}
