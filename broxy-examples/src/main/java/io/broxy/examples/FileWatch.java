package io.broxy.examples;

import java.io.IOException;
import java.nio.file.ClosedWatchServiceException;
import java.nio.file.Path;
import java.nio.file.StandardWatchEventKinds;
import java.nio.file.WatchEvent;
import java.nio.file.WatchKey;
import java.nio.file.WatchService;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Looks at files whenever anything happens in the folder of one, and from time to time all the same.
 *
 * <p>Which file an event names says little: an editor may rename a new file over the old one, and Kubernetes renames a
 * symbolic link beside it that the file itself leads through. So each event is but a reason to look. Looking from time
 * to time helps where no event comes: a file links to another folder, or the file system reports nothing.
 *
 * <p>Threading: it looks on a thread of its own.
 */
final class FileWatch implements AutoCloseable {
    private static final Logger log = LoggerFactory.getLogger(FileWatch.class);

    /** A file that is written piece by piece is looked at when no event has come for so long. */
    private static final long QUIET_MILLIS = 50;

    /** But a folder that never rests must not keep it from being looked at. */
    private static final int MOST_WAITS = 20;

    private static final long STOP_MILLIS = TimeUnit.SECONDS.toMillis(10);

    private final Set<Path> folders;
    private final @Nullable WatchService service;
    private final long periodMillis;
    private final Runnable look;
    private final CountDownLatch closed = new CountDownLatch(1);
    private final Thread thread = new Thread(this::run, "broxy-mini-server-watch");
    private final Map<Path, WatchKey> registrations = new HashMap<>();

    private FileWatch(Set<Path> folders, @Nullable WatchService service, Duration period, Runnable look) {
        this.folders = folders;
        this.service = service;
        this.periodMillis = period.toMillis();
        this.look = look;
    }

    /**
     * Begins to watch a file, with a first look.
     *
     * @param period how often to look if nothing happens
     * @param look called again and again, never twice at once
     */
    static FileWatch start(Path file, Duration period, Runnable look) {
        return start(Set.of(file), period, look);
    }

    /** As the other one, for several files of one file system; there is one look for all of them. */
    static FileWatch start(Set<Path> files, Duration period, Runnable look) {
        Set<Path> folders = files.stream().map(FileWatch::folder).collect(Collectors.toUnmodifiableSet());
        FileWatch watch = new FileWatch(folders, service(folders), period, look);
        watch.register();
        watch.thread.setDaemon(true);
        watch.thread.start();
        return watch;
    }

    private static Path folder(Path file) {
        Path absolute = file.toAbsolutePath();
        Path parent = absolute.getParent();
        return parent == null ? absolute : parent;
    }

    /** Null if the system has none to give, as when its users share one small number of them. */
    private static @Nullable WatchService service(Set<Path> folders) {
        try {
            return folders.iterator().next().getFileSystem().newWatchService();
        } catch (IOException | UnsupportedOperationException e) {
            log.warn("{} cannot be watched ({}); files are polled instead", named(folders), e.toString());
            return null;
        }
    }

    private static String named(Set<Path> folders) {
        return folders.stream().map(Path::toString).sorted().collect(Collectors.joining(", "));
    }

    private void run() {
        try {
            do {
                lookSafely();
            } while (awaitReason());
        } catch (ClosedWatchServiceException | InterruptedException e) {
            // the end of the watch
        }
    }

    private void lookSafely() {
        try {
            look.run();
        } catch (RuntimeException e) {
            log.error("checking a file failed; it will be tried again", e);
        }
    }

    /** Waits for an event or for the period to pass; false at the end of the watch. */
    private boolean awaitReason() throws InterruptedException {
        if (service == null) {
            return !closed.await(periodMillis, TimeUnit.MILLISECONDS);
        }
        register();
        WatchKey key = service.poll(periodMillis, TimeUnit.MILLISECONDS);
        for (int waits = 0; key != null && waits < MOST_WAITS; waits++) {
            key.pollEvents();
            key.reset();
            key = service.poll(QUIET_MILLIS, TimeUnit.MILLISECONDS);
        }
        if (key != null) { // left for the next turn
            key.reset();
        }
        return closed.getCount() > 0;
    }

    /** Watches the folders that are not watched already. One that was deleted may come back. */
    private void register() {
        if (service == null) {
            return;
        }
        for (Path folder : folders) {
            WatchKey registration = registrations.get(folder);
            if (registration == null || !registration.isValid()) {
                register(folder, service);
            }
        }
    }

    private void register(Path folder, WatchService watches) {
        try {
            WatchEvent.Kind<?>[] kinds = {
                StandardWatchEventKinds.ENTRY_CREATE,
                StandardWatchEventKinds.ENTRY_MODIFY,
                StandardWatchEventKinds.ENTRY_DELETE
            };
            registrations.put(folder, folder.register(watches, kinds));
        } catch (IOException e) { // until then its files are looked at from time to time
            registrations.remove(folder);
            log.debug("{} cannot be watched: {}", folder, e.toString());
        }
    }

    /** Ends the watch; no look begins after that. */
    @Override
    public void close() {
        closed.countDown();
        try {
            if (service != null) {
                service.close();
            }
            thread.join(STOP_MILLIS);
        } catch (IOException e) {
            log.warn("the watch of {} could not be closed: {}", named(folders), e.toString());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
