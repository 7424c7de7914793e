package io.broxy.core.internal.loop;

import java.util.concurrent.ExecutorService;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.SynchronousQueue;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * The threads for what may block and so must stay off the loops, one executor a kind, so that none can starve another:
 * a user's dialer that waits for a name must not hold the threads that look names up.
 *
 * <p>Threading: thread-safe.
 */
public final class Workers {
    /** Look-ups wait for the network and are joined by name; the JDK's pin a virtual thread's carrier. */
    private static final int RESOLVER_THREADS = 8;

    /** For JVMs without virtual threads. */
    private static final int CALLBACK_THREADS = 64;

    /** Closing and cancelling are short, so few threads do where the callbacks' are bounded. */
    private static final int CLOSER_THREADS = 4;

    private static final long KEEP_ALIVE_SECONDS = 10;

    private final ExecutorService resolver = pool("broxy-resolver-", RESOLVER_THREADS);
    private final ExecutorService callbacks;
    private final ExecutorService closers;
    private final ExecutorService streams = new ThreadPoolExecutor(
            0,
            Integer.MAX_VALUE,
            KEEP_ALIVE_SECONDS,
            TimeUnit.SECONDS,
            new SynchronousQueue<>(),
            daemons("broxy-stream-"));

    /** Creates the executors; they start their threads when there is work. */
    public Workers() {
        ThreadFactory virtual = VirtualThreads.factory("broxy-callback-");
        if (virtual == null) {
            callbacks = pool("broxy-callback-", CALLBACK_THREADS);
            closers = pool("broxy-closer-", CLOSER_THREADS);
        } else {
            callbacks = new ThreadPoolExecutor(
                    0, Integer.MAX_VALUE, 0, TimeUnit.SECONDS, new SynchronousQueue<>(), virtual);
            closers = callbacks;
        }
    }

    /** Runs name look-ups. */
    public ExecutorService resolver() {
        return resolver;
    }

    /** Runs user code: dialers, dependents of futures. */
    public ExecutorService callbacks() {
        return callbacks;
    }

    /** Closes what may block and cancels user code: what frees the threads of callbacks must not wait for one of them. */
    public ExecutorService closers() {
        return closers;
    }

    /** Runs blocking relays; how many is for their admission to bound. */
    public ExecutorService streams() {
        return streams;
    }

    /** Ends all threads, interrupting those at work, and waits for them. False if one was still at work then. */
    public boolean stop(long nanos) throws InterruptedException {
        long deadline = System.nanoTime() + nanos;
        boolean ended = true;
        for (ExecutorService executor : new ExecutorService[] {resolver, streams, callbacks, closers}) {
            executor.shutdown(); // what is queued, such as the completion of futures, still runs
            if (executor != callbacks || !executor.awaitTermination(nanos / 2, TimeUnit.NANOSECONDS)) {
                executor.shutdownNow();
            }
            ended &= executor.awaitTermination(Math.max(1, deadline - System.nanoTime()), TimeUnit.NANOSECONDS);
        }
        return ended;
    }

    private static ExecutorService pool(String prefix, int threads) {
        ThreadPoolExecutor executor = new ThreadPoolExecutor(
                threads, threads, KEEP_ALIVE_SECONDS, TimeUnit.SECONDS, new LinkedBlockingQueue<>(), daemons(prefix));
        executor.allowCoreThreadTimeOut(true);
        return executor;
    }

    private static ThreadFactory daemons(String prefix) {
        AtomicInteger number = new AtomicInteger();
        return task -> {
            Thread thread = new Thread(null, task, prefix + number.incrementAndGet(), 0, false);
            thread.setDaemon(true);
            return thread;
        };
    }
}
