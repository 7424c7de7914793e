package io.broxy.core;

import io.broxy.core.internal.loop.Workers;
import java.util.Objects;
import java.util.concurrent.Executor;

/** Collects the settings of an engine: {@link Broxy#builder}. Threading: for one thread. */
public final class BroxyBuilder {
    private int eventLoops = Runtime.getRuntime().availableProcessors();
    private TransportMode transport = TransportMode.NIO;
    private final Workers.Settings workers = new Workers.Settings();

    BroxyBuilder() {}

    /**
     * The number of event loops; default one for each processor. With {@linkplain TransportMode#AUTO sockets of the engine's own}
     * these have as many loops beside those of NIO channels.
     *
     * @throws IllegalArgumentException if it is less than 1
     */
    public BroxyBuilder eventLoops(int count) {
        if (count < 1) {
            throw new IllegalArgumentException("there must be at least 1 event loop, not " + count);
        }
        eventLoops = count;
        return this;
    }

    /** Which sockets the engine uses; default {@link TransportMode#NIO}. */
    public BroxyBuilder transport(TransportMode mode) {
        transport = Objects.requireNonNull(mode, "mode");
        return this;
    }

    /**
     * The number of platform threads for one kind of task, or for lookups the number that run at once; {@link
     * EngineTask} has the defaults, and says what happens when all are busy. It replaces an executor that was set
     * for this kind.
     *
     * @throws IllegalArgumentException if it is less than 1
     */
    public BroxyBuilder threads(EngineTask task, int count) {
        if (count < 1) {
            throw new IllegalArgumentException("there must be at least 1 thread, not " + count);
        }
        workers.threads(task.kind(), count);
        return this;
    }

    /**
     * Runs one kind of task on an executor of the embedder's; {@link EngineTask} says what it must do. The limit on
     * concurrent lookups still applies before the executor, as {@link #threads} sets it. For other kinds, the
     * executor replaces a number of threads that was set.
     *
     * @param executor thread-safe; engines and kinds of tasks may share it if it has enough threads
     */
    public BroxyBuilder executor(EngineTask task, Executor executor) {
        workers.executor(task.kind(), Objects.requireNonNull(executor, "executor"));
        return this;
    }

    int eventLoops() {
        return eventLoops;
    }

    TransportMode transport() {
        return transport;
    }

    Workers.Settings workers() {
        return workers;
    }

    /** Starts the engine. */
    public Broxy build() {
        return new Broxy(this);
    }
}
