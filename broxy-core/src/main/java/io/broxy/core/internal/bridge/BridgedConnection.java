package io.broxy.core.internal.bridge;

import io.broxy.Connection;
import io.broxy.core.internal.loop.EventLoop;
import io.broxy.core.internal.loop.Workers;
import io.broxy.core.internal.net.DrivenConnection;
import io.broxy.core.internal.net.LoopLeftover;
import io.broxy.core.internal.net.StreamConnection;
import io.broxy.core.internal.net.UnreadConnection;
import io.broxy.core.internal.time.TimerQueue;
import java.io.IOException;
import java.net.SocketAddress;
import java.net.SocketTimeoutException;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.SelectionKey;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A blocking connection on a loop: threads of the stream executor read and write for it, at most two at a time, and none while
 * no read is wanted and all bytes are written. The limits on connections bound the number of threads.
 *
 * <p>A read starts once the handler wants {@link SelectionKey#OP_READ}, has returned to the loop, and has taken all bytes of
 * the previous read. Thus nothing is read ahead, and a connection can be released to a user between two messages.
 *
 * <pre>
 *   OPEN ──> CLOSING ──> closed       (written bytes are sent first)
 *    │          │  the peer stalls       ^
 *    └──────────┴────> RESET ────────────┘
 * </pre>
 *
 * <p>Threading: owned by its event loop.
 */
public final class BridgedConnection extends DrivenConnection {
    private static final Logger log = LoggerFactory.getLogger(BridgedConnection.class);

    /** How long a peer may accept none of the last bytes, equal to the default timeout of a half-closed tunnel. */
    private static final long CLOSE_TIMEOUT_NANOS = TimeUnit.SECONDS.toNanos(60);

    /** How long a release may wait for a read or write in progress. */
    private static final long RELEASE_TIMEOUT_NANOS = TimeUnit.SECONDS.toNanos(10);

    /**
     * The timer's delay while the connection is open, when it serves only to detect the end of the loop, which fires all
     * timers.
     */
    private static final long FAR_NANOS = TimeUnit.DAYS.toNanos(365);

    private final Connection connection;
    private final SocketAddress remote;
    private final BridgeThreads threads;
    private final BridgeInput input;
    private final BridgeOutput output;
    private final TimerQueue.Timer timer;
    private final AtomicBoolean signaled = new AtomicBoolean();

    private boolean readPlanned;
    private @Nullable Release release;
    private long writtenBefore;

    private record Release(Consumer<Connection> ready, Consumer<IOException> failed) {}

    /**
     * Takes over a blocking connection that has no other user.
     *
     * @param remote the peer's address, determined off the loop, since the connection may be third-party code
     */
    public BridgedConnection(EventLoop loop, Connection connection, SocketAddress remote, Workers workers) {
        super(loop, new LoopLeftover(loop));
        this.connection = connection;
        this.remote = remote;
        this.threads = new BridgeThreads(workers, this::signal, this::gone);
        this.output = new BridgeOutput(connection, threads);
        this.input = new BridgeInput(leftover, connection, output, threads);
        this.timer = loop.timers().schedule(loop.nowNanos() + FAR_NANOS, this::timerFired);
    }

    @Override
    public SocketAddress remoteAddress() {
        return remote;
    }

    @Override
    public @Nullable SocketAddress localAddress() {
        return connection instanceof StreamConnection stream ? stream.localAddress() : null;
    }

    @Override
    public boolean takesThreads() {
        return true;
    }

    @Override
    public long unsent() {
        return output.unsent();
    }

    @Override
    public @Nullable IOException lost() {
        return output.unsent() > 0 ? output.failure() : null;
    }

    // ------------------------------------------------------------------ readiness

    @Override
    public void interest(int ops) {
        assert loop.inLoop();
        if (ops != interest && isOpen()) {
            interest = ops;
            checkUnseen();
            planRead();
        }
    }

    @Override
    protected int unseenOps() {
        int ready = (input.isReady() ? SelectionKey.OP_READ : 0) | (output.hasRoom() ? SelectionKey.OP_WRITE : 0);
        return interest & ready;
    }

    /**
     * Makes the loop {@linkplain #threadsProgressed process} the threads' progress, with at most one queued task. Thread-safe.
     */
    private void signal() {
        if (signaled.compareAndSet(false, true)) {
            loop.tryExecute(this::threadsProgressed); // a stopped loop has reset its connections
        }
    }

    private void threadsProgressed() {
        signaled.set(false); // before reading any state
        if (release != null) {
            proceedWithRelease();
        } else if (isOpen()) {
            checkUnseenNow();
            planRead();
        }
    }

    private boolean mayRead() {
        return isOpen() && (interest & SelectionKey.OP_READ) != 0 && input.isIdle();
    }

    /** Starts a read in a later turn, since the handler may still change its interest or pass the connection on. */
    private void planRead() {
        if (!readPlanned && mayRead() && !loop.isStopping()) {
            readPlanned = true;
            loop.execute(() -> {
                readPlanned = false;
                if (mayRead() && !input.start()) {
                    checkUnseen();
                }
            });
        }
    }

    // ------------------------------------------------------------------ bytes

    @Override
    public int read(ByteBuffer into) throws IOException {
        ensureOpen();
        if (!into.hasRemaining()) {
            return 0;
        }
        int count = input.read(into);
        planRead();
        return count;
    }

    @Override
    public int write(ByteBuffer from) throws IOException {
        ensureOpen();
        int count = output.write(from);
        beginWrite();
        return count;
    }

    @Override
    public void shutdownOutput() throws IOException {
        ensureOpen();
        output.end();
        beginWrite();
    }

    /** Reports a break that a thread has already found; does not write. */
    @Override
    public void lookForBreak(Consumer<IOException> broken) {
        IOException failure = isOpen() ? output.failure() : null;
        if (failure != null) {
            loop.execute(() -> {
                if (isOpen()) {
                    broken.accept(failure);
                }
            });
        }
    }

    /** Starts writing; false if no thread is available. */
    private boolean beginWrite() {
        boolean started = output.start();
        if (!started) {
            checkUnseen();
        }
        return started;
    }

    @Override
    public void whenClosed(Runnable task) {
        threads.whenGone(task);
    }

    /** Thread-safe. */
    private void gone(List<Runnable> whenClosed) {
        boolean running = loop.tryExecute(() -> {
            loop.timers().cancel(timer);
            whenClosed.forEach(Runnable::run);
        });
        if (!running) {
            whenClosed.forEach(Runnable::run); // the loop and its timers have ended
        }
    }

    // ------------------------------------------------------------------ ends

    @Override
    public void close() {
        assert loop.inLoop();
        if (!isOpen()) {
            return;
        }
        over();
        leftover.release();
        loop.timers().reschedule(timer, loop.nowNanos() + CLOSE_TIMEOUT_NANOS);
        output.close();
        if (!beginWrite()) {
            reset();
        }
        threads.leave();
    }

    @Override
    public void abort() {
        assert loop.inLoop();
        if (isOpen()) {
            over();
            reset();
            threads.leave();
        }
    }

    /** Aborts the threads' reads and writes. */
    private void reset() {
        leftover.release();
        output.drop();
        threads.abort(() -> HandOff.abort(connection));
    }

    /** Called when the timer fires: at the end of the loop, or after waiting too long for threads or a slow peer. */
    private void timerFired() {
        if (loop.isStopping()) {
            stop();
        } else if (release != null) {
            failRelease(release, new SocketTimeoutException("a read or write of the connection does not complete"));
        } else if (isOpen()) {
            loop.timers().reschedule(timer, loop.nowNanos() + FAR_NANOS);
        } else if (output.written() != writtenBefore) {
            writtenBefore = output.written();
            loop.timers().reschedule(timer, loop.nowNanos() + CLOSE_TIMEOUT_NANOS);
        } else {
            log.debug("a peer does not accept the last bytes; its connection is reset");
            reset();
        }
    }

    private void stop() {
        IOException cause = new IOException("the event loop has stopped");
        if (release != null) {
            failRelease(release, cause);
        } else if (!isOpen()) {
            reset();
        } else {
            try {
                if (hasHandler()) {
                    handler().abandoned(cause);
                }
            } finally {
                abort(); // has no effect if the handler has done so
            }
        }
    }

    // ------------------------------------------------------------------ release to a user

    /**
     * {@inheritDoc}
     *
     * <p>It waits until written bytes are sent and a read in progress has ended; if that takes too long, it fails.
     */
    @Override
    public void release(Consumer<Connection> ready, Consumer<IOException> failed) {
        assert loop.inLoop();
        if (!isOpen()) {
            failed.accept(new ClosedChannelException());
            return;
        }
        over();
        release = new Release(ready, failed);
        loop.timers().reschedule(timer, loop.nowNanos() + RELEASE_TIMEOUT_NANOS);
        proceedWithRelease();
    }

    private void proceedWithRelease() {
        Release requested = release;
        if (requested == null || threads.areAtWork()) {
            return;
        }
        IOException failure = output.failure();
        if (failure != null) {
            failRelease(requested, failure);
            return;
        }
        release = null;
        loop.timers().cancel(timer);
        requested.ready().accept(UnreadConnection.of(connection, input.takeRest()));
    }

    private void failRelease(Release requested, IOException cause) {
        release = null;
        reset();
        threads.leave();
        requested.failed().accept(cause);
    }
}
