package io.broxy.core.internal.tls;

import io.broxy.core.internal.loop.EventLoop;
import java.io.IOException;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import java.util.function.Consumer;
import javax.net.ssl.SSLException;
import org.jspecify.annotations.Nullable;

/** Runs a TLS engine's tasks off its loop. Threading: started on the loop, which also runs the callback. */
final class TlsTasks {
    private TlsTasks() {}

    /**
     * Starts the tasks. If the loop stops meanwhile, {@code done} is not called: the stopping loop abandons its handlers.
     *
     * @param done called at the end, on the loop, with the failure or null
     * @throws IOException if the executor rejects the tasks
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
            throw new IOException("the executor of TLS tasks is closed", e);
        }
    }

    private static @Nullable SSLException run(TlsEngine engine) {
        try {
            engine.runTasks();
            return null;
        } catch (Throwable e) { // possibly of a user's trust manager; the loop must be notified
            return new SSLException("a TLS task failed", e);
        }
    }
}
