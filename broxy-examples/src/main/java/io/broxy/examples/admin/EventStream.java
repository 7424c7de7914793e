package io.broxy.examples.admin;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.IOException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.SynchronousQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Sends the figures of the moment to each page that is open, as server-sent events (WHATWG HTML section 9.2): first
 * everything a page needs, then what is new, at each tick. Nothing is queued: a page that reads slowly skips ticks, and one that does
 * not read at all is dropped.
 *
 * <p>Threading: thread-safe. One thread makes the events while there are readers; each reader has a thread of its own, because
 * the JDK's server writes blocking.
 */
final class EventStream implements AutoCloseable {
    private static final Logger log = LoggerFactory.getLogger(EventStream.class);

    /** More pages than one team has open. */
    static final int MOST_READERS = 16;

    private static final long IDLE_THREAD_SECONDS = 5;

    /** How long a browser waits until it asks again. */
    private static final String RETRY = "retry: 2000\n\n";

    private final Supplier<String> first;
    private final Supplier<String> next;
    private final ScheduledExecutorService ticks =
            Executors.newSingleThreadScheduledExecutor(AdminThreads.named("tick"));
    private final ExecutorService readers = new ThreadPoolExecutor(
            0,
            MOST_READERS,
            IDLE_THREAD_SECONDS,
            TimeUnit.SECONDS,
            new SynchronousQueue<>(),
            AdminThreads.named("events"));

    // guarded by this
    private int reading;
    private Event latest = new Event(0, new byte[0]);
    private boolean closed;

    /** An event of a tick. Threading: immutable; nothing changes the bytes. */
    private static final class Event {
        private final long number;
        private final byte[] bytes;

        Event(long number, byte[] bytes) {
            this.number = number;
            this.bytes = bytes;
        }
    }

    /**
     * Starts to tick.
     *
     * @param first the first event of a page, JSON in one line
     * @param next the event of each tick, likewise
     */
    EventStream(Supplier<String> first, Supplier<String> next, long tickMillis) {
        this.first = first;
        this.next = next;
        ticks.scheduleAtFixedRate(this::tick, tickMillis, tickMillis, TimeUnit.MILLISECONDS);
    }

    /** Answers with events until the page is closed. */
    void serve(AdminRequest request) throws IOException {
        try {
            readers.execute(() -> stream(request));
        } catch (RejectedExecutionException e) {
            try (request) {
                request.with("Retry-After", "10").text(503, "more than " + MOST_READERS + " pages are open");
            }
        }
    }

    private void stream(AdminRequest request) {
        try (request) {
            request.begin("text/event-stream; charset=utf-8");
            long seen = enter();
            try {
                request.send((RETRY + event(first.get())).getBytes(UTF_8));
                Event event = after(seen);
                while (event != null) {
                    request.send(event.bytes);
                    event = after(event.number);
                }
            } finally {
                leave();
            }
        } catch (IOException e) {
            // the page is closed, or does not read
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private static String event(String json) {
        return "data: " + json + "\n\n";
    }

    /** Makes an event, if there is a page that reads it. */
    void tick() {
        synchronized (this) {
            if (reading == 0) {
                return;
            }
        }
        byte[] event;
        try {
            event = event(next.get()).getBytes(UTF_8);
        } catch (RuntimeException e) { // which would end all later ticks
            log.error("the admin page gets no figures", e);
            return;
        }
        synchronized (this) {
            latest = new Event(latest.number + 1, event);
            notifyAll();
        }
    }

    /** How many pages there are. */
    synchronized int readers() {
        return reading;
    }

    private synchronized long enter() {
        reading++;
        return latest.number;
    }

    private synchronized void leave() {
        reading--;
    }

    /** Waits for an event behind one; null once this is closed. */
    private synchronized @Nullable Event after(long seen) throws InterruptedException {
        while (latest.number <= seen && !closed) {
            wait();
        }
        return closed ? null : latest;
    }

    /** Ends all streams. */
    @Override
    public void close() {
        synchronized (this) {
            closed = true;
            notifyAll();
        }
        AdminThreads.stop(readers);
        AdminThreads.stop(ticks);
    }
}
