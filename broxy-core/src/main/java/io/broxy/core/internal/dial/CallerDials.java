package io.broxy.core.internal.dial;

import java.io.Closeable;
import java.io.IOException;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The dials of an engine that wait on their callers' threads: no loop and no executor knows of them, and still the end of
 * the engine ends them.
 *
 * <p>Threading: thread-safe.
 */
public final class CallerDials implements AutoCloseable {
    private static final Logger log = LoggerFactory.getLogger(CallerDials.class);

    /** By identity. */
    private final Set<Closeable> waits = ConcurrentHashMap.newKeySet();

    private volatile boolean closed;

    /** Whether the engine has ended. */
    boolean isClosed() {
        return closed;
    }

    /** Enters what a dial is about to wait for; it is closed when the engine ends, or now if it has ended. */
    void enter(Closeable wait) {
        waits.add(wait);
        if (closed) {
            end(wait);
        }
    }

    /** The wait is over. */
    void leave(Closeable wait) {
        waits.remove(wait);
    }

    /** Ends every wait, and those to come. */
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
