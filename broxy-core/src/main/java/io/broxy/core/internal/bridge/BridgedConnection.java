package io.broxy.core.internal.bridge;

import io.broxy.Connection;
import io.broxy.core.internal.loop.ChannelEvents;
import io.broxy.core.internal.loop.EventLoop;
import io.broxy.core.internal.loop.Workers;
import io.broxy.core.internal.net.Leftover;
import io.broxy.core.internal.net.LoopConnection;
import io.broxy.core.internal.net.StreamConnection;
import io.broxy.core.internal.net.UnreadConnection;
import io.broxy.core.internal.net.UnseenReadiness;
import io.broxy.core.internal.time.TimerQueue;
import java.io.IOException;
import java.net.SocketAddress;
import java.net.SocketTimeoutException;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.SelectionKey;
import java.util.List;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A connection that can only block, on a loop: threads of the stream executor read and write for it, two at most at the same
 * time, and none while nobody wants to read and everything is written. How many there are is for admission to bound.
 *
 * <p>A read begins when the handler wants {@link SelectionKey#OP_READ}, has come back to the loop, and has taken all that was
 * read before; so nothing is read that nobody wants, and a connection can be given to a user between two messages.
 *
 * <pre>
 *   OPEN ──> CLOSING ──> closed       (what was written goes out first)
 *    │          │  nobody takes it       ^
 *    └──────────┴────> RESET ────────────┘
 * </pre>
 *
 * <p>Threading: owned by its event loop.
 */
public final class BridgedConnection implements LoopConnection, UnseenReadiness.Source {
    private static final Logger log = LoggerFactory.getLogger(BridgedConnection.class);

    /** How long a peer may take none of the last bytes: as long as a half-closed tunnel may be silent by default. */
    private static final long CLOSE_PATIENCE_NANOS = TimeUnit.SECONDS.toNanos(60);

    /** How long a read or a write that is under way may keep a connection from its user. */
    private static final long RELEASE_PATIENCE_NANOS = TimeUnit.SECONDS.toNanos(10);

    /** The timer of an open connection is there for the end of the loop, which fires it. */
    private static final long FAR_NANOS = TimeUnit.DAYS.toNanos(365);

    private final EventLoop loop;
    private final Connection connection;
    private final SocketAddress remote;
    private final BridgeThreads threads;
    private final BridgeInput input;
    private final BridgeOutput output;
    private final UnseenReadiness unseen;
    private final Runnable reading;
    private final Runnable writing;
    private final TimerQueue.Timer timer;

    private @Nullable ChannelEvents handler;
    private int interest;
    private boolean open = true;
    /** Read before, and the first thing to be read again. */
    private @Nullable ByteBuffer leftover;

    private boolean readPlanned;
    private @Nullable Release release;
    private long writtenBefore;

    private final AtomicBoolean newsPlanned = new AtomicBoolean();

    private record Release(Consumer<Connection> ready, Consumer<IOException> failed) {}

    /**
     * Takes over a connection that blocks and that nobody else uses any more.
     *
     * @param remote its peer's address, which is asked for off the loop, for that may be the code of somebody else
     */
    public BridgedConnection(EventLoop loop, Connection connection, SocketAddress remote, Workers workers) {
        this.loop = loop;
        this.connection = connection;
        this.remote = remote;
        this.threads = new BridgeThreads(workers, this::planNews, this::gone);
        this.output = new BridgeOutput(connection, this::planNews);
        this.input = new BridgeInput(connection, output);
        this.unseen = new UnseenReadiness(loop, this);
        this.reading = threads.counted(input::run);
        this.writing = threads.counted(output::run);
        this.timer = loop.timers().schedule(loop.nowNanos() + FAR_NANOS, this::look);
        if (connection instanceof StreamConnection own) {
            own.readWithoutTimeout();
        }
    }

    static IOException asIoException(Throwable failure) {
        return failure instanceof IOException own ? own : new IOException("the connection failed", failure);
    }

    @Override
    public EventLoop loop() {
        return loop;
    }

    @Override
    public void handler(ChannelEvents handler) {
        assert loop.inLoop();
        this.handler = handler;
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
    public boolean isOpen() {
        return open;
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
    public int interest() {
        return interest;
    }

    @Override
    public void interest(int ops) {
        assert loop.inLoop();
        if (ops != interest && open) {
            interest = ops;
            unseen.check();
            planRead();
        }
    }

    @Override
    public int unseenOps() {
        int ops = 0;
        if (leftover != null || input.hasNews()) {
            ops |= SelectionKey.OP_READ;
        }
        if (output.hasRoom()) {
            ops |= SelectionKey.OP_WRITE;
        }
        return interest & ops;
    }

    @Override
    public ChannelEvents told() {
        if (handler == null) {
            throw new IllegalStateException("no handler to tell about readiness");
        }
        return handler;
    }

    /** For any thread: at most one such task waits at the loop. */
    private void planNews() {
        if (newsPlanned.compareAndSet(false, true)) {
            try {
                loop.execute(this::hear);
            } catch (RejectedExecutionException e) {
                // The loop has stopped, and has reset the connection by that.
            }
        }
    }

    private void hear() {
        newsPlanned.set(false); // before anything is looked at
        if (release != null) {
            goOnReleasing();
        } else if (open) {
            unseen.tell();
            planRead();
        }
    }

    private boolean mayRead() {
        return open && (interest & SelectionKey.OP_READ) != 0 && leftover == null && input.isIdle();
    }

    /** In a later turn: until then the handler may have changed its mind, and whose the connection is. */
    private void planRead() {
        if (!readPlanned && mayRead() && !loop.isStopping()) {
            readPlanned = true;
            loop.execute(() -> {
                readPlanned = false;
                if (mayRead()) {
                    beginRead();
                }
            });
        }
    }

    // ------------------------------------------------------------------ bytes

    private void ensureOpen() throws ClosedChannelException {
        if (!open) {
            throw new ClosedChannelException();
        }
    }

    @Override
    public int read(ByteBuffer into) throws IOException {
        ensureOpen();
        if (!into.hasRemaining()) {
            return 0;
        }
        int count = leftover == null ? input.read(into) : readLeftover(leftover, into);
        planRead();
        return count;
    }

    private int readLeftover(ByteBuffer rest, ByteBuffer into) {
        int count = Leftover.move(rest, into);
        if (!rest.hasRemaining()) {
            releaseLeftover();
        }
        return count;
    }

    @Override
    public void unread(ByteBuffer bytes) {
        assert loop.inLoop();
        if (bytes.hasRemaining() && open) {
            ByteBuffer all = leftover == null ? bytes : Leftover.joined(bytes, leftover);
            releaseLeftover();
            leftover = loop.buffers().hold(all);
            unseen.check();
        }
    }

    private void releaseLeftover() {
        if (leftover != null) {
            loop.buffers().release(leftover);
            leftover = null;
        }
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

    /** What a thread has found out; it writes nothing for that. */
    @Override
    public void lookForBreak(Consumer<IOException> broken) {
        IOException failure = open ? output.failure() : null;
        if (failure != null) {
            loop.execute(() -> {
                if (open) {
                    broken.accept(failure);
                }
            });
        }
    }

    // ------------------------------------------------------------------ threads

    private void beginRead() {
        input.begin();
        try {
            threads.run(reading);
        } catch (IOException e) {
            input.notRun(e);
            unseen.check();
        }
    }

    /** False if there is no thread to write. */
    private boolean beginWrite() {
        if (output.begin()) {
            try {
                threads.run(writing);
            } catch (IOException e) {
                output.notRun(e);
                unseen.check();
                return false;
            }
        }
        return true;
    }

    @Override
    public void whenClosed(Runnable task) {
        threads.whenGone(task);
    }

    /** For any thread. */
    private void gone(List<Runnable> whenClosed) {
        try {
            loop.execute(() -> {
                loop.timers().cancel(timer);
                whenClosed.forEach(Runnable::run);
            });
        } catch (RejectedExecutionException e) {
            whenClosed.forEach(Runnable::run); // the timer went with its loop, and nobody else is left to run them
        }
    }

    // ------------------------------------------------------------------ ends

    @Override
    public void close() {
        assert loop.inLoop();
        if (!open) {
            return;
        }
        over();
        loop.timers().reschedule(timer, loop.nowNanos() + CLOSE_PATIENCE_NANOS);
        output.close();
        if (!beginWrite()) {
            reset();
        }
        threads.closed();
    }

    @Override
    public void abort() {
        assert loop.inLoop();
        if (open) {
            over();
            reset();
            threads.closed();
        }
    }

    private void over() {
        open = false;
        interest = 0;
        releaseLeftover();
    }

    /** Ends what the threads are at. */
    private void reset() {
        output.drop();
        threads.abort(() -> HandOff.abort(connection));
    }

    /** What the timer is for: the end of the loop, and a peer that takes nothing of the last bytes. */
    private void look() {
        if (loop.isStopping()) {
            stop();
        } else if (release != null) {
            failRelease(new SocketTimeoutException("a read or a write of the connection does not end"));
        } else if (open) {
            loop.timers().reschedule(timer, loop.nowNanos() + FAR_NANOS);
        } else if (output.written() != writtenBefore) {
            writtenBefore = output.written();
            loop.timers().reschedule(timer, loop.nowNanos() + CLOSE_PATIENCE_NANOS);
        } else {
            log.debug("a peer takes nothing of the last bytes; its connection is reset");
            reset();
        }
    }

    private void stop() {
        IOException cause = new IOException("the event loop has stopped");
        if (release != null) {
            failRelease(cause);
        } else if (!open) {
            reset();
        } else {
            try {
                if (handler != null) {
                    handler.abandoned(cause);
                }
            } finally {
                abort(); // nothing, if the handler has done so
            }
        }
    }

    // ------------------------------------------------------------------ to a user

    /**
     * {@inheritDoc}
     *
     * <p>What is being written goes out before, and a read that is under way ends before; if they take too long, it fails.
     */
    @Override
    public void release(Consumer<Connection> ready, Consumer<IOException> failed) {
        assert loop.inLoop();
        if (!open) {
            failed.accept(new ClosedChannelException());
            return;
        }
        open = false;
        interest = 0;
        release = new Release(ready, failed);
        loop.timers().reschedule(timer, loop.nowNanos() + RELEASE_PATIENCE_NANOS);
        goOnReleasing();
    }

    private void goOnReleasing() {
        Release own = release;
        if (own == null || threads.areAtWork()) {
            return;
        }
        if (output.failure() != null) {
            failRelease(output.failure());
            return;
        }
        release = null;
        loop.timers().cancel(timer);
        ByteBuffer rest = input.rest();
        if (leftover != null) {
            rest = Leftover.joined(leftover, rest);
            releaseLeftover();
        }
        own.ready().accept(UnreadConnection.of(connection, rest));
    }

    private void failRelease(@Nullable IOException cause) {
        Release own = release;
        release = null;
        releaseLeftover();
        reset();
        threads.closed();
        if (own != null) {
            own.failed().accept(cause != null ? cause : new ClosedChannelException());
        }
    }
}
