package io.broxy.core.internal.dial;

import io.broxy.Connection;
import io.broxy.DialException;
import io.broxy.HostPort;
import io.broxy.core.internal.loop.EventLoop;
import io.broxy.core.internal.loop.WaitedFuture;
import io.broxy.core.internal.net.Completion;
import io.broxy.core.internal.net.DialHandle;
import io.broxy.core.internal.net.LoopConnection;
import java.io.IOException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import java.util.function.BiFunction;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A dial on a loop whose connection goes to a user through a future. Ending the future from outside ends the dial; a
 * connection that comes too late is closed.
 *
 * <p>Threading: the future is for any thread, the rest is owned by the event loop.
 */
final class FutureDial implements Completion<LoopConnection> {
    private static final Logger log = LoggerFactory.getLogger(FutureDial.class);

    private final CompletableFuture<Connection> future = new WaitedFuture<>();
    private final HostPort target;
    private final Executor completer;
    private @Nullable DialHandle dialing;

    private FutureDial(HostPort target, Executor completer) {
        this.target = target;
        this.completer = completer;
    }

    /**
     * Begins a dial on one of the engine's loops.
     *
     * @param completer completes the future, so that its dependents stay off the loop; it rejects nothing
     * @param begin begins the dial on the loop
     */
    static CompletableFuture<Connection> start(
            DialEngine engine,
            HostPort target,
            Executor completer,
            BiFunction<EventLoop, Completion<LoopConnection>, DialHandle> begin) {
        EventLoop loop = engine.loops().next();
        FutureDial dial = new FutureDial(target, completer);
        try {
            loop.execute(() -> {
                if (!dial.future.isDone()) {
                    dial.dialing = begin.apply(loop, dial);
                }
            });
        } catch (RejectedExecutionException e) {
            dial.future.completeExceptionally(dial.failure(DialException.Reason.CANCELLED, e));
            return dial.future;
        }
        dial.future.whenComplete((connection, failure) -> dial.ended(loop));
        return dial.future;
    }

    /**
     * Waits for the connection of a dial that has begun. An interrupt ends the dial, and a connection that was opened
     * meanwhile is reset.
     *
     * @param failure makes the exception of a failure that is none yet
     * @throws DialException as the dial says; or {@link DialException.Reason#CANCELLED} if the waiting thread is interrupted,
     *     its interrupt status set
     */
    static Connection await(
            CompletableFuture<Connection> future, BiFunction<DialException.Reason, Throwable, DialException> failure)
            throws DialException {
        try {
            return future.get();
        } catch (ExecutionException e) {
            if (e.getCause() instanceof DialException why) {
                throw why;
            }
            throw failure.apply(DialException.Reason.CANCELLED, e.getCause() != null ? e.getCause() : e);
        } catch (InterruptedException e) {
            if (!future.cancel(false)) {
                future.thenAccept(Connection::abort);
            }
            Thread.currentThread().interrupt();
            throw failure.apply(DialException.Reason.CANCELLED, e);
        }
    }

    private DialException failure(DialException.Reason reason, Throwable cause) {
        return DialException.builder(reason, target).cause(cause).build();
    }

    private void ended(EventLoop loop) {
        // The end of a loop has ended its dials.
        loop.tryExecute(() -> {
            if (dialing != null) {
                dialing.cancel(); // changes nothing when the dial itself has ended the future
            }
        });
    }

    @Override
    public void done(LoopConnection connection) {
        connection.release(
                ready -> completer.execute(() -> succeed(ready)),
                failure -> failed(failure(DialException.Reason.LOCAL, failure)));
    }

    /** What the user's dialer has thrown is what the user gets. */
    @Override
    public void broken(DialException failure) {
        Throwable cause = failure.getCause();
        completer.execute(() -> future.completeExceptionally(cause == null ? failure : cause));
    }

    private void succeed(Connection connection) {
        if (!future.complete(connection)) {
            try {
                connection.close();
            } catch (IOException e) {
                log.debug("closing a connection that came too late failed", e);
            }
        }
    }

    @Override
    public void failed(DialException failure) {
        completer.execute(() -> future.completeExceptionally(failure));
    }
}
