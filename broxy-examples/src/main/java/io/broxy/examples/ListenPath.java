package io.broxy.examples;

import io.broxy.ClientHandler;
import io.broxy.core.Broxy;
import io.broxy.core.ProxyServer;
import java.io.IOException;
import java.net.UnixDomainSocketAddress;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermission;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * The path of a Unix domain socket to listen on.
 *
 * @param permissions of its file; null for those that the process gives to new files
 *
 * <p>Threading: immutable.
 */
record ListenPath(Path path, @Nullable Set<PosixFilePermission> permissions) implements ListenPoint {
    static final String SCHEME = "unix:";

    private static final Pattern MODE = Pattern.compile("(.*),mode=(.*)", Pattern.DOTALL);
    private static final Pattern OCTAL = Pattern.compile("0?[0-7]{3}");

    /** In the order of their bits, the lowest first. */
    private static final PosixFilePermission[] BITS = {
        PosixFilePermission.OTHERS_EXECUTE, PosixFilePermission.OTHERS_WRITE, PosixFilePermission.OTHERS_READ,
        PosixFilePermission.GROUP_EXECUTE, PosixFilePermission.GROUP_WRITE, PosixFilePermission.GROUP_READ,
        PosixFilePermission.OWNER_EXECUTE, PosixFilePermission.OWNER_WRITE, PosixFilePermission.OWNER_READ
    };

    /**
     * Reads {@code unix:PATH} or {@code unix:PATH,mode=MODE}, such as {@code unix:/run/broxy.sock,mode=0660}.
     *
     * @throws IllegalArgumentException if it is anything else
     */
    static ListenPath parse(String text) {
        String path = text.substring(SCHEME.length());
        Matcher mode = MODE.matcher(path);
        boolean given = mode.matches();
        String file = given ? mode.group(1) : path;
        if (file.isEmpty()) {
            throw new IllegalArgumentException("there is no path behind " + SCHEME);
        }
        return new ListenPath(Path.of(file), given ? permissions(mode.group(2)) : null);
    }

    private static Set<PosixFilePermission> permissions(String mode) {
        if (!OCTAL.matcher(mode).matches()) {
            throw new IllegalArgumentException(
                    Found.value(mode) + " is not a mode of three octal digits, such as 0660");
        }
        int bits = Integer.parseInt(mode, 8);
        Set<PosixFilePermission> permissions = new TreeSet<>();
        for (int i = 0; i < BITS.length; i++) {
            if ((bits >> i & 1) != 0) {
                permissions.add(BITS[i]);
            }
        }
        return permissions;
    }

    @Override
    public ProxyServer open(Broxy broxy, ClientHandler handler) throws IOException {
        UnixDomainSocketAddress address = UnixDomainSocketAddress.of(path);
        return permissions == null ? broxy.listen(address, handler) : broxy.listen(address, permissions, handler);
    }

    /** {@code unix:PATH}. */
    @Override
    public String toString() {
        return SCHEME + path;
    }
}
