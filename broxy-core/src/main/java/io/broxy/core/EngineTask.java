package io.broxy.core;

import io.broxy.core.internal.loop.Workers;

/**
 * What an engine does off its event loops, each on an executor of its own, so that none can starve another. See {@link
 * Broxy.Builder#threads} and {@link Broxy.Builder#executor}.
 *
 * <p>Threading: immutable.
 */
public enum EngineTask {
    /**
     * Name look-ups. Default: up to 64 platform threads at once for {@link io.broxy.Resolver#system()}, and for other
     * resolvers up to 128 virtual threads where the JVM has them, else the same 64. Look-ups that nothing waits for any more
     * and that mind no interrupt are not counted; there may be twice as many of them, or 64 on virtual threads. Beyond
     * that, look-ups wait, and clients take turns (see {@link io.broxy.DirectDialer.Builder#resolver}).
     */
    LOOK_UP(Workers.Kind.RESOLVER),

    /**
     * Code of the embedder that is asked for something or told of something: dialers, authenticators, credentials that are
     * asked for, handlers of own requests, listeners, the access log. Default: a virtual thread each where the JVM has
     * them, else 64 threads.
     */
    CALLBACK(Workers.Kind.CALLBACK),

    /** Dependents of futures that the engine completes. Default: as {@link #CALLBACK}. */
    COMPLETION(Workers.Kind.COMPLETION),

    /** Tasks of TLS handshakes, such as the check of a certificate. Default: as {@link #CALLBACK}. */
    TLS(Workers.Kind.TLS),

    /**
     * Reading and writing of connections without a channel, two threads each, for as long as they live. Default: as many
     * platform threads as it takes; {@code ProxyHandler.Builder.maxStreamClients} bounds them for clients. A connection for
     * which there is none fails.
     */
    STREAM(Workers.Kind.STREAM),

    /** Closing of connections that may block at that, and cancelling of dials. Default: as {@link #CALLBACK}, but 4 threads. */
    CLOSE(Workers.Kind.CLOSER);

    private final Workers.Kind kind;

    EngineTask(Workers.Kind kind) {
        this.kind = kind;
    }

    Workers.Kind kind() {
        return kind;
    }
}
