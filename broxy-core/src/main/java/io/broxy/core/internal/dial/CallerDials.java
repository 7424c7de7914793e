package io.broxy.core.internal.dial;

import java.io.Closeable;
import java.io.IOException;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The dials of an engine that block on their callers' threads. No loop or executor tracks them, so this class ends them when
 * the engine is closed.
 *
 * <p>Threading: thread-safe.
 */
public final class CallerDials implements AutoCloseable {
    private static final Logger log = LoggerFactory.getLogger(CallerDials.class);

    /** Compared by identity. */
    private final Set<Closeable> waits = ConcurrentHashMap.newKeySet();

    private volatile boolean closed;

    /** Whether the engine is closed. */
    boolean isClosed() {
        return closed;
    }

    /**
     * Registers the resource that a dial is about to wait for. It is closed when the engine closes, or immediately if the
     * engine is already closed.
     */
    void enter(Closeable wait) {
        waits.add(wait);
        if (closed) {
            end(wait);
        }
    }

    /** Removes a resource after the wait. */
    void leave(Closeable wait) {
        waits.remove(wait);
    }

    /** Ends all current and future waits. */
    @Override
    public void close() {
        closed = true;
        waits.forEach(CallerDials::end);
    }

    private static void end(Closeable wait) {
        try {
            wait.close();
        } catch (IOException e) {
            log.debug("closing a socket failed", e);
        }
    }
}
