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
 * Accepts connections on a loop. When accepting fails, for example because the process has run out of descriptors, it pauses
 * and retries later; meanwhile the connections wait in the kernel's queue.
 *
 * <p>Threading: owned by its event loop.
 */
public final class Acceptor implements ChannelEvents {
    private static final Logger log = LoggerFactory.getLogger(Acceptor.class);

    /**
     * The maximum number of connections accepted in one turn of the loop, so that a flood of new ones does not stall open ones.
     */
    private static final int BURST = 16;

    /** The maximum number of connections accepted on closing: enough for the kernel's queue, but bounded. */
    private static final int MAX_WAITING = 1_024;

    private static final long FIRST_PAUSE_NANOS = TimeUnit.MILLISECONDS.toNanos(100);
    private static final long MAX_PAUSE_NANOS = TimeUnit.SECONDS.toNanos(1);

    private final EventLoop loop;
    private final ServerSocketChannel server;
    private final Accepting accepting;
    private final Consumer<SocketChannel> accepted;
    private final AtClose atClose;
    private final Runnable closed;
    private @Nullable SelectionKey key;
    private TimerQueue.@Nullable Timer resume;
    private long pauseNanos;
    private boolean over;

    /** What becomes of the server's channel when the acceptor closes. */
    public enum AtClose {
        /** It is closed, after the connections in its queue have been accepted. */
        CLOSE,
        /** It stays open with its queue, which another process shares. */
        LEAVE_OPEN
    }

    /** Takes a connection out of the server's queue. */
    @FunctionalInterface
    interface Accepting {
        /** The next connection, or null for none. */
        @Nullable
        SocketChannel accept() throws IOException;
    }

    /**
     * Creates an acceptor, which {@link #start} starts.
     *
     * @param server bound and non-blocking
     * @param accepted takes over a connection, on the loop; if it throws, the connection is closed
     * @param closed runs when the server's channel is deregistered from the loop, and closed if it is to be
     */
    public Acceptor(
            EventLoop loop,
            ServerSocketChannel server,
            Consumer<SocketChannel> accepted,
            AtClose atClose,
            Runnable closed) {
        this(loop, server, server::accept, accepted, atClose, closed);
    }

    Acceptor(
            EventLoop loop,
            ServerSocketChannel server,
            Accepting accepting,
            Consumer<SocketChannel> accepted,
            AtClose atClose,
            Runnable closed) {
        this.loop = loop;
        this.server = server;
        this.accepting = accepting;
        this.accepted = accepted;
        this.atClose = atClose;
        this.closed = closed;
    }

    /** Starts accepting. */
    public void start() {
        assert loop.inLoop();
        try {
            key = loop.register(server, SelectionKey.OP_ACCEPT, this);
        } catch (IOException e) {
            log.error("a server's socket was closed before it could accept connections", e);
            closeServer();
        }
    }

    /** Stops accepting, and closes the server's channel if it is to be closed. */
    public void close() {
        assert loop.inLoop();
        if (resume != null) {
            loop.timers().cancel(resume);
        }
        SelectionKey serverKey = key;
        if (serverKey == null) {
            closeServer();
        } else if (serverKey.isValid()) {
            loop.release(serverKey, this::closeServer);
        }
    }

    private void closeServer() {
        if (over) {
            return;
        }
        over = true;
        if (atClose == AtClose.CLOSE) {
            acceptWaiting();
            try {
                server.close();
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

    /** Ends a pause after a turn without any failure; a single freed descriptor is not a recovery. */
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
        interest(0);
        long at = loop.nowNanos() + pauseNanos;
        if (resume == null) {
            resume = loop.timers().schedule(at, () -> interest(SelectionKey.OP_ACCEPT));
        } else {
            loop.timers().reschedule(resume, at);
        }
    }

    /** Whether it waits for clients; false during a pause. */
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
