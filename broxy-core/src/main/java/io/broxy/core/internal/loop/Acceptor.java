package io.broxy.core.internal.loop;

import io.broxy.core.internal.time.TimerQueue;
import java.io.IOException;
import java.nio.channels.SelectionKey;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Accepts connections on a loop. When accepting fails, as it does when the process has no descriptor left, it pauses and
 * tries again later: the connections wait in the kernel's queue meanwhile.
 *
 * <p>Threading: owned by its event loop.
 */
public final class Acceptor implements ChannelEvents {
    private static final Logger log = LoggerFactory.getLogger(Acceptor.class);

    /** The most connections accepted in one turn of the loop: open ones must not wait for a flood of new ones. */
    private static final int BURST = 16;

    /** The most connections accepted at the close: what the kernel's queue holds, and no endless flood. */
    private static final int MAX_WAITING = 1_024;

    private static final long FIRST_PAUSE_NANOS = TimeUnit.MILLISECONDS.toNanos(100);
    private static final long LONGEST_PAUSE_NANOS = TimeUnit.SECONDS.toNanos(1);

    private final EventLoop loop;
    private final ServerSocketChannel server;
    private final Accepting accepting;
    private final Consumer<SocketChannel> accepted;
    private final Runnable closed;
    private @Nullable SelectionKey key;
    private TimerQueue.@Nullable Timer resume;
    private long pauseNanos;
    private boolean over;

    /** How a connection is taken out of the server's queue. */
    @FunctionalInterface
    interface Accepting {
        /** The next connection, or null for none. */
        @Nullable
        SocketChannel accept() throws IOException;
    }

    /**
     * Prepares to accept; {@link #start} begins.
     *
     * @param server bound and non-blocking
     * @param accepted takes a connection over, on the loop; one that it throws for is closed
     * @param closed runs when the server's channel is closed and free of the loop
     */
    public Acceptor(EventLoop loop, ServerSocketChannel server, Consumer<SocketChannel> accepted, Runnable closed) {
        this(loop, server, server::accept, accepted, closed);
    }

    Acceptor(
            EventLoop loop,
            ServerSocketChannel server,
            Accepting accepting,
            Consumer<SocketChannel> accepted,
            Runnable closed) {
        this.loop = loop;
        this.server = server;
        this.accepting = accepting;
        this.accepted = accepted;
        this.closed = closed;
    }

    /** Begins to accept. */
    public void start() {
        assert loop.inLoop();
        try {
            key = loop.register(server, SelectionKey.OP_ACCEPT, this);
        } catch (IOException e) {
            log.error("a server's socket was closed before accepting began", e);
            closeServer();
        }
    }

    /** Ends accepting and closes the server's channel. */
    public void close() {
        assert loop.inLoop();
        if (resume != null) {
            loop.timers().cancel(resume);
        }
        SelectionKey own = key;
        if (own == null) {
            closeServer();
        } else if (own.isValid()) {
            loop.release(own, this::closeServer);
        }
    }

    private void closeServer() {
        if (over) {
            return;
        }
        over = true;
        acceptWaiting();
        try {
            server.close();
        } catch (IOException e) {
            log.warn("closing a server's socket failed", e);
        }
        closed.run();
    }

    /** Closing would reset the connections in the kernel's queue, whose clients came in time. */
    private void acceptWaiting() {
        if (loop.isStopping()) {
            return;
        }
        try {
            SocketChannel client;
            for (int i = 0; i < MAX_WAITING && (client = accepting.accept()) != null; i++) {
                pass(client);
            }
        } catch (IOException | OutOfMemoryError e) {
            log.debug("accepting the last connections failed", e);
        }
    }

    @Override
    public void ready(int readyOps) {
        for (int i = 0; i < BURST && key != null && key.isValid(); i++) {
            SocketChannel client;
            try {
                client = accepting.accept();
            } catch (IOException | OutOfMemoryError e) {
                pause(e);
                return;
            }
            if (client == null) {
                break;
            }
            pass(client);
        }
        resumed();
    }

    /** Ends a pause, only after a turn without a failure: one descriptor that was freed is no recovery. */
    private void resumed() {
        if (pauseNanos != 0) {
            log.info("accepting connections again");
            pauseNanos = 0;
        }
    }

    private void pass(SocketChannel client) {
        try {
            accepted.accept(client);
        } catch (Throwable e) {
            try {
                client.close();
            } catch (IOException suppressed) {
                e.addSuppressed(suppressed);
            }
            log.error("a new connection was not taken over; it is closed", e);
        }
    }

    private void pause(Throwable cause) {
        if (pauseNanos == 0) {
            log.warn("accepting connections failed; trying again until it works", cause);
            pauseNanos = FIRST_PAUSE_NANOS;
        } else {
            pauseNanos = Math.min(2 * pauseNanos, LONGEST_PAUSE_NANOS);
        }
        interest(0);
        long at = loop.nowNanos() + pauseNanos;
        if (resume == null) {
            resume = loop.timers().schedule(at, () -> interest(SelectionKey.OP_ACCEPT));
        } else {
            loop.timers().reschedule(resume, at);
        }
    }

    /** Whether it waits for clients, as it does not in a pause. */
    boolean isAccepting() {
        assert loop.inLoop();
        return key != null && key.isValid() && key.interestOps() != 0;
    }

    private void interest(int ops) {
        if (key != null && key.isValid()) {
            key.interestOps(ops);
        }
    }

    @Override
    public void abandoned(Throwable cause) {
        close();
    }
}
