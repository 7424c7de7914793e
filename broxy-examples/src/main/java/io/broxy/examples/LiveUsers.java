package io.broxy.examples;

import io.broxy.Authenticator;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Objects;
import java.util.concurrent.Semaphore;
import org.jspecify.annotations.Nullable;

/**
 * The passwords of a file that is read again when it changes. An error is logged in one line, and the old users stay.
 *
 * <p>Threading: thread-safe; {@link #use} runs on one thread at a time.
 */
final class LiveUsers implements Authenticator.PasswordCheck, LiveFile.Use, AutoCloseable {
    /** Not more tries at once than there are processors, lest they keep each other from their end. */
    private final Semaphore tries = new Semaphore(Runtime.getRuntime().availableProcessors(), true);

    private final Path file;
    private volatile Users users;
    private @Nullable LiveFile live;

    /** The users, and the recent logins that belong to them. Threading: immutable. */
    private record Users(UserFile file, RecentLogins recent) {
        static Users of(UserFile file) {
            return new Users(file, new RecentLogins(System::nanoTime));
        }
    }

    private LiveUsers(Path file, FileContent seen) throws ConfigFileException {
        this.file = file;
        this.users = Users.of(UserFile.parse(file, seen.bytes()));
    }

    /**
     * Reads the file and follows it from then on.
     *
     * @throws IOException if the file cannot be used
     */
    static LiveUsers start(Path file) throws IOException {
        FileContent seen = FileContent.of(file);
        LiveUsers users = new LiveUsers(file, seen);
        users.live = LiveFile.follow(file, seen, users);
        return users;
    }

    /** The file. */
    LiveFile live() {
        return Objects.requireNonNull(live);
    }

    @Override
    public LiveFile.Outcome use(byte[] content) throws ConfigFileException {
        UserFile read = UserFile.parse(file, content);
        users = Users.of(read);
        return new LiveFile.Outcome(false, read.size() + " users");
    }

    @Override
    public String old() {
        return "the old users";
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
        live().close();
    }
}
