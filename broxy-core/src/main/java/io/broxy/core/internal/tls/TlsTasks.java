package io.broxy.core.internal.tls;

import io.broxy.core.internal.loop.EventLoop;
import java.io.IOException;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import java.util.function.Consumer;
import javax.net.ssl.SSLException;
import org.jspecify.annotations.Nullable;

/** Runs a TLS engine's tasks away from its loop. Threading: begun and ended on the loop. */
final class TlsTasks {
    private TlsTasks() {}

    /**
     * Begins to run them. If the loop stops meanwhile, {@code done} is not called: the stopping loop abandons its handlers.
     *
     * @param done called at the end, on the loop, with the failure or null
     * @throws IOException if the executor takes no task any more
     */
    static void start(TlsEngine engine, Executor executor, EventLoop loop, Consumer<@Nullable SSLException> done)
            throws IOException {
        try {
            executor.execute(() -> {
                SSLException failure = run(engine);
                try {
                    loop.execute(() -> done.accept(failure));
                } catch (RejectedExecutionException e) {
                    // The loop has stopped.
                }
            });
        } catch (RejectedExecutionException e) {
            throw new IOException("nothing runs TLS tasks any more", e);
        }
    }

    private static @Nullable SSLException run(TlsEngine engine) {
        try {
            engine.runTasks();
            return null;
        } catch (Throwable e) { // of a trust manager that a user wrote: it must not leave the loop waiting
            return new SSLException("a task of TLS failed", e);
        }
    }
}
