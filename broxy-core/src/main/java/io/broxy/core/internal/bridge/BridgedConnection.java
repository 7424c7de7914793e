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
 * A connection that can only block, on a loop: threads of the stream executor read and write for it, two at most at the same
 * time, and none while nothing is to be read and everything is written. The limits on connections bound their number.
 *
 * <p>A read begins when the handler wants {@link SelectionKey#OP_READ}, has come back to the loop, and has taken all that was
 * read before; so nothing is read unasked, and a connection can be released to a user between two messages.
 *
 * <pre>
 *   OPEN ──> CLOSING ──> closed       (written bytes go out first)
 *    │          │  the peer stalls       ^
 *    └──────────┴────> RESET ────────────┘
 * </pre>
 *
 * <p>Threading: owned by its event loop.
 */
public final class BridgedConnection extends DrivenConnection {
    private static final Logger log = LoggerFactory.getLogger(BridgedConnection.class);

    /** How long a peer may take none of the last bytes: as long as a half-closed tunnel may be silent by default. */
    private static final long CLOSE_PATIENCE_NANOS = TimeUnit.SECONDS.toNanos(60);

    /** How long a read or a write that is under way may keep a connection from its user. */
    private static final long RELEASE_PATIENCE_NANOS = TimeUnit.SECONDS.toNanos(10);

    /** An open connection has its timer only because the end of the loop fires it. */
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
     * Takes over a connection that blocks and has no other user.
     *
     * @param remote its peer's address, found off the loop, for the connection may be another author's code
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
        return connection instanceof StreamConnection own ? own.localAddress() : null;
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

    /** Makes the loop {@linkplain #hear look} at what threads have done, in at most one task. For any thread. */
    private void signal() {
        if (signaled.compareAndSet(false, true)) {
            loop.tryExecute(this::hear); // the end of a loop has reset its connections
        }
    }

    private void hear() {
        signaled.set(false); // before anything is looked at
        if (release != null) {
            goOnReleasing();
        } else if (isOpen()) {
            checkUnseenNow();
            planRead();
        }
    }

    private boolean mayRead() {
        return isOpen() && (interest & SelectionKey.OP_READ) != 0 && input.isIdle();
    }

    /** Reads in a later turn: until then the handler may change its interest or pass the connection on. */
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

    /** Reports what a thread has found out; it writes nothing for that. */
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

    /** False if there is no thread to write. */
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

    /** For any thread. */
    private void gone(List<Runnable> whenClosed) {
        boolean running = loop.tryExecute(() -> {
            loop.timers().cancel(timer);
            whenClosed.forEach(Runnable::run);
        });
        if (!running) {
            whenClosed.forEach(Runnable::run); // the loop has ended, and its timers with it
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
        loop.timers().reschedule(timer, loop.nowNanos() + CLOSE_PATIENCE_NANOS);
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

    /** Ends the reads and writes of the threads. */
    private void reset() {
        leftover.release();
        output.drop();
        threads.abort(() -> HandOff.abort(connection));
    }

    /** Runs when the timer fires: at the end of the loop, or after a wait for threads or for a slow peer. */
    private void timerFired() {
        if (loop.isStopping()) {
            stop();
        } else if (release != null) {
            failRelease(release, new SocketTimeoutException("a read or a write of the connection does not end"));
        } else if (isOpen()) {
            loop.timers().reschedule(timer, loop.nowNanos() + FAR_NANOS);
        } else if (output.written() != writtenBefore) {
            writtenBefore = output.written();
            loop.timers().reschedule(timer, loop.nowNanos() + CLOSE_PATIENCE_NANOS);
        } else {
            log.debug("a peer does not take the last bytes; its connection is reset");
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
                abort(); // does nothing if the handler has done so
            }
        }
    }

    // ------------------------------------------------------------------ to a user

    /**
     * {@inheritDoc}
     *
     * <p>It waits until written bytes have gone out and a read that is under way has ended; if they take too long, it fails.
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
        loop.timers().reschedule(timer, loop.nowNanos() + RELEASE_PATIENCE_NANOS);
        goOnReleasing();
    }

    private void goOnReleasing() {
        Release own = release;
        if (own == null || threads.areAtWork()) {
            return;
        }
        IOException failure = output.failure();
        if (failure != null) {
            failRelease(own, failure);
            return;
        }
        release = null;
        loop.timers().cancel(timer);
        own.ready().accept(UnreadConnection.of(connection, input.takeRest()));
    }

    private void failRelease(Release own, IOException cause) {
        release = null;
        reset();
        threads.leave();
        own.failed().accept(cause);
    }
}
