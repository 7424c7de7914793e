package io.broxy.core.internal.observe;

import io.broxy.core.internal.time.Seldom;
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
 * Hands events to one observer, one after another and off the loops. The observer may be slow, so the queue is bounded.
 *
 * <p>Threading: thread-safe; events run on the executor, one at a time and in the order in which they were added.
 */
final class EventQueue {
    private static final Logger log = LoggerFactory.getLogger(EventQueue.class);

    /** Some megabytes at most, and enough for a second's pause at ten thousand events a second. */
    static final int CAPACITY = 10_000;

    private static final long LOG_DISTANCE_NANOS = TimeUnit.SECONDS.toNanos(10);

    private final String name;
    private final Executor executor;
    private final Ticker ticker;
    private final Queue<Runnable> waiting = new ConcurrentLinkedQueue<>();
    /** The size of the queue, or a little more. */
    private final AtomicInteger count = new AtomicInteger();

    private final AtomicBoolean running = new AtomicBoolean();
    private final LongAdder dropped = new LongAdder();
    private final Seldom dropWarnings = new Seldom(LOG_DISTANCE_NANOS);
    private final Seldom failures = new Seldom(LOG_DISTANCE_NANOS);

    /**
     * Creates an empty queue.
     *
     * @param name the observer's, for the log
     */
    EventQueue(String name, Executor executor, Ticker ticker) {
        this.name = name;
        this.executor = executor;
        this.ticker = ticker;
    }

    /** Adds an event, or drops it. */
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
        } catch (RejectedExecutionException e) { // the engine ends
            running.set(false);
            dropAll();
        } catch (OutOfMemoryError e) { // "unable to create native thread": the next event tries again
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
            // An interrupt says that the engine ends; whether it does is for the executor to say.
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
        } catch (Throwable e) { // it is the user's code
            if (failures.isTime(ticker.nanos())) {
                log.error("{} failed; further failures are logged from time to time", name, e);
            }
        }
    }

    /** How many were dropped. */
    long dropped() {
        return dropped.sum();
    }
}
