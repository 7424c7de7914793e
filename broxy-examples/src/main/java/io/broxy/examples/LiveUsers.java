package io.broxy.examples;

import io.broxy.Authenticator;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.Semaphore;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The passwords of a file that is followed while it changes. What cannot be used is told in one line, and the old users stay.
 *
 * <p>Threading: thread-safe; {@link #look} runs on the watch's thread alone.
 */
final class LiveUsers implements Authenticator.PasswordCheck, AutoCloseable {
    private static final Logger log = LoggerFactory.getLogger(LiveUsers.class);

    /** How often the file is read if nothing seems to happen to it. */
    private static final Duration PERIOD = Duration.ofSeconds(5);

    /** Not more tries at once than there are processors, lest they keep each other from their end. */
    private final Semaphore tries = new Semaphore(Runtime.getRuntime().availableProcessors(), true);

    private final Path file;
    private volatile Users users;
    private FileContent seen;
    private @Nullable FileWatch watch;

    /** With the users go those who have logged in. Threading: immutable. */
    private record Users(UserFile file, RecentLogins recent) {
        static Users of(UserFile file) {
            return new Users(file, new RecentLogins(System::nanoTime));
        }
    }

    private LiveUsers(Path file, FileContent seen) throws ConfigFileException {
        this.file = file;
        this.seen = seen;
        this.users = Users.of(UserFile.parse(file, seen.bytes()));
    }

    /**
     * Reads the file and follows it from then on.
     *
     * @throws IOException if the file cannot be used
     */
    static LiveUsers start(Path file) throws IOException {
        LiveUsers users = new LiveUsers(file, FileContent.of(file));
        users.watch = FileWatch.start(file, PERIOD, users::look);
        return users;
    }

    private void look() {
        FileContent now = FileContent.of(file);
        if (now.isLike(seen)) {
            return;
        }
        seen = now;
        try {
            UserFile content = UserFile.parse(file, now.bytes());
            users = Users.of(content);
            log.info("{}: reloaded: {} users", file, content.size());
        } catch (IOException e) {
            log.warn("{}; the old users stay", e.getMessage());
        }
    }

    @Override
    public boolean matches(String user, String password) throws InterruptedException {
        Users current = users;
        if (current.recent.contains(user, password)) {
            return true;
        }
        tries.acquire();
        try {
            boolean matches = current.file.matches(user, password);
            if (matches) {
                current.recent.add(user, password);
            }
            return matches;
        } finally {
            tries.release();
        }
    }

    /** Stops to follow the file. */
    @Override
    public void close() {
        if (watch != null) {
            watch.close();
        }
    }
}
