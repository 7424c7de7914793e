package io.broxy.core;

import io.broxy.core.internal.loop.Workers;

/**
 * The kinds of work that an engine does off its event loops, each on an executor of its own, so that none can starve
 * another. See {@link Broxy.Builder#threads} and {@link Broxy.Builder#executor}.
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
     * Code of the embedder: dialers, authenticators, authorizations, local request handlers, listeners, and the access
     * log. Default: a virtual thread for each task where the JVM has them, or else 64 threads.
     */
    CALLBACK(Workers.Kind.CALLBACK),

    /** Dependents of futures that the engine completes. Default: as {@link #CALLBACK}. */
    COMPLETION(Workers.Kind.COMPLETION),

    /** Tasks of TLS handshakes, such as the check of a certificate. Default: as {@link #CALLBACK}. */
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
