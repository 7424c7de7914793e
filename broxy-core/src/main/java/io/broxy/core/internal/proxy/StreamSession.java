package io.broxy.core.internal.proxy;

import io.broxy.CloseReason;
import io.broxy.ConnectRequest;
import io.broxy.Connection;
import io.broxy.DialException;
import io.broxy.HostPort;
import io.broxy.RefusedException;
import io.broxy.core.internal.http.BadHeadException;
import io.broxy.core.internal.http.HeadLimits;
import io.broxy.core.internal.http.HeadParser;
import io.broxy.core.internal.http.RequestHead;
import io.broxy.core.internal.loop.EventLoop;
import io.broxy.core.internal.loop.Workers;
import io.broxy.core.internal.net.LingeringClose;
import io.broxy.core.internal.net.StreamConnection;
import io.broxy.core.internal.net.UserDialing;
import io.broxy.core.internal.relay.Stage;
import io.broxy.core.internal.relay.TunnelHandle;
import java.io.EOFException;
import java.io.IOException;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.nio.ByteBuffer;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;

/**
 * What {@link ClientSession} is for a channel, for a socket without one: the same steps, blocking, on a thread of the
 * stream executor. A client that vanishes while its target is dialled is noticed when it is answered.
 *
 * <p>Threading: {@link #run} is for one thread, {@link #end} for any.
 */
final class StreamSession implements Runnable, Stage {
    /** A dialer keeps its time by itself, and a read its own; this is for those that do not. */
    private static final long GRACE_NANOS = TimeUnit.SECONDS.toNanos(1);

    private final ProxyHandling handler;
    private final TunnelHandle tunnel;
    private final Socket socket;
    private final @Nullable ConnectRequest request;
    private final @Nullable RefusedException turnedAway;
    private final EventLoop clock;
    private final Workers workers;

    private final AtomicReference<@Nullable CloseReason> ended = new AtomicReference<>();
    private volatile @Nullable CompletableFuture<Connection> dialing;
    private volatile boolean refusing;

    /**
     * Creates a session.
     *
     * @param request what the host server has read, or null when the head is still to be read
     * @param turnedAway why the client is not served but only told so, or null
     */
    StreamSession(
            ProxyHandling handler,
            TunnelHandle tunnel,
            Socket socket,
            @Nullable ConnectRequest request,
            @Nullable RefusedException turnedAway) {
        this.handler = handler;
        this.tunnel = tunnel;
        this.socket = socket;
        this.request = request;
        this.turnedAway = turnedAway;
        this.clock = handler.engine().loops().next();
        this.workers = handler.engine().blocking().workers();
    }

    /** How a session ends that comes to no tunnel. */
    private static final class Ended extends Exception {
        private static final long serialVersionUID = 1L;
        private final transient CloseReason reason;
        private final transient @Nullable Throwable why;
        private final transient @Nullable ByteBuffer reply;

        Ended(CloseReason reason, @Nullable Throwable why, @Nullable ByteBuffer reply) {
            super(null, null, false, false);
            this.reason = reason;
            this.why = why;
            this.reply = reply;
        }

        static Ended refused(RefusedException refusal, boolean withBody) {
            return new Ended(CloseReason.REFUSED, refusal, Replies.refused(refusal, withBody));
        }

        static Ended dialFailed(DialException failure) {
            return new Ended(CloseReason.DIAL_FAILED, failure, Replies.failed(failure));
        }

        /** The dialer broke its contract. */
        static Ended dialerFailed(Throwable failure) {
            return new Ended(CloseReason.FAILED, failure, Replies.internalError());
        }
    }

    @Override
    public void run() {
        tunnel.stage(this);
        try {
            StreamConnection client = new StreamConnection(socket);
            try {
                serve(client);
            } catch (Ended e) {
                handler.givenUp(tunnel);
                ByteBuffer reply = e.reply;
                if (reply != null && ended.get() == null) {
                    refusing = true;
                    lingerAndClose(client, reply);
                }
                over(e.reason, e.why);
            }
        } catch (IOException e) {
            over(CloseReason.CLIENT_GONE, e);
        } catch (RuntimeException | Error e) {
            over(CloseReason.FAILED, e);
            throw e;
        }
    }

    private void serve(StreamConnection client) throws Ended {
        if (turnedAway != null) {
            throw Ended.refused(turnedAway, true);
        }
        ByteBuffer early;
        if (request != null) {
            early = request.earlyBytes();
            tunnel.describe(request.target(), request.identity());
        } else {
            early = readHead(client);
        }
        HostPort target = Objects.requireNonNull(tunnel.target(), "the target is known by now");
        if (!handler.accounting().tryBeginTunnel()) {
            throw Ended.refused(ProxyHandling.draining(), true);
        }
        tunnel.phase(TunnelHandle.Phase.ADMITTED);
        Connection origin = dial(target);
        handler.relayBlocking(client, origin, tunnel, early, clock);
    }

    // ------------------------------------------------------------------ the head

    /** Reads the head, and gives what followed it. */
    private ByteBuffer readHead(StreamConnection client) throws Ended {
        long deadline = tunnel.startNanos() + handler.settings().headTimeoutNanos();
        Watchdog watchdog = watch(deadline + GRACE_NANOS);
        HeadParser<RequestHead> parser = HeadParser.request(HeadLimits.DEFAULT);
        ByteBuffer buffer = ByteBuffer.allocate(HeadLimits.DEFAULT.headBytes());
        try {
            RequestHead head = null;
            while (head == null) {
                limitReads(deadline);
                if (client.read(buffer.clear()) < 0) {
                    throw new EOFException("the client has ended its stream");
                }
                head = parser.feed(buffer.flip());
            }
            socket.setSoTimeout(0);
            tunnel.describe(targetOf(head), null);
            return ByteBuffer.allocate(buffer.remaining()).put(buffer).flip();
        } catch (BadHeadException e) {
            throw Ended.refused(RequestGate.refusal(e), true);
        } catch (IOException e) {
            if (e instanceof SocketTimeoutException || watchdog.hasFired()) {
                throw Ended.refused(ProxyHandling.headTimeout(), true);
            }
            throw new Ended(CloseReason.CLIENT_GONE, e instanceof EOFException ? null : e, null);
        } finally {
            watchdog.stop();
        }
    }

    private static HostPort targetOf(RequestHead head) throws Ended {
        try {
            return RequestGate.connectTarget(head);
        } catch (RefusedException e) {
            throw Ended.refused(e, !head.method().equals("HEAD"));
        }
    }

    private Watchdog watch(long deadlineNanos) {
        return Watchdog.start(clock, deadlineNanos, workers.closers(), this::close);
    }

    /** Lets the next read last no longer than until a deadline. */
    private void limitReads(long deadlineNanos) throws IOException {
        long left = deadlineNanos - handler.engine().blocking().ticker().nanos();
        if (left <= 0) {
            throw new SocketTimeoutException();
        }
        socket.setSoTimeout((int) Math.min(Integer.MAX_VALUE, TimeUnit.NANOSECONDS.toMillis(left) + 1));
    }

    // ------------------------------------------------------------------ the dial

    private Connection dial(HostPort target) throws Ended {
        CompletableFuture<Connection> future = beginDial(target);
        dialing = future;
        if (ended.get() != null) {
            future.cancel(true);
        }
        try {
            long nanos = handler.settings().dialTimeout().toNanos() + GRACE_NANOS;
            return UserDialing.take(future.get(nanos, TimeUnit.NANOSECONDS));
        } catch (ExecutionException e) {
            if (e.getCause() instanceof DialException failure) {
                throw Ended.dialFailed(failure);
            }
            throw Ended.dialerFailed(e.getCause() != null ? e.getCause() : e);
        } catch (TimeoutException e) {
            giveUp(future);
            throw Ended.dialFailed(
                    UserDialing.timedOut(target, handler.settings().dialTimeout()));
        } catch (InterruptedException e) {
            giveUp(future);
            throw new Ended(CloseReason.CLOSED, null, null); // the engine ends
        } catch (IOException | RuntimeException e) { // among them that the future was cancelled
            throw Ended.dialerFailed(e);
        }
    }

    private CompletableFuture<Connection> beginDial(HostPort target) throws Ended {
        try {
            return Objects.requireNonNull(
                    handler.settings().dialer().dialAsync(handler.settings().dialRequest(target), workers.callbacks()),
                    "the dialer gave no future");
        } catch (Throwable e) {
            throw Ended.dialerFailed(e);
        }
    }

    /** Ends a dial; a connection that it has yielded meanwhile is closed. */
    private void giveUp(CompletableFuture<Connection> future) {
        if (!future.cancel(true)) {
            future.whenComplete((connection, failure) -> {
                if (connection != null) {
                    UserDialing.abandon(connection, workers);
                }
            });
        }
    }

    // ------------------------------------------------------------------ ends

    /** As {@link LingeringClose}, blocking. */
    private void lingerAndClose(StreamConnection client, ByteBuffer reply) {
        long deadline = handler.engine().blocking().ticker().nanos() + LingeringClose.TIMEOUT_NANOS;
        Watchdog watchdog = watch(deadline);
        try {
            limitReads(deadline); // before a TLS socket can write it may have to read a handshake
            client.write(reply);
            client.shutdownOutput();
            ByteBuffer discarded = ByteBuffer.allocate(8 << 10);
            do {
                limitReads(deadline);
            } while (client.read(discarded.clear()) >= 0);
            client.close();
        } catch (IOException e) {
            ProxyHandling.log.debug("nobody has read an answer to its end", e);
        } finally {
            watchdog.stop();
        }
    }

    /** Records the end, whose reason is what was asked for unless the client was being refused by then. */
    private void over(CloseReason reason, @Nullable Throwable cause) {
        close();
        CloseReason asked = ended.get();
        if (asked == null || refusing) {
            tunnel.ended(reason, cause, 0, 0);
        } else {
            tunnel.ended(asked, null, 0, 0);
        }
    }

    @Override
    public void end(CloseReason reason) {
        if (refusing && reason == CloseReason.DRAINED) {
            return; // its answer may still be read
        }
        if (!ended.compareAndSet(null, reason)) {
            return;
        }
        CompletableFuture<Connection> future = dialing;
        try {
            workers.closers().execute(() -> {
                if (future != null) {
                    future.cancel(true); // a user's own code may hang on it
                }
                close();
            });
        } catch (RejectedExecutionException e) {
            close(); // the engine ends, and interrupts this session
        }
    }

    /** Resets the client, unless it is closed already. */
    private void close() {
        try {
            if (!socket.isClosed()) {
                socket.setSoLinger(true, 0);
                socket.close();
            }
        } catch (IOException | UnsupportedOperationException e) {
            ProxyHandling.log.debug("closing a client's socket failed", e);
        }
    }
}
