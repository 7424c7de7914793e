package io.broxy.examples.logging;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Where lines go: to standard error or to a file, and those of the access log to a file of their own if there is one.
 *
 * <p>Threading: thread-safe.
 */
public final class LogOutput implements AutoCloseable {
    private final LogFormat format;
    private final @Nullable LogFile file;
    private final @Nullable LogFile accessFile;

    private LogOutput(LogFormat format, @Nullable LogFile file, @Nullable LogFile accessFile) {
        this.format = format;
        this.file = file;
        this.accessFile = accessFile;
    }

    static LogOutput standardError() {
        return new LogOutput(LogFormat.TEXT, null, null);
    }

    static LogOutput open(LogSettings settings) throws IOException {
        LogFile file = settings.file() == null ? null : LogFile.open(settings.file());
        try {
            return new LogOutput(
                    settings.format(),
                    file,
                    settings.accessFile() == null ? null : LogFile.open(settings.accessFile()));
        } catch (IOException e) {
            if (file != null) {
                file.close();
            }
            throw e;
        }
    }

    void write(LogEvent event) {
        StringBuilder line = new StringBuilder(256);
        LogFile own = event.isAccess() ? accessFile : null;
        if (own != null && format == LogFormat.TEXT) {
            Timestamp.append(line, event.millis()); // level and logger are the same in all lines
            line.append(' ').append(event.message()).append('\n');
        } else {
            format.append(line, event);
        }
        write(own == null ? file : own, line.toString().getBytes(UTF_8));
    }

    private static void write(@Nullable LogFile target, byte[] line) {
        if (target != null) {
            target.write(line);
        } else {
            System.err.write(line, 0, line.length);
            System.err.flush();
        }
    }

    private List<LogFile> files() {
        List<LogFile> files = new ArrayList<>();
        if (file != null) {
            files.add(file);
        }
        if (accessFile != null) {
            files.add(accessFile);
        }
        return files;
    }

    /** Whether there are files to {@link #reopen}. */
    public boolean hasFiles() {
        return !files().isEmpty();
    }

    /**
     * Opens the files anew by their names, so that what was there before may be moved and packed. No line is lost.
     *
     * @throws IOException if one of them cannot be opened; it is written to as before then
     */
    public void reopen() throws IOException {
        IOException failure = null;
        for (LogFile each : files()) {
            try {
                each.reopen();
            } catch (IOException e) {
                if (failure == null) {
                    failure = e;
                } else {
                    failure.addSuppressed(e);
                }
            }
        }
        if (failure != null) {
            throw failure;
        }
    }

    /** Closes the files. */
    @Override
    public void close() {
        files().forEach(LogFile::close);
    }
}
