package io.broxy.core.internal.relay;

import io.broxy.CloseReason;
import io.broxy.HostPort;
import io.broxy.Tunnel;
import io.broxy.TunnelResult;
import io.broxy.core.internal.loop.EventLoop;
import io.broxy.core.internal.loop.Throttles;
import io.broxy.core.internal.observe.ConnectionRecorder;
import io.broxy.core.internal.time.Ticker;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import org.jspecify.annotations.Nullable;

/**
 * What the user holds of a tunnel, and what all its stages share. A future is made only when one is asked for: most
 * tunnels are handed over and never looked at again.
 *
 * <p>Threading: thread-safe; the lock guards {@code stage}, {@code endRequest}, {@code future}, {@code ended}, {@code result} and
 * what has been taken.
 */
public final class TunnelHandle implements Tunnel {

    /** How far a tunnel has come. */
    public enum Phase {
        /** The client was handed over. */
        REQUESTED,
        /** The request was let in and its target is being dialled. */
        ADMITTED,
        /** Both connections stand. */
        ESTABLISHED
    }

    /** Adds bytes up. */
    @FunctionalInterface
    public interface ByteCounter {
        /** So many more have been passed. */
        void add(long toOrigin, long toClient);
    }

    /** Told about a tunnel's end, once, before anyone who waits for it. */
    @FunctionalInterface
    public interface EndListener {
        /** The tunnel has ended, its connections are closed. */
        void ended(TunnelHandle tunnel, TunnelResult result);
    }

    private final Ticker ticker;
    private final long startNanos;
    private final Executor callbacks;
    private final EndListener endListener;

    private @Nullable HostPort target;
    private @Nullable String identity;
    private volatile Phase phase = Phase.REQUESTED;
    private volatile long exchanges;
    private volatile boolean endsWithExchange;
    private volatile ConnectionRecorder visit = ConnectionRecorder.NONE;
    private @Nullable EventLoop loop;
    private @Nullable Throttles throttles;
    /** Written before the stage that relays, and so seen with it. */
    private long toOriginBefore;

    private long toClientBefore;
    private @Nullable Runnable atEnd;

    private @Nullable InetSocketAddress client;
    private long openedAtMillis;

    private final Object lock = new Object();
    private long takenToOrigin;
    private long takenToClient;
    private @Nullable Stage stage;
    private @Nullable CloseReason endRequest;
    private @Nullable CompletableFuture<TunnelResult> future;
    private boolean ended;
    private volatile @Nullable TunnelResult result;

    /**
     * Creates the handle of a tunnel that begins now.
     *
     * @param callbacks runs dependents of the future
     */
    public TunnelHandle(Ticker ticker, Executor callbacks, EndListener endListener) {
        this.ticker = ticker;
        this.startNanos = ticker.nanos();
        this.callbacks = callbacks;
        this.endListener = endListener;
    }

    /** Names the target and the client for the result; by the tunnel's current owner, before its end. */
    public void describe(HostPort target, @Nullable String identity) {
        this.target = target;
        this.identity = identity;
    }

    /** The target, where it is known; with the {@link #phase} for any thread. */
    public @Nullable HostPort target() {
        return target;
    }

    /** The client's identity, where there is one; with the {@link #phase} for any thread. */
    public @Nullable String identity() {
        return identity;
    }

    /** Notes when the client was handed over, by the clock on the wall; before it is served. */
    public void openedAt(long millis) {
        openedAtMillis = millis;
    }

    /** When the client was handed over, by the clock on the wall; with the {@link #phase} for any thread. */
    public long openedAtMillis() {
        return openedAtMillis;
    }

    /** Notes the client's address, if it has one; by its current owner. */
    public void client(@Nullable SocketAddress address) {
        client = address instanceof InetSocketAddress internet ? internet : null;
    }

    /** The client's address; with the {@link #phase} for any thread. */
    public @Nullable InetSocketAddress client() {
        return client;
    }

    /** Notes how far it has come; by its current owner. */
    public void phase(Phase reached) {
        phase = reached;
    }

    /** How far it has come. */
    public Phase phase() {
        return phase;
    }

    /** Counts what an exchange has passed before it became this tunnel; by its current owner. */
    public void passedBefore(long bytesToOrigin, long bytesToClient) {
        toOriginBefore = bytesToOrigin;
        toClientBefore = bytesToClient;
    }

    /** An exchange of plain HTTP is over; by its current owner. */
    @SuppressWarnings("NonAtomicVolatileUpdate") // it has one owner at a time
    public void exchangeEnded() {
        exchanges++;
    }

    /** What the connection ends with has ended an exchange, and is counted as that alone; by its current owner. */
    public void endsWithExchange() {
        endsWithExchange = true;
    }

    /** Whether what it has ended with has been counted as the end of an exchange. */
    public boolean hasEndedWithExchange() {
        return endsWithExchange;
    }

    /** How many exchanges of plain HTTP are over. */
    public long exchanges() {
        return exchanges;
    }

    /** Lets it be followed from now on; before anyone serves it. */
    public void follow(ConnectionRecorder followed) {
        visit = followed;
    }

    /** What follows it, for its current owner to tell. */
    public ConnectionRecorder visit() {
        return visit;
    }

    /** Notes whose client it is; before anyone serves it. */
    public void servedBy(EventLoop itsLoop) {
        loop = itsLoop;
    }

    /** Whose client it is, or null if nobody's. */
    public @Nullable EventLoop loop() {
        return loop;
    }

    /** Limits the rate of whatever is relayed, or does not; by its current owner, before that. */
    public void throttles(@Nullable Throttles limits) {
        throttles = limits;
    }

    /** The limits of the rate, or null for none. */
    public @Nullable Throttles throttles() {
        return throttles;
    }

    /** Has a task run at its end, after those that were added before; by its current owner. */
    public void alsoAtEnd(Runnable task) {
        Runnable before = atEnd;
        atEnd = before == null
                ? task
                : () -> {
                    before.run();
                    task.run();
                };
    }

    /** When the client was handed over. */
    public long startNanos() {
        return startNanos;
    }

    /** Passes the tunnel to its next stage, which is told at once when the end was asked for before. */
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

    /** Asks the current stage to end the tunnel. Only the first reason asked for counts. */
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

    /** Lets a stage that waits for work know that there will be none. */
    public void drain() {
        Stage current = currentStage();
        if (current != null) {
            current.drain();
        }
    }

    /** Records the end; by the tunnel's last stage, once, when both connections are closed. */
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
                throw new IllegalStateException("the tunnel has ended before");
            }
            ended = true;
        }
        if (atEnd != null) {
            atEnd.run();
        }
        endListener.ended(this, end);
        CompletableFuture<TunnelResult> waiting;
        synchronized (lock) {
            result = end; // not before the listener, who comes before anyone who asks
            stage = null;
            waiting = future;
        }
        if (waiting != null) {
            completeOffLoop(waiting, end);
        }
    }

    private void completeOffLoop(CompletableFuture<TunnelResult> waiting, TunnelResult end) {
        try {
            callbacks.execute(() -> waiting.complete(end));
        } catch (RejectedExecutionException e) {
            waiting.complete(end); // the engine ends, and its loop threads with it
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
        return passedToOrigin(result, current); // after the stage: when there is none any more, there is a result
    }

    @Override
    public long bytesToClient() {
        Stage current = currentStage();
        return passedToClient(result, current);
    }

    /** Gives a counter what was passed since the last time: each byte once, by whichever thread comes first. */
    public void takePassed(ByteCounter counter) {
        takePassed(result, counter);
    }

    /**
     * As {@link #takePassed(ByteCounter)}, for the last time.
     *
     * @param end what the tunnel has ended with; null while it runs
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
