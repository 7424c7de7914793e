package io.broxy.examples;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.Map;
import java.util.Objects;
import java.util.function.Supplier;
import javax.net.ssl.SSLContext;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The TLS context of a server, made anew whenever one of its files changes. An error is logged in one line, and the old
 * certificates stay. Connections keep the context that they began with, and no session is resumed beyond it.
 *
 * <p>Threading: thread-safe. One look at a time, by the watch's thread or by the caller of {@link #reload}; the lock is
 * held while the files are read, and {@link #get} does not take it.
 */
final class LiveTls implements Supplier<SSLContext>, Reloadable, AutoCloseable {
    private static final Logger log = LoggerFactory.getLogger(LiveTls.class);

    private final TlsFiles files;
    private final Object turn = new Object();
    private Map<Path, FileContent> seen;
    private volatile SSLContext context;
    private @Nullable FileWatch watch;

    private LiveTls(TlsFiles files) throws ConfigFileException {
        this.files = files;
        this.seen = files.read();
        this.context = files.load(seen).context();
    }

    /**
     * Reads the files and follows them from then on.
     *
     * @throws IOException if one of them cannot be used
     */
    static LiveTls start(TlsFiles files) throws IOException {
        LiveTls tls = new LiveTls(files);
        tls.watch = FileWatch.start(files.paths(), LiveFile.PERIOD, tls::look);
        return tls;
    }

    /** The context of the files as they were when they could last be used. It asks for no file. */
    @Override
    public SSLContext get() {
        return context;
    }

    private void look() {
        synchronized (turn) {
            Map<Path, FileContent> now = files.read();
            if (!areLike(now, seen)) {
                LiveFile.log(log, "", take(now));
            }
        }
    }

    private static boolean areLike(Map<Path, FileContent> one, Map<Path, FileContent> other) {
        return one.entrySet().stream()
                .allMatch(entry -> entry.getValue().isLike(Objects.requireNonNull(other.get(entry.getKey()))));
    }

    @Override
    public LiveFile.Outcome reload() {
        synchronized (turn) {
            return take(files.read());
        }
    }

    private LiveFile.Outcome take(Map<Path, FileContent> now) {
        seen = now;
        try {
            TlsFiles.Loaded loaded = files.load(now);
            context = loaded.context();
            return new LiveFile.Outcome(false, "TLS: reloaded: " + describe(loaded));
        } catch (ConfigFileException e) {
            return new LiveFile.Outcome(true, e.getMessage() + "; the old certificates stay");
        }
    }

    private static String describe(TlsFiles.Loaded loaded) {
        return loaded.certificates().size() + " certificates, valid until "
                + loaded.certificates().stream()
                        .map(ServerCertificate::end)
                        .min(Comparator.naturalOrder())
                        .orElseThrow();
    }

    /** Stops to follow the files; a reload still works. */
    @Override
    public void close() {
        if (watch != null) {
            watch.close();
        }
    }
}
