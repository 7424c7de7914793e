package io.broxy;

import java.net.InetAddress;
import java.net.UnknownHostException;
import java.util.List;

/**
 * Looks names up.
 *
 * <p>What it returns is kept for a while, and so is an {@link UnknownHostException}. Anything else that it throws, and an
 * answer that is null, empty or has a null in it, fails the dials that wait for it with {@link
 * DialException.Reason#RESOLVE} and that cause, is logged, and is not kept: it says nothing about the name.
 *
 * <p>It may dial with a dialer of the same engine, even one that looks names up with it; while it waits for that, it takes
 * none of the places that there are for look-ups. A look-up that waits for itself in this way fails.
 *
 * <p>Threading: thread-safe. It may block. It is called on threads of the engine's for look-ups, never on an event loop: on
 * virtual threads where the JVM has them, on platform threads elsewhere, and {@link #system()} on platform threads
 * everywhere. Concurrent look-ups of one name are joined into one call. When nothing waits for a look-up any more it is
 * interrupted, and takes no place from then on, whether it minds that or not.
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

    /**
     * The JDK's resolver, always the same: {@link InetAddress#getAllByName}. It does not react to interrupts, and holds its
     * thread, or the carrier of a virtual one, until the system gives up.
     */
    static Resolver system() {
        return SystemResolver.INSTANCE;
    }
}
