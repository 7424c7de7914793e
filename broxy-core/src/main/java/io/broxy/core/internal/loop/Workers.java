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
 * The threads for work that may block and must therefore stay off the loops. Each kind of work has its own executor, so that
 * none starves another: a user's dialer that waits for a name must not occupy the threads that look names up, nor one that
 * waits for a future the threads that complete it.
 *
 * <p>Within a kind, no task is blocked forever by another one that waits for it: each has a virtual thread or, on JVMs without
 * them, {@link ElasticThreads}. {@link LookUpThreads} schedule look-ups before they reach their executor.
 *
 * <p>Threading: thread-safe.
 */
public final class Workers {
    /** The number of concurrent look-ups on platform threads. */
    static final int LOOK_UPS = 64;

    /** The number of concurrent look-ups on virtual threads, which cost less. */
    static final int VIRTUAL_LOOK_UPS = 128;

    /**
     * The maximum number of virtual threads for look-ups, including abandoned ones. The JDK has 256 carrier threads by default,
     * and each JDK look-up pins one (measured on JDK 25, where the scheduler adds a carrier for each, and all virtual threads
     * block once there are no more). The limit leaves some carriers to all other virtual threads of the process, whatever a
     * user's resolver calls.
     */
    private static final int MAX_VIRTUAL_LOOK_UPS = 192;

    /** The number of threads for user code on JVMs without virtual threads; a stall adds more. */
    static final int USER_CODE_THREADS = 64;

    /**
     * TLS tasks compute, so more threads than processors only cost memory and cache misses (measured on one processor: 64
     * threads cost 5 to 16 % of a handshake's CPU time). Tasks that wait, such as revocation checks, get more threads when they
     * stall.
     */
    static final int TLS_THREADS = Math.max(2, Runtime.getRuntime().availableProcessors());

    /** Closing and cancelling are quick, so a few threads suffice where the callbacks' threads are bounded. */
    private static final int CLOSER_THREADS = 4;

    private static final long KEEP_ALIVE_SECONDS = 10;

    /** The maximum time to close a relay's connections, which ends its threads. */
    private static final long STREAM_GRACE_NANOS = TimeUnit.SECONDS.toNanos(1);

    /** The purpose of an executor. */
    public enum Kind {
        RESOLVER("broxy-resolver-", LOOK_UPS),
        CALLBACK("broxy-callback-", USER_CODE_THREADS),
        COMPLETION("broxy-completion-", USER_CODE_THREADS),
        TLS("broxy-tls-", TLS_THREADS),
        STREAM("broxy-stream-", Integer.MAX_VALUE),
        CLOSER("broxy-closer-", CLOSER_THREADS);

        private final String prefix;
        private final int threads;

        Kind(String prefix, int threads) {
            this.prefix = prefix;
            this.threads = threads;
        }
    }

    /** The user's settings. Threading: for one thread. */
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

    /** Creates executors with the default settings. */
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

    /** Runs the look-ups of users' resolvers, on virtual threads where the JVM has them. */
    public LookUpThreads userLookUps() {
        return userLookUps;
    }

    /** The current numbers of look-ups. */
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

    /** Runs user code that may wait: dialers. */
    public ExecutorService callbacks() {
        return callbacks;
    }

    /** Completes futures, whose dependents are user code. */
    public ExecutorService completions() {
        return completions;
    }

    /** Runs the tasks of TLS engines, which may call a user's trust manager. */
    public ExecutorService tls() {
        return tls;
    }

    /**
     * Runs blocking closes and cancels user code. It is separate, since the work that frees other threads must not wait for one
     * of them.
     */
    public ExecutorService closers() {
        return closers;
    }

    /** Reads and writes for connections that can only block; admission control bounds the number of threads. */
    public ExecutorService streams() {
        return streams;
    }

    /**
     * Completes a future whose dependents are user code, reliably: if no executor accepts the completion because the engine is
     * closing, it runs on this thread. If only a user's executor rejects it because it is full, the closers run it, since an
     * event loop must not.
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
     * Stops all threads and waits for them, even if the caller is interrupted; its interrupt status is preserved. Look-ups are
     * interrupted immediately, user code after half of the time. Streams are interrupted after a moment, since an earlier
     * interrupt would close the channels of a relay that is being reset, which would look like an orderly end. Pending futures
     * are completed, if need be on the calling thread. Users' executors keep running, but without tasks of this engine.
     *
     * @return false if a thread was still running when the time was up
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
            executor.shutdown(); // last, since the other executors still use these while they stop
            if (!untilInterrupt.await(ended(executor))) {
                executor.shutdownNow().forEach(Runnable::run); // a caller may be waiting for it
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

    // ------------------------------------------------------------------ creation

    private ExecutorService executor(Kind kind, Settings settings) {
        Executor userExecutor = settings.executors.get(kind);
        if (userExecutor != null) {
            return new UserExecutor(userExecutor, threads);
        }
        Integer set = settings.threads.get(kind);
        int count = set == null ? kind.threads : set;
        return switch (kind) {
            case RESOLVER -> platform(kind, Integer.MAX_VALUE); // LookUpThreads bound the look-ups
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

    /** An executor without a queue, which rejects tasks when all threads are busy. */
    private static ExecutorService threadForEach(ThreadFactory threads, long keepAliveSeconds, int max) {
        return new ThreadPoolExecutor(0, max, keepAliveSeconds, TimeUnit.SECONDS, new SynchronousQueue<>(), threads);
    }
}
