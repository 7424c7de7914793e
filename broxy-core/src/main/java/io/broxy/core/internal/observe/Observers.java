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
 * Those who watch a handler: its listener, the access log, and Java Flight Recorder. The first two are told on an executor,
 * each at its own pace. Where nobody watches, nothing is made.
 *
 * <p>Threading: thread-safe.
 */
public final class Journal {
    private static final Logger access = LoggerFactory.getLogger(AccessLog.NAME);

    private final @Nullable ProxyListener listener;
    private final Ticker ticker;
    private final EventQueue forListener;
    private final EventQueue forAccess;
    private final AtomicLong visits = new AtomicLong();

    /**
     * Creates a journal.
     *
     * @param listener null if there is none
     * @param executor for user code
     */
    public Journal(@Nullable ProxyListener listener, Executor executor, Ticker ticker) {
        this.listener = listener;
        this.ticker = ticker;
        this.forListener = new EventQueue("the proxy listener", executor, ticker);
        this.forAccess = new EventQueue("the access log", executor, ticker);
    }

    /** Begins to follow a client's connection, if anybody watches now. */
    public ConnectionRecorder visit() {
        return listener != null || access.isInfoEnabled() || Flight.followsRequests()
                ? new ConnectionRecorder(this, visits.incrementAndGet(), ticker.nanos())
                : ConnectionRecorder.NONE;
    }

    long nanos() {
        return ticker.nanos();
    }

    void tell(Consumer<ProxyListener> event) {
        ProxyListener told = listener;
        if (told != null) {
            forListener.add(() -> event.accept(told));
        }
    }

    void log(Supplier<String> line) {
        if (access.isInfoEnabled()) {
            forAccess.add(() -> access.info("{}", line.get()));
        }
    }

    /** Events and lines that were too many. */
    public long dropped() {
        return forListener.dropped() + forAccess.dropped();
    }
}
