package io.broxy.core.internal.observe;

import io.broxy.core.internal.time.Cooldown;
import io.broxy.core.internal.time.Ticker;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.LongAdder;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Delivers events to one observer, sequentially and off the loops. The queue is bounded, since the observer may be slow.
 *
 * <p>Threading: thread-safe; events run on the executor, one at a time, in the order of their addition.
 */
final class EventQueue {
    private static final Logger log = LoggerFactory.getLogger(EventQueue.class);

    /** A few megabytes at most, and enough for a pause of one second at ten thousand events per second. */
    static final int CAPACITY = 10_000;

    private static final long LOG_INTERVAL_NANOS = TimeUnit.SECONDS.toNanos(10);

    private final String name;
    private final Executor executor;
    private final Ticker ticker;
    private final Queue<Runnable> waiting = new ConcurrentLinkedQueue<>();
    /** The size of the queue, or slightly more. */
    private final AtomicInteger count = new AtomicInteger();

    private final AtomicBoolean running = new AtomicBoolean();
    private final LongAdder dropped = new LongAdder();
    private final Cooldown dropWarnings = new Cooldown(LOG_INTERVAL_NANOS);
    private final Cooldown failures = new Cooldown(LOG_INTERVAL_NANOS);

    /**
     * Creates an empty queue.
     *
     * @param name the name of the observer, for the log
     */
    EventQueue(String name, Executor executor, Ticker ticker) {
        this.name = name;
        this.executor = executor;
        this.ticker = ticker;
    }

    /** Adds an event, or drops it if the queue is full. */
    void add(Runnable event) {
        if (count.incrementAndGet() > CAPACITY) {
            count.decrementAndGet();
            dropped.increment();
            if (dropWarnings.isTime(ticker.nanos())) {
                log.warn("{} is too slow: {} events are waiting, and further ones are dropped", name, CAPACITY);
            }
            return;
        }
        waiting.add(event);
        wake();
    }

    private void wake() {
        if (!running.compareAndSet(false, true)) {
            return;
        }
        try {
            executor.execute(this::runAll);
        } catch (RejectedExecutionException e) { // the engine is closing
            running.set(false);
            dropAll();
        } catch (OutOfMemoryError e) { // "unable to create native thread": the next event retries
            running.set(false);
        }
    }

    private void dropAll() {
        while (waiting.poll() != null) {
            count.decrementAndGet();
            dropped.increment();
        }
    }

    private void runAll() {
        try {
            // An interrupt may mean that the engine is closing, which the executor decides.
            while (!Thread.currentThread().isInterrupted()) {
                Runnable event = waiting.poll();
                if (event == null) {
                    break;
                }
                count.decrementAndGet();
                run(event);
            }
        } finally {
            running.set(false);
        }
        if (!waiting.isEmpty()) {
            wake();
        }
    }

    private void run(Runnable event) {
        try {
            event.run();
        } catch (Throwable e) { // user code may throw anything
            if (failures.isTime(ticker.nanos())) {
                log.error("{} failed; further failures are logged from time to time", name, e);
            }
        }
    }

    /** The number of dropped events. */
    long dropped() {
        return dropped.sum();
    }
}
