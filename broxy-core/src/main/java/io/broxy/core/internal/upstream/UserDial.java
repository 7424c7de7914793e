package io.broxy.core.internal.upstream;

import io.broxy.Connection;
import io.broxy.DialException;
import io.broxy.DialRequest;
import io.broxy.Dialer;
import io.broxy.core.internal.bridge.HandOff;
import io.broxy.core.internal.loop.EventLoop;
import io.broxy.core.internal.loop.Workers;
import io.broxy.core.internal.net.Completion;
import io.broxy.core.internal.net.DialHandle;
import io.broxy.core.internal.net.LoopConnection;
import io.broxy.core.internal.time.Durations;
import io.broxy.core.internal.time.TimerQueue;
import java.io.IOException;
import java.time.Duration;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.RejectedExecutionException;
import org.jspecify.annotations.Nullable;

/**
 * One dial of a {@link UserDialerAdapter}.
 *
 * <p>Threading: owned by its event loop, but for what the executor runs.
 */
final class UserDial implements DialHandle {
    private final EventLoop loop;
    private final DialRequest request;
    private final Completion<LoopConnection> completion;
    private final Workers workers;
    private final long startNanos;
    private final TimerQueue.@Nullable Timer deadline;
    /** Completed from outside, it ends the dialer's own. */
    private final CompletableFuture<Connection> future = new CompletableFuture<>();

    private boolean over;

    private UserDial(EventLoop loop, DialRequest request, Completion<LoopConnection> completion, Workers workers) {
        this.loop = loop;
        this.request = request;
        this.completion = completion;
        this.workers = workers;
        this.startNanos = loop.nowNanos();
        Duration timeout = request.timeout();
        this.deadline = timeout == null
                ? null
                : loop.timers()
                        .schedule(startNanos + Durations.positiveNanos(timeout, "a dial's timeout"), this::timedOut);
    }

    static UserDial start(
            EventLoop loop,
            Dialer dialer,
            DialRequest request,
            Completion<LoopConnection> completion,
            Workers workers) {
        UserDial dial = new UserDial(loop, request, completion, workers);
        try {
            workers.callbacks().execute(() -> dial.run(dialer));
        } catch (RejectedExecutionException | OutOfMemoryError e) { // "unable to create native thread"
            dial.end();
            completion.failed(loop.isStopping() ? dial.cancelled(e) : dial.failure(DialException.Reason.LOCAL, e));
        }
        return dial;
    }

    // ------------------------------------------------------------------ on the callback executor

    private void run(Dialer dialer) {
        if (future.isDone()) {
            return; // it was ended before it began
        }
        CompletableFuture<Connection> own;
        try {
            own = Objects.requireNonNull(dialer.dialAsync(request, workers.callbacks()), "the dialer gave no future");
        } catch (Throwable e) {
            onLoop(() -> failed(e), null);
            return;
        }
        own.whenComplete((connection, failure) -> {
            if (failure == null) {
                connected(connection);
            } else {
                onLoop(() -> failed(failure), null);
            }
        });
        future.whenComplete((connection, failure) -> own.cancel(true));
    }

    private void connected(@Nullable Connection dialed) {
        HandOff taken;
        try {
            taken = UserDialerAdapter.take(dialed, workers);
        } catch (IOException | RuntimeException e) {
            onLoop(() -> failed(e), null);
            return;
        }
        onLoop(() -> connectedInLoop(taken.onLoop(loop)), dialed);
    }

    private void onLoop(Runnable task, @Nullable Connection opened) {
        try {
            loop.execute(task);
        } catch (RejectedExecutionException e) {
            if (opened != null) {
                UserDialerAdapter.abortTaken(opened);
            }
        }
    }

    // ------------------------------------------------------------------ on the loop

    private void connectedInLoop(LoopConnection connection) {
        if (over) {
            connection.close();
        } else {
            end();
            completion.done(connection);
        }
    }

    private void failed(Throwable failure) {
        if (over) {
            return;
        }
        end();
        Throwable cause =
                failure instanceof CompletionException && failure.getCause() != null ? failure.getCause() : failure;
        if (cause instanceof DialException why) {
            completion.failed(why);
        } else {
            completion.broken(failure(DialException.Reason.LOCAL, cause));
        }
    }

    private void timedOut() {
        if (!over) {
            cancel();
            completion.failed(
                    loop.isStopping() ? cancelled(null) : UserDialerAdapter.timedOut(request.target(), duration()));
        }
    }

    private DialException cancelled(@Nullable Throwable cause) {
        return failure(DialException.Reason.CANCELLED, cause);
    }

    private DialException failure(DialException.Reason reason, @Nullable Throwable cause) {
        return DialException.builder(reason, request.target())
                .duration(duration())
                .cause(cause)
                .build();
    }

    private Duration duration() {
        return Duration.ofNanos(loop.nowNanos() - startNanos);
    }

    private void end() {
        over = true;
        if (deadline != null) {
            loop.timers().cancel(deadline);
        }
    }

    @Override
    public void cancel() {
        if (!over) {
            end();
            try {
                workers.closers().execute(() -> future.cancel(false)); // the dialer's own code may hang on it
            } catch (RejectedExecutionException e) {
                // The engine ends, which has interrupted the dialer.
            }
        }
    }
}
