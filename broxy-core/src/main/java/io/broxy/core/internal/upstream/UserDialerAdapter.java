package io.broxy.core.internal.upstream;

import io.broxy.Connection;
import io.broxy.DialException;
import io.broxy.DialException.Reason;
import io.broxy.DialRequest;
import io.broxy.Dialer;
import io.broxy.core.internal.bridge.HandOff;
import io.broxy.core.internal.loop.EventLoop;
import io.broxy.core.internal.loop.Workers;
import io.broxy.core.internal.net.Completion;
import io.broxy.core.internal.net.DialHandle;
import io.broxy.core.internal.net.LoopConnection;
import io.broxy.core.internal.net.Transferable;
import io.broxy.core.internal.time.Durations;
import io.broxy.core.internal.time.TimerQueue;
import java.io.IOException;
import java.net.InetAddress;
import java.net.SocketTimeoutException;
import java.time.Duration;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.RejectedExecutionException;
import org.jspecify.annotations.Nullable;

/**
 * Makes any dialer one for event loops. It may block and it may throw, so it runs on the callback executor; its time is
 * watched on the loop, and its connection is brought there.
 *
 * <p>Threading: thread-safe.
 */
public final class UserDialerAdapter implements LoopDialer {

    private final Dialer dialer;
    private final Workers workers;

    private UserDialerAdapter(Dialer dialer, Workers workers) {
        this.dialer = dialer;
        this.workers = workers;
    }

    /**
     * The dialer itself if it is one for event loops; otherwise one that runs it on an executor.
     */
    public static LoopDialer of(Dialer dialer, Workers workers) {
        return dialer instanceof LoopDialer own ? own : new UserDialerAdapter(dialer, workers);
    }

    /**
     * {@inheritDoc}
     *
     * @param request if it names no timeout, the dialer's own is all there is
     */
    @Override
    public DialHandle dial(
            EventLoop loop, DialRequest request, @Nullable InetAddress client, Completion<LoopConnection> completion) {
        assert loop.inLoop();
        return new UserDial(loop, request, completion).begin();
    }

    /**
     * Takes the connection that a dialer returned. The dialer may keep a reference, but can no longer use a connection that
     * Broxy has made.
     *
     * @throws IOException if it is closed; it is reset then
     * @throws IllegalStateException if it was given away before
     * @throws NullPointerException if it is null, against the contract
     */
    private HandOff take(@Nullable Connection dialed) throws IOException {
        Connection connection = Objects.requireNonNull(dialed, "the dialer gave no connection");
        if (connection instanceof Transferable own) {
            own.detach();
        }
        try {
            return HandOff.of(connection, workers);
        } catch (IOException e) {
            abortTaken(connection);
            throw e;
        }
    }

    /** Resets what was taken. */
    private static void abortTaken(Connection connection) {
        HandOff.abort(connection instanceof Transferable own ? own.detached() : connection);
    }

    /**
     * One dial.
     *
     * <p>Threading: owned by its event loop, but for what the executor runs.
     */
    private final class UserDial implements DialHandle {
        private final EventLoop loop;
        private final DialRequest request;
        private final Completion<LoopConnection> completion;
        private final long startNanos;
        private final TimerQueue.@Nullable Timer deadline;
        /** Completed from outside, it ends the dialer's own. */
        private final CompletableFuture<Connection> future = new CompletableFuture<>();

        private boolean over;

        UserDial(EventLoop loop, DialRequest request, Completion<LoopConnection> completion) {
            this.loop = loop;
            this.request = request;
            this.completion = completion;
            this.startNanos = loop.nowNanos();
            Duration timeout = request.timeout();
            this.deadline = timeout == null
                    ? null
                    : loop.timers()
                            .schedule(
                                    startNanos + Durations.positiveNanos(timeout, "a dial's timeout"), this::timedOut);
        }

        DialHandle begin() {
            try {
                workers.callbacks().execute(this::run);
            } catch (RejectedExecutionException | OutOfMemoryError e) { // "unable to create native thread"
                end();
                completion.failed(failure(loop.isStopping() ? Reason.CANCELLED : Reason.LOCAL, e));
            }
            return this;
        }

        // ------------------------------------------------------------------ on the callback executor

        private void run() {
            if (future.isDone()) {
                return; // it was ended before it began
            }
            CompletableFuture<Connection> own;
            try {
                own = Objects.requireNonNull(
                        dialer.dialAsync(request, workers.callbacks()), "the dialer gave no future");
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
                taken = take(dialed);
            } catch (IOException | RuntimeException e) {
                onLoop(() -> failed(e), null);
                return;
            }
            onLoop(() -> connectedInLoop(taken.onLoop(loop)), dialed);
        }

        private void onLoop(Runnable task, @Nullable Connection opened) {
            if (!loop.tryExecute(task) && opened != null) {
                abortTaken(opened);
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
                completion.broken(failure(Reason.LOCAL, cause));
            }
        }

        private void timedOut() {
            if (!over) {
                cancel();
                completion.failed(
                        loop.isStopping()
                                ? failure(Reason.CANCELLED, null)
                                : failure(
                                        Reason.TIMEOUT,
                                        new SocketTimeoutException("the dialer did not end in its time")));
            }
        }

        private DialException failure(Reason reason, @Nullable Throwable cause) {
            return DialException.builder(reason, request.target())
                    .duration(Duration.ofNanos(loop.nowNanos() - startNanos))
                    .cause(cause)
                    .build();
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
}
