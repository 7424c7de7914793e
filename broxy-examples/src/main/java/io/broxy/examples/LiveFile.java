package io.broxy.examples;

import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A file that is used anew whenever it changes, and whenever {@link #reload} is called. What cannot be used is logged
 * in one line, and what was used before stays.
 *
 * <p>Threading: thread-safe. One look at a time, by the watch's thread or by the caller of {@link #reload}; the lock is
 * held while the file is read, and nothing that serves clients takes it.
 */
final class LiveFile implements Reloadable, AutoCloseable {
    private static final Logger log = LoggerFactory.getLogger(LiveFile.class);

    /** How often the file is read if nothing seems to happen to it. */
    static final Duration PERIOD = Duration.ofSeconds(5);

    private final Path file;
    private final Use use;
    private final Object turn = new Object();
    private FileContent seen;
    private @Nullable FileWatch watch;

    /** Takes over what is in the file. It is called by one thread at a time. */
    interface Use {
        /**
         * Takes over a new content.
         *
         * @return what there is now
         * @throws IOException if it cannot be used; what was used before stays then
         */
        Outcome use(byte[] content) throws IOException;

        /** What stays if a content cannot be used, such as {@code the old rules}. */
        String old();

        /** Called from time to time. */
        default void tend() {}
    }

    /**
     * What became of a content.
     *
     * @param warn whether it deserves a warning
     * @param text for a line of a log
     */
    record Outcome(boolean warn, String text) {}

    private LiveFile(Path file, FileContent seen, Use use) {
        this.file = file;
        this.seen = seen;
        this.use = use;
    }

    /**
     * Begins to follow a file.
     *
     * @param seen what was read, and is in use
     */
    static LiveFile follow(Path file, FileContent seen, Use use) {
        LiveFile live = new LiveFile(file, seen, use);
        live.watch = FileWatch.start(file, PERIOD, live::look);
        return live;
    }

    private void look() {
        synchronized (turn) {
            use.tend();
            FileContent now = FileContent.of(file);
            if (!now.isLike(seen)) {
                log(log, "", take(now));
            }
        }
    }

    @Override
    public Outcome reload() {
        synchronized (turn) {
            return take(FileContent.of(file));
        }
    }

    private Outcome take(FileContent now) {
        seen = now;
        try {
            Outcome outcome = use.use(now.bytes());
            return new Outcome(outcome.warn(), file + ": reloaded: " + outcome.text());
        } catch (IOException e) {
            return new Outcome(true, e.getMessage() + "; " + use.old() + " stay");
        }
    }

    /** Logs an outcome in one line. */
    static void log(Logger log, String before, Outcome outcome) {
        if (outcome.warn()) {
            log.warn("{}{}", before, outcome.text());
        } else {
            log.info("{}{}", before, outcome.text());
        }
    }

    /** Stops to follow the file; a reload still works. */
    @Override
    public void close() {
        if (watch != null) {
            watch.close();
        }
    }
}
