package io.broxy.core.internal.loop;

import io.broxy.LookUpStats;
import io.broxy.core.internal.time.Ticker;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Executor;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.SynchronousQueue;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;

/**
 * The threads for what may block and so must stay off the loops, one executor a kind, so that none can starve another:
 * a user's dialer that waits for a name must not hold the threads that look names up, nor one that waits for a future
 * those that complete it.
 *
 * <p>Within a kind, no task waits for good behind one that waits for it: there is a virtual thread for each or, where the
 * JVM has none, {@link ElasticThreads}. Look-ups have {@link LookUpThreads} before their executor.
 *
 * <p>Threading: thread-safe.
 */
public final class Workers {
    /** How many names are looked up at once on platform threads. */
    static final int LOOK_UPS = 64;

    /** How many on virtual threads, which cost less. */
    static final int VIRTUAL_LOOK_UPS = 128;

    /**
     * How many virtual threads for look-ups there may be, abandoned ones included. The JDK has 256 carriers by default, and
     * a look-up of its own takes one for its time (measured on JDK 25, where the scheduler adds a carrier for each, and all
     * virtual threads block when there is none left), so some are left for everything else that is virtual in the process,
     * whatever a user's resolver calls.
     */
    private static final int MAX_VIRTUAL_LOOK_UPS = 192;

    /** The threads of each kind in JVMs without virtual threads; more only while nothing moves. */
    static final int USER_CODE_THREADS = 64;

    /** Closing and cancelling are short, so few threads do where the callbacks' are bounded. */
    private static final int CLOSER_THREADS = 4;

    private static final long KEEP_ALIVE_SECONDS = 10;

    /** Closing a relay's connections, which ends its threads, takes no longer. */
    private static final long STREAM_GRACE_NANOS = TimeUnit.SECONDS.toNanos(1);

    /** What an executor is for. */
    public enum Kind {
        RESOLVER("broxy-resolver-", LOOK_UPS),
        CALLBACK("broxy-callback-", USER_CODE_THREADS),
        COMPLETION("broxy-completion-", USER_CODE_THREADS),
        TLS("broxy-tls-", USER_CODE_THREADS),
        STREAM("broxy-stream-", Integer.MAX_VALUE),
        CLOSER("broxy-closer-", CLOSER_THREADS);

        private final String prefix;
        private final int threads;

        Kind(String prefix, int threads) {
            this.prefix = prefix;
            this.threads = threads;
        }
    }

    /** What a user has set. Threading: for one thread. */
    public static final class Settings {
        private final Map<Kind, Integer> threads = new EnumMap<>(Kind.class);
        private final Map<Kind, Executor> executors = new EnumMap<>(Kind.class);

        /** Creates settings with the defaults. */
        public Settings() {}

        /** Sets a number of threads. */
        public void threads(Kind kind, int count) {
            threads.put(kind, count);
            if (kind != Kind.RESOLVER) {
                executors.remove(kind);
            }
        }

        /** Sets an executor. */
        public void executor(Kind kind, Executor executor) {
            executors.put(kind, executor);
            if (kind != Kind.RESOLVER) {
                threads.remove(kind);
            }
        }
    }

    private final EngineThreads threads = new EngineThreads();
    private final ExecutorService resolver;
    private final ExecutorService userResolver;
    private final ExecutorService callbacks;
    private final ExecutorService completions;
    private final ExecutorService tls;
    private final ExecutorService streams;
    private final ExecutorService closers;
    private final LookUpThreads lookUps;
    private final LookUpThreads userLookUps;

    /** Creates executors as they are by default. */
    public Workers() {
        this(new Settings());
    }

    /** Creates executors. */
    public Workers(Settings settings) {
        callbacks = executor(Kind.CALLBACK, settings);
        completions = executor(Kind.COMPLETION, settings);
        tls = executor(Kind.TLS, settings);
        closers = executor(Kind.CLOSER, settings);
        streams = executor(Kind.STREAM, settings);
        resolver = executor(Kind.RESOLVER, settings);
        int places = settings.threads.getOrDefault(Kind.RESOLVER, LOOK_UPS);
        lookUps = new LookUpThreads(resolver, places, LookUpThreads.maxThreads(places), closers, Ticker.SYSTEM);
        ThreadFactory virtual =
                settings.threads.containsKey(Kind.RESOLVER) || settings.executors.containsKey(Kind.RESOLVER)
                        ? null
                        : VirtualThreads.factory(Kind.RESOLVER.prefix);
        userResolver = virtual == null ? resolver : threadForEach(threads.known(virtual), 0, Integer.MAX_VALUE);
        userLookUps = virtual == null
                ? lookUps
                : new LookUpThreads(userResolver, VIRTUAL_LOOK_UPS, MAX_VIRTUAL_LOOK_UPS, closers, Ticker.SYSTEM);
    }

    /** Runs the JDK's name look-ups, on platform threads. */
    public LookUpThreads lookUps() {
        return lookUps;
    }

    /** Runs the look-ups of resolvers that a user has written: on virtual threads where the JVM has them. */
    public LookUpThreads userLookUps() {
        return userLookUps;
    }

    /** How many look-ups there are now. */
    public LookUpStats lookUpStats() {
        LookUpStats jdk = lookUps.counts();
        if (userLookUps == lookUps) {
            return jdk;
        }
        LookUpStats user = userLookUps.counts();
        return new LookUpStats(
                jdk.waiting() + user.waiting(),
                jdk.running() + user.running(),
                jdk.abandoned() + user.abandoned(),
                jdk.maxRunning() + user.maxRunning());
    }

    /** Runs user code that may wait for others: dialers. */
    public ExecutorService callbacks() {
        return callbacks;
    }

    /** Completes futures, whose dependents are user code too. */
    public ExecutorService completions() {
        return completions;
    }

    /** Runs the tasks of TLS engines, which may run a trust manager of a user's. */
    public ExecutorService tls() {
        return tls;
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
     * Completes a future whose dependents are user code, and loses none: where no executor takes it any more, it is completed
     * on this thread, since the engine is ending. A user's executor that is full is no such end, and an event
     * loop must not run what it rejects, so that goes to the closers.
     */
    public void complete(Runnable completion) {
        try {
            completions.execute(completion);
            return;
        } catch (RejectedExecutionException | OutOfMemoryError e) {
            if (completions.isShutdown()) {
                completion.run();
                return;
            }
        }
        try {
            closers.execute(completion);
        } catch (RejectedExecutionException | OutOfMemoryError e) {
            completion.run();
        }
    }

    /** Whether the calling thread runs a task of one of these executors, and so must not wait for their end. */
    public boolean isOwnThread() {
        return threads.isCurrent();
    }

    /**
     * Ends all threads and waits for them, also when the caller is interrupted, which it then still is. Look-ups are
     * interrupted at once, user code is after half of the time. Streams are after a moment: a relay that is being reset must
     * not be interrupted before, which would close its channels and look like an orderly end. Futures that wait for their
     * completion are completed, if need be on the calling thread. A user's executors go on, without a task of this.
     *
     * @return false if a thread was still at work after the time
     */
    public boolean stop(long nanos) {
        Deadline deadline = new Deadline(nanos);
        Deadline untilInterrupt = new Deadline(nanos / 2);
        resolver.shutdownNow();
        userResolver.shutdownNow();
        streams.shutdown();
        callbacks.shutdown();
        tls.shutdown();
        if (!new Deadline(Math.min(nanos / 4, STREAM_GRACE_NANOS)).await(ended(streams))) {
            streams.shutdownNow();
        }
        for (ExecutorService executor : List.of(callbacks, tls)) {
            if (!untilInterrupt.await(ended(executor))) {
                executor.shutdownNow();
            }
        }
        untilInterrupt.await(ended(resolver));
        untilInterrupt.await(ended(userResolver));
        untilInterrupt.await(ended(streams));
        for (ExecutorService executor : List.of(completions, closers)) {
            executor.shutdown(); // only now: what the others complete and close at their end still goes there
            if (!untilInterrupt.await(ended(executor))) {
                executor.shutdownNow().forEach(Runnable::run); // a caller may be waiting
            }
        }
        boolean ended = true;
        for (ExecutorService executor :
                List.of(resolver, userResolver, streams, callbacks, tls, completions, closers)) {
            ended &= deadline.await(ended(executor));
        }
        return ended && deadline.await(threads::awaitEnd);
    }

    private static Deadline.Ending ended(ExecutorService executor) {
        return nanos -> executor.awaitTermination(nanos, TimeUnit.NANOSECONDS);
    }

    // ------------------------------------------------------------------ making them

    private ExecutorService executor(Kind kind, Settings settings) {
        Executor given = settings.executors.get(kind);
        if (given != null) {
            return new GivenExecutor(given, threads);
        }
        Integer set = settings.threads.get(kind);
        int count = set == null ? kind.threads : set;
        return switch (kind) {
            case RESOLVER -> platform(kind, Integer.MAX_VALUE); // look-ups are counted before
            case STREAM -> platform(kind, count);
            case CALLBACK, COMPLETION, TLS, CLOSER -> {
                ThreadFactory virtual = set == null ? VirtualThreads.factory(kind.prefix) : null;
                yield virtual != null
                        ? threadForEach(threads.known(virtual), 0, Integer.MAX_VALUE)
                        : new ElasticThreads(
                                count, threads.factory(kind.prefix), threads.factory(kind.prefix + "watch-"));
            }
        };
    }

    private ExecutorService platform(Kind kind, int max) {
        return threadForEach(threads.factory(kind.prefix), KEEP_ALIVE_SECONDS, max);
    }

    /** Threads without a queue; beyond them, a task is rejected. */
    private static ExecutorService threadForEach(ThreadFactory threads, long keepAliveSeconds, int max) {
        return new ThreadPoolExecutor(0, max, keepAliveSeconds, TimeUnit.SECONDS, new SynchronousQueue<>(), threads);
    }
}
