package io.broxy;

import java.net.InetAddress;
import java.net.UnknownHostException;
import java.util.List;

/**
 * Looks names up.
 *
 * <p>Its results are cached for a while, and so is an {@link UnknownHostException}. Any other exception, and a result
 * that is null, empty or contains null, fails the waiting dials with {@link DialException.Reason#RESOLVE} and that
 * cause, is logged, and is not cached, because it says nothing about the name.
 *
 * <p>A resolver may dial with a dialer of the same engine, even one that uses this resolver; while it waits for that,
 * it takes no place from other lookups. A lookup that waits for itself in this way fails.
 *
 * <p>Threading: thread-safe. It may block. It is called on the engine's threads for lookups, never on an event loop: on
 * virtual threads where the JVM has them, or else on platform threads; {@link #system()} always on platform threads.
 * Concurrent lookups of one name are joined into one call. A lookup that nothing waits for anymore is interrupted, and
 * takes no place from then on, whether or not it reacts.
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
     * The JDK's resolver, always the same instance: {@link InetAddress#getAllByName}. It does not react to interrupts,
     * and holds its thread, or the carrier of a virtual one, until the system gives up.
     */
    static Resolver system() {
        return SystemResolver.INSTANCE;
    }
}
