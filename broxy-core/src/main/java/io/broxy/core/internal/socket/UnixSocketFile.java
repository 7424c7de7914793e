package io.broxy.core.internal.socket;

import java.io.IOException;
import java.net.BindException;
import java.net.ConnectException;
import java.net.SocketException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.FileTime;
import java.nio.file.attribute.PosixFileAttributeView;
import java.nio.file.attribute.PosixFilePermission;
import java.util.Set;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The file of a Unix domain socket that a server is bound to. A file that a server has left behind is replaced; every other file
 * stays.
 *
 * <p>Threading: thread-safe.
 */
public final class UnixSocketFile {
    private static final Logger log = LoggerFactory.getLogger(UnixSocketFile.class);

    private final Path path;
    private final Identity identity;
    private final AtomicBoolean deleted = new AtomicBoolean();

    /**
     * Tells a file from another one of the same name, which may have the inode that the first one had.
     *
     * @param key null where the system has none
     * <p>Threading: immutable.
     */
    private record Identity(@Nullable Object key, FileTime modified) {
        static Identity of(BasicFileAttributes attributes) {
            return new Identity(attributes.fileKey(), attributes.lastModifiedTime());
        }
    }

    private UnixSocketFile(Path path) throws IOException {
        this.path = path;
        this.identity = Identity.of(attributes(path));
    }

    /**
     * Binds a server.
     *
     * @param server unbound, of the family UNIX; the caller closes it if this fails
     * @param permissions of the file, or null to leave them to the system
     * @throws IOException if the path is in use, too long, or not to be written
     */
    public static UnixSocketFile bind(
            ServerSocketChannel server,
            UnixDomainSocketAddress address,
            int backlog,
            @Nullable Set<PosixFilePermission> permissions)
            throws IOException {
        Path path = address.getPath();
        try {
            server.bind(address, backlog);
        } catch (BindException e) {
            if (!Files.exists(path, LinkOption.NOFOLLOW_LINKS)) {
                throw e;
            }
            deleteStale(path);
            server.bind(address, backlog);
        }
        UnixSocketFile bound = new UnixSocketFile(path);
        if (permissions != null) {
            try {
                bound.permit(permissions);
            } catch (IOException e) {
                bound.delete();
                throw e;
            }
        }
        return bound;
    }

    /** Deletes a socket that no server listens at. */
    private static void deleteStale(Path path) throws IOException {
        BasicFileAttributes found = attributes(path);
        if (!found.isOther()) {
            throw new BindException("the file exists and is no socket");
        }
        if (isListenedAt(path)) {
            throw new BindException("Address already in use");
        }
        if (Identity.of(attributes(path)).equals(Identity.of(found))) { // else another server has just replaced it
            Files.delete(path);
            log.info("replaced the socket {}, which no server listens at", path);
        }
    }

    /** Whether a server listens, as far as is known: one whose queue is full, or that admits others only, does. */
    private static boolean isListenedAt(Path path) throws IOException {
        try (SocketChannel probe = SocketChannel.open(StandardProtocolFamily.UNIX)) {
            probe.configureBlocking(false);
            probe.connect(UnixDomainSocketAddress.of(path));
            return true;
        } catch (ConnectException e) {
            return false;
        } catch (SocketException e) {
            log.debug("a connection to the socket {} fails, but is not refused", path, e);
            return true;
        }
    }

    private static BasicFileAttributes attributes(Path path) throws IOException {
        return Files.readAttributes(path, BasicFileAttributes.class, LinkOption.NOFOLLOW_LINKS);
    }

    private void permit(Set<PosixFilePermission> permissions) throws IOException {
        PosixFileAttributeView view = Files.getFileAttributeView(path, PosixFileAttributeView.class);
        if (view == null) {
            throw new FileSystemException(path.toString(), null, "the file system has no POSIX permissions");
        }
        view.setPermissions(permissions);
    }

    /**
     * Deletes the file, unless it has been replaced; before the server is closed, so that no other server takes the file for a
     * stale one. A failure is logged. Repeated calls change nothing.
     */
    public void delete() {
        if (!deleted.compareAndSet(false, true)) {
            return;
        }
        try {
            if (Identity.of(attributes(path)).equals(identity)) {
                Files.delete(path);
            }
        } catch (NoSuchFileException e) {
            log.debug("the socket {} has been deleted before", path);
        } catch (IOException e) {
            log.warn("deleting the socket {} failed", path, e);
        }
    }
}
