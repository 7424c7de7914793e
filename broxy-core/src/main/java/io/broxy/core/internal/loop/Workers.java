package io.broxy.core.internal.loop;

import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.SynchronousQueue;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;

/**
 * The threads for what may block and so must stay off the loops, one executor a kind, so that none can starve another:
 * a user's dialer that waits for a name must not hold the threads that look names up, nor one that waits for a future
 * those that complete it.
 *
 * <p>Threading: thread-safe.
 */
public final class Workers {
    /** Look-ups wait for the network and are joined by name; the JDK's pin a virtual thread's carrier. */
    static final int RESOLVER_THREADS = 8;

    /** Of each kind, for JVMs without virtual threads. */
    static final int USER_CODE_THREADS = 64;

    /** Closing and cancelling are short, so few threads do where the callbacks' are bounded. */
    private static final int CLOSER_THREADS = 4;

    private static final long KEEP_ALIVE_SECONDS = 10;

    /** Closing a relay's connections, which ends its threads, takes no longer. */
    private static final long STREAM_GRACE_NANOS = TimeUnit.SECONDS.toNanos(1);

    private final DaemonThreads daemons = new DaemonThreads();
    private final ExecutorService resolver = pool("broxy-resolver-", RESOLVER_THREADS);
    private final ExecutorService callbacks = userCode("broxy-callback-", USER_CODE_THREADS);
    private final ExecutorService completions = userCode("broxy-completion-", USER_CODE_THREADS);
    private final ExecutorService closers = userCode("broxy-closer-", CLOSER_THREADS);
    private final ExecutorService streams = new ThreadPoolExecutor(
            0,
            Integer.MAX_VALUE,
            KEEP_ALIVE_SECONDS,
            TimeUnit.SECONDS,
            new SynchronousQueue<>(),
            daemons.factory("broxy-stream-"));

    /** Runs name look-ups. */
    public ExecutorService resolver() {
        return resolver;
    }

    /** Runs user code that may wait for others: dialers. */
    public ExecutorService callbacks() {
        return callbacks;
    }

    /** Completes futures, whose dependents are user code too. */
    public ExecutorService completions() {
        return completions;
    }

    /** Closes what may block and cancels user code: what frees the other threads must not wait for one of them. */
    public ExecutorService closers() {
        return closers;
    }

    /** Reads and writes for connections that can only block; how many is for their admission to bound. */
    public ExecutorService streams() {
        return streams;
    }

    /**
     * Ends all threads and waits for them, also when the caller is interrupted, which it then still is. Look-ups are
     * interrupted at once, user code is after half of the time. Streams are after a moment: a relay that is being reset must
     * not be interrupted before, which would close its channels and look like an orderly end. Futures that wait for their
     * completion are completed, if need be on the calling thread.
     *
     * @return false if a thread was still at work after the time
     */
    public boolean stop(long nanos) {
        Patience patience = new Patience(nanos);
        Patience untilInterrupt = new Patience(nanos / 2);
        resolver.shutdownNow();
        streams.shutdown();
        callbacks.shutdown();
        if (!new Patience(Math.min(nanos / 4, STREAM_GRACE_NANOS)).await(ended(streams))) {
            streams.shutdownNow();
        }
        if (!untilInterrupt.await(ended(callbacks))) {
            callbacks.shutdownNow();
        }
        untilInterrupt.await(ended(resolver));
        untilInterrupt.await(ended(streams));
        for (ExecutorService executor : List.of(completions, closers)) {
            executor.shutdown(); // only now: what the others complete and close at their end still goes there
            if (!untilInterrupt.await(ended(executor))) {
                executor.shutdownNow().forEach(Runnable::run); // somebody may be waiting
            }
        }
        boolean ended = true;
        for (ExecutorService executor : List.of(resolver, streams, callbacks, completions, closers)) {
            ended &= patience.await(ended(executor));
        }
        return ended && patience.await(daemons::awaitEnd);
    }

    private static Patience.Ending ended(ExecutorService executor) {
        return nanos -> executor.awaitTermination(nanos, TimeUnit.NANOSECONDS);
    }

    private ExecutorService userCode(String prefix, int threads) {
        ThreadFactory virtual = VirtualThreads.factory(prefix);
        return virtual == null
                ? pool(prefix, threads)
                : new ThreadPoolExecutor(0, Integer.MAX_VALUE, 0, TimeUnit.SECONDS, new SynchronousQueue<>(), virtual);
    }

    private ExecutorService pool(String prefix, int threads) {
        ThreadPoolExecutor executor = new ThreadPoolExecutor(
                threads,
                threads,
                KEEP_ALIVE_SECONDS,
                TimeUnit.SECONDS,
                new LinkedBlockingQueue<>(),
                daemons.factory(prefix));
        executor.allowCoreThreadTimeOut(true);
        return executor;
    }
}
