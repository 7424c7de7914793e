package io.broxy.examples.logging;

import java.io.FileOutputStream;
import java.io.IOException;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;

/**
 * A file to which lines are appended, each with a write of its own. A line that cannot be written, because the disk is full for
 * example, is counted and lost; standard error says so, at most every ten seconds, and how many there were once it works again.
 *
 * <p>Threading: thread-safe.
 */
final class LogFile implements AutoCloseable {
    private static final long COMPLAINT_NANOS = TimeUnit.SECONDS.toNanos(10);

    private final Path path;
    private FileOutputStream out;
    private long lost;
    private long complained;

    private LogFile(Path path, FileOutputStream out) {
        this.path = path;
        this.out = out;
    }

    /**
     * Opens or creates a file.
     *
     * @throws IOException if it cannot be written to; the message says which file and why
     */
    static LogFile open(Path path) throws IOException {
        return new LogFile(path, append(path));
    }

    private static FileOutputStream append(Path path) throws IOException {
        try {
            return new FileOutputStream(path.toFile(), true);
        } catch (IOException e) {
            throw new IOException("cannot write the log file " + e.getMessage(), e); // which begins with the path
        }
    }

    /** Appends lines. */
    synchronized void write(byte[] lines) {
        try {
            if (lost > 0) {
                out.write('\n'); // a part of the last line may be there
            }
            out.write(lines);
            if (lost > 0) {
                System.err.println("the log file " + path + " is written again; lost lines: " + lost);
                lost = 0;
            }
        } catch (IOException e) {
            complain(e);
        }
    }

    private void complain(IOException failure) {
        long now = System.nanoTime();
        if (lost == 0 || now - complained >= COMPLAINT_NANOS) {
            complained = now;
            System.err.println(
                    "cannot write the log file " + path + ": " + failure.getMessage() + "; lost lines: " + (lost + 1));
        }
        lost++;
    }

    /** Continues in a file of the same name, which may be a new one. */
    synchronized void reopen() throws IOException {
        FileOutputStream next = append(path);
        close();
        out = next;
    }

    @Override
    public synchronized void close() {
        try {
            out.close();
        } catch (IOException e) {
            System.err.println("closing the log file " + path + " failed: " + e.getMessage());
        }
    }
}
