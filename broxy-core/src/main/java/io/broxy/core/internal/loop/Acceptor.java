package io.broxy.core.internal.loop;

import io.broxy.core.internal.time.TimerQueue;
import java.io.IOException;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Accepts connections at a server's socket on a loop. When accepting fails, for example because the process has run out of
 * descriptors, it pauses and retries later; meanwhile the connections wait in the kernel's queue.
 *
 * <p>Threading: owned by its event loop.
 *
 * @param <C> the type of the connections
 */
public abstract class Acceptor<C extends AutoCloseable> {
    private static final Logger log = LoggerFactory.getLogger(Acceptor.class);

    /**
     * The maximum number of connections accepted in one turn of the loop, so that a flood of new ones does not stall open ones.
     */
    private static final int MAX_BURST = 16;

    /** The maximum number of connections accepted on closing: enough for the kernel's queue, but bounded. */
    private static final int MAX_WAITING = 1_024;

    private static final long FIRST_PAUSE_NANOS = TimeUnit.MILLISECONDS.toNanos(100);
    private static final long MAX_PAUSE_NANOS = TimeUnit.SECONDS.toNanos(1);

    protected final EventLoop loop;
    private final Consumer<C> accepted;
    private final Runnable closed;

    /**
     * The number of connections that the next turn accepts. It is 1 unless they come in every turn, since a call that finds no
     * second connection costs as much as one that does.
     */
    private int burst = 1;

    private long readyInTurn;
    private TimerQueue.@Nullable Timer resume;
    private long pauseNanos;
    private boolean registered;
    private boolean closing;

    /**
     * Creates an acceptor, which {@link #start} starts.
     *
     * @param accepted takes over a connection, on the loop; if it throws, the connection is closed
     * @param closed runs when the socket is deregistered from the loop, and closed if it is to be
     */
    protected Acceptor(EventLoop loop, Consumer<C> accepted, Runnable closed) {
        this.loop = loop;
        this.accepted = accepted;
        this.closed = closed;
    }

    /** Registers the socket with the loop, and waits for connections. */
    protected abstract void register() throws IOException;

    /** Waits for connections from now on, or no longer. */
    protected abstract void await(boolean connections);

    /** Deregisters the socket from the loop, and runs a task once that is complete. */
    protected abstract void deregister(Runnable then);

    /** Takes a connection out of the kernel's queue; null if there is none. */
    protected abstract @Nullable C accept() throws IOException;

    /** Whether the socket stays open with its queue, which another process shares. */
    protected boolean staysOpen() {
        return false;
    }

    /** Closes the socket. */
    protected abstract void closeServer() throws IOException;

    // ------------------------------------------------------------------ for servers

    /** Starts accepting. */
    public final void start() {
        assert loop.inLoop();
        try {
            register();
            registered = true;
        } catch (IOException e) {
            log.error("a server's socket was closed before it could accept connections", e);
            close();
        }
    }

    /** Stops accepting, and closes the server's socket if it is to be closed. */
    public final void close() {
        assert loop.inLoop();
        if (closing) {
            return;
        }
        closing = true;
        if (resume != null) {
            loop.timers().cancel(resume);
        }
        if (registered) {
            deregister(this::end);
        } else {
            end();
        }
    }

    private void end() {
        if (!staysOpen()) {
            acceptWaiting();
            try {
                closeServer();
            } catch (IOException e) {
                log.warn("closing a server's socket failed", e);
            }
        }
        closed.run();
    }

    /** Accepts the connections in the kernel's queue, which closing would reset although their clients connected in time. */
    private void acceptWaiting() {
        if (loop.isStopping()) {
            return;
        }
        try {
            C client;
            for (int i = 0; i < MAX_WAITING && (client = accept()) != null; i++) {
                pass(client);
            }
        } catch (IOException | OutOfMemoryError e) {
            log.debug("accepting the last connections failed", e);
        }
    }

    // ------------------------------------------------------------------ readiness

    /** Must be called when the socket is ready. */
    protected final void acceptReady() {
        boolean inEveryTurn = loop.turn() == readyInTurn + 1;
        readyInTurn = loop.turn();
        for (int i = 0; i < burst && !closing; i++) {
            C client;
            try {
                client = accept();
            } catch (IOException | OutOfMemoryError e) {
                pause(e);
                return;
            }
            if (client == null) {
                burst = Math.max(1, i);
                resumed();
                return;
            }
            pass(client);
        }
        burst = inEveryTurn ? Math.min(MAX_BURST, 2 * burst) : 1;
        resumed();
    }

    private void pass(C client) {
        try {
            accepted.accept(client);
        } catch (Throwable e) {
            try {
                client.close();
            } catch (Exception suppressed) {
                e.addSuppressed(suppressed);
            }
            log.error("a new connection could not be handled and is closed", e);
        }
    }

    private void pause(Throwable cause) {
        if (pauseNanos == 0) {
            log.warn("accepting connections failed; trying again until it works", cause);
            pauseNanos = FIRST_PAUSE_NANOS;
        } else {
            pauseNanos = Math.min(2 * pauseNanos, MAX_PAUSE_NANOS);
        }
        burst = MAX_BURST; // one that is accepted is no recovery
        await(false);
        long at = loop.nowNanos() + pauseNanos;
        if (resume == null) {
            resume = loop.timers().schedule(at, () -> await(true));
        } else {
            loop.timers().reschedule(resume, at);
        }
    }

    /** Ends a pause after a turn without any failure. */
    private void resumed() {
        if (pauseNanos != 0) {
            log.info("accepting connections again");
            pauseNanos = 0;
        }
    }
}
