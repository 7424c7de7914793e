package io.broxy.core.internal.relay;

import io.broxy.CloseReason;
import io.broxy.HostPort;
import io.broxy.Tunnel;
import io.broxy.TunnelResult;
import io.broxy.core.internal.time.Ticker;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executor;
import org.jspecify.annotations.Nullable;

/**
 * The user's handle of a tunnel, or of a client's connection that may become one, with its stage, future and result. The future
 * is created only on request, since most users never look at a client again after handing it over.
 *
 * <p>Threading: thread-safe; the lock guards {@code stage}, {@code endRequest}, {@code future}, {@code ended}, {@code result}
 * and the taken counts.
 */
public final class TunnelHandle implements Tunnel {

    /** Accumulates byte counts. */
    @FunctionalInterface
    public interface ByteCounter {
        /** Adds bytes that were relayed since the last call. */
        void add(long toOrigin, long toClient);
    }

    /** Is notified of the end, once, before the future completes. */
    @FunctionalInterface
    public interface EndListener {
        /** Called when the tunnel has ended and its connections are closed. */
        void ended(TunnelHandle tunnel, TunnelResult result);
    }

    private final Ticker ticker;
    private final long startNanos;
    private final Executor completions;
    private final EndListener endListener;

    private @Nullable HostPort target;
    private @Nullable String identity;
    /** Written before the relaying stage is published, and so visible with it. */
    private long toOriginBefore;

    private long toClientBefore;

    private final Object lock = new Object();
    private long takenToOrigin;
    private long takenToClient;
    private @Nullable Stage stage;
    private @Nullable CloseReason endRequest;
    private @Nullable CompletableFuture<TunnelResult> future;
    private boolean ended;
    private volatile @Nullable TunnelResult result;

    /**
     * Creates the handle of a tunnel that starts now.
     *
     * @param completions completes the future and runs its dependents; it must not reject tasks
     */
    public TunnelHandle(Ticker ticker, Executor completions, EndListener endListener) {
        this.ticker = ticker;
        this.startNanos = ticker.nanos();
        this.completions = completions;
        this.endListener = endListener;
    }

    /** Sets the target and the client's identity for the result; called by the tunnel's current owner, before its end. */
    public void describe(HostPort target, @Nullable String identity) {
        this.target = target;
        this.identity = identity;
    }

    /** The target; null until it is known. */
    public @Nullable HostPort target() {
        return target;
    }

    /** The client's identity, or null. */
    public @Nullable String identity() {
        return identity;
    }

    /** Counts the bytes of the exchange that became this tunnel; called by the tunnel's current owner. */
    public void passedBefore(long bytesToOrigin, long bytesToClient) {
        toOriginBefore = bytesToOrigin;
        toClientBefore = bytesToClient;
    }

    /** When the client was handed over. */
    public long startNanos() {
        return startNanos;
    }

    /** Moves the tunnel to its next stage, which ends it immediately if an end was already requested. */
    public void stage(Stage next) {
        CloseReason asked;
        synchronized (lock) {
            stage = next;
            asked = endRequest;
        }
        if (asked != null) {
            next.end(asked);
        }
    }

    /** Requests the current stage to end the tunnel. Only the first reason counts. */
    public void end(CloseReason reason) {
        Stage current;
        synchronized (lock) {
            if (endRequest != null || result != null) {
                return;
            }
            endRequest = reason;
            current = stage;
        }
        if (current != null) {
            current.end(reason);
        }
    }

    /** Ends a stage that only waits for a further request. */
    public void drain() {
        Stage current = currentStage();
        if (current != null) {
            current.drain();
        }
    }

    /** Records the end; called by the tunnel's last stage, once, after both connections are closed. */
    public void ended(CloseReason reason, @Nullable Throwable cause, long bytesToOrigin, long bytesToClient) {
        TunnelResult end = new TunnelResult(
                target,
                identity,
                toOriginBefore + bytesToOrigin,
                toClientBefore + bytesToClient,
                Duration.ofNanos(ticker.nanos() - startNanos),
                reason,
                cause);
        synchronized (lock) {
            if (ended) {
                throw new IllegalStateException("the tunnel has already ended");
            }
            ended = true;
        }
        endListener.ended(this, end);
        CompletableFuture<TunnelResult> waiting;
        synchronized (lock) {
            result = end; // after the listener, so that its accounting is complete when the result becomes visible
            stage = null;
            waiting = future;
        }
        if (waiting != null) {
            completions.execute(() -> waiting.complete(end));
        }
    }

    @Override
    public CompletableFuture<TunnelResult> completion() {
        return future().copy();
    }

    private CompletableFuture<TunnelResult> future() {
        synchronized (lock) {
            if (future == null) {
                future = result != null ? CompletableFuture.completedFuture(result) : new CompletableFuture<>();
            }
            return future;
        }
    }

    @Override
    public TunnelResult join() throws InterruptedException {
        try {
            return future().get();
        } catch (ExecutionException e) {
            throw new IllegalStateException("a tunnel's future never fails", e);
        }
    }

    @Override
    public long bytesToOrigin() {
        Stage current = currentStage();
        return passedToOrigin(
                result, current); // read after the stage: if there is no stage any more, there is a result
    }

    @Override
    public long bytesToClient() {
        Stage current = currentStage();
        return passedToClient(result, current);
    }

    /** Passes the bytes since the last call to a counter; each byte is counted once, even with concurrent calls. */
    public void takePassed(ByteCounter counter) {
        takePassed(result, counter);
    }

    /**
     * As {@link #takePassed(ByteCounter)}, with the final result.
     *
     * @param end the result of the tunnel; null while it runs
     */
    public void takePassed(@Nullable TunnelResult end, ByteCounter counter) {
        long toOrigin;
        long toClient;
        synchronized (lock) {
            if (end == null && stage == null) {
                return;
            }
            toOrigin = Math.max(0, passedToOrigin(end, stage) - takenToOrigin);
            toClient = Math.max(0, passedToClient(end, stage) - takenToClient);
            takenToOrigin += toOrigin;
            takenToClient += toClient;
        }
        counter.add(toOrigin, toClient);
    }

    private long passedToOrigin(@Nullable TunnelResult end, @Nullable Stage current) {
        return end != null ? end.bytesToOrigin() : current != null ? toOriginBefore + current.bytesToOrigin() : 0;
    }

    private long passedToClient(@Nullable TunnelResult end, @Nullable Stage current) {
        return end != null ? end.bytesToClient() : current != null ? toClientBefore + current.bytesToClient() : 0;
    }

    private @Nullable Stage currentStage() {
        synchronized (lock) {
            return stage;
        }
    }

    @Override
    public void close() {
        end(CloseReason.CLOSED);
    }
}
