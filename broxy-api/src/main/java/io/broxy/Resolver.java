package io.broxy;

import java.net.InetAddress;
import java.net.UnknownHostException;
import java.util.List;

/**
 * Looks names up.
 *
 * <p>Threading: thread-safe. It may block; it is called on the resolver's own bounded threads, never on an event loop,
 * and concurrent look-ups of one name are joined into one call.
 */
@FunctionalInterface
public interface Resolver {

    /**
     * All addresses of a name, the preferred one first.
     *
     * @param host a canonical name as in {@link HostPort#host()}, never a literal address
     * @return at least one address
     * @throws UnknownHostException if the name has none
     */
    List<InetAddress> resolve(String host) throws UnknownHostException;

    /** The JDK's resolver: {@link InetAddress#getAllByName}. */
    static Resolver system() {
        return host -> List.of(InetAddress.getAllByName(host));
    }
}
