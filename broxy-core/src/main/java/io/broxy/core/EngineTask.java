package io.broxy.core;

import io.broxy.core.internal.loop.Workers;

/**
 * The kinds of work that an engine does off its event loops, each on an executor of its own, so that none can starve
 * another.
 *
 * <p>With a number of {@linkplain BroxyBuilder#threads threads}, except for lookups and streams, further tasks wait, but
 * never for tasks that wait for them: if tasks are queued and none has started for a moment, threads are added, up to
 * 1,024 or 16 times the number, and new tasks fail if even those make no progress. Threads start when needed and end
 * when idle.
 *
 * <p>An {@linkplain BroxyBuilder#executor executor} of the embedder's outlives the engine: {@link Broxy#close} waits for
 * the engine's tasks there, and interrupts them, but does not shut the executor down. It must run each task on a thread
 * other than the caller's, or reject it; an exception that it throws counts as a rejection. A rejected task fails (a
 * lookup with {@link io.broxy.DialException.Reason#RESOLVE}, a user-written dialer with {@code LOCAL}, an
 * authenticator's client with 503, and so on), an event for a listener is dropped and counted, and the engine itself
 * completes a future. Nothing is left hanging. With few threads and a queue, an executor can still delay tasks that
 * others wait for, such as a dialer that dials with another dialer.
 *
 * <p>Threading: immutable.
 */
public enum EngineTask {
    /**
     * Name lookups. Default: for {@link io.broxy.Resolver#system()} up to 64 at once, on platform threads; for other
     * resolvers up to 128 at once, on virtual threads where the JVM has them, or else the same 64. Lookups that ignore
     * interrupts and that nothing waits for anymore are not counted; there may be twice as many of them, or 64 on
     * virtual threads. Past these limits lookups wait, and clients take turns (see {@link
     * io.broxy.DirectDialer.Builder#resolver}).
     */
    LOOK_UP(Workers.Kind.RESOLVER),

    /**
     * Code of the embedder: dialers, authenticators, authorizations, local request handlers, request filters that may
     * block, listeners, and the access log. Default: a virtual thread for each task where the JVM has them, or else 64 threads.
     */
    CALLBACK(Workers.Kind.CALLBACK),

    /** Dependents of futures that the engine completes. Default: as {@link #CALLBACK}. */
    COMPLETION(Workers.Kind.COMPLETION),

    /**
     * Tasks of TLS handshakes, such as the check of a certificate. Default: as {@link #CALLBACK}, but as many threads as
     * the JVM has processors, and at least 2.
     */
    TLS(Workers.Kind.TLS),

    /**
     * Reading and writing of connections without a channel, two threads each for as long as the connections live.
     * Default: as many platform threads as needed; {@code ProxyHandler.Builder.maxStreamClients} bounds them for
     * clients. A connection that gets no thread fails.
     */
    STREAM(Workers.Kind.STREAM),

    /**
     * Closing of connections that may block while closing, and canceling of dials. Default: as {@link #CALLBACK}, but 4
     * threads.
     */
    CLOSE(Workers.Kind.CLOSER);

    private final Workers.Kind kind;

    EngineTask(Workers.Kind kind) {
        this.kind = kind;
    }

    Workers.Kind kind() {
        return kind;
    }
}
