package io.broxy.core.internal.observe;

import io.broxy.ProxyListener;
import io.broxy.core.internal.time.Ticker;
import java.util.concurrent.Executor;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The observers of a handler: its listener, the access log, and Java Flight Recorder. The first two run on an executor,
 * independently of each other. Without observers nothing is allocated.
 *
 * <p>Threading: thread-safe.
 */
public final class Observers {
    private static final Logger access = LoggerFactory.getLogger(AccessLog.NAME);

    private final @Nullable ProxyListener listener;
    private final Ticker ticker;
    private final EventQueue forListener;
    private final EventQueue forAccess;
    private final AtomicLong connections = new AtomicLong();

    /**
     * Creates the observers of one handler.
     *
     * @param listener null if there is none
     * @param executor runs user code
     */
    public Observers(@Nullable ProxyListener listener, Executor executor, Ticker ticker) {
        this.listener = listener;
        this.ticker = ticker;
        this.forListener = new EventQueue("the proxy listener", executor, ticker);
        this.forAccess = new EventQueue("the access log", executor, ticker);
    }

    /** A client's connection is handed over now; it gets the next number. */
    public HandOver handOver() {
        return new HandOver(connections.incrementAndGet(), System.currentTimeMillis(), ticker.nanos());
    }

    /**
     * Creates a recorder for a client's connection; {@link ConnectionRecorder#NONE} without observers.
     *
     * @param request the number of its current request
     */
    public ConnectionRecorder newRecorder(HandOver handOver, long request) {
        return listener != null || access.isInfoEnabled() || FlightRecorderEvents.followsRequests()
                ? new ConnectionRecorder(this, handOver, request)
                : ConnectionRecorder.NONE;
    }

    long nanos() {
        return ticker.nanos();
    }

    void notifyListener(Consumer<ProxyListener> event) {
        ProxyListener notified = listener;
        if (notified != null) {
            forListener.add(() -> event.accept(notified));
        }
    }

    void log(Supplier<String> line) {
        if (access.isInfoEnabled()) {
            forAccess.add(() -> access.info("{}", line.get()));
        }
    }

    /** The number of events and lines dropped because the queue was full. */
    public long dropped() {
        return forListener.dropped() + forAccess.dropped();
    }
}
