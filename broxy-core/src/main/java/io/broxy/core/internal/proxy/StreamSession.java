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
import io.broxy.core.internal.net.LingeringClose;
import io.broxy.core.internal.net.StreamConnection;
import io.broxy.core.internal.relay.Stage;
import io.broxy.core.internal.relay.TunnelHandle;
import java.io.EOFException;
import java.io.IOException;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.nio.ByteBuffer;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;

/**
 * What {@link ClientSession} is for a channel, for a socket without one: the same steps, blocking, on a thread of the
 * stream executor.
 *
 * <p>Threading: {@link #run} is for one thread, {@link #end} for any.
 */
final class StreamSession implements Runnable, Stage {
    private final ProxyHandling handler;
    private final TunnelHandle tunnel;
    private final Socket socket;
    private final @Nullable ConnectRequest request;
    private final @Nullable RefusedException turnedAway;

    private final AtomicReference<@Nullable CloseReason> ended = new AtomicReference<>();
    private volatile @Nullable CompletableFuture<Connection> dialing;

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
    }

    @Override
    public void run() {
        tunnel.stage(this);
        StreamConnection client;
        try {
            client = new StreamConnection(socket);
        } catch (IOException e) {
            close();
            over(CloseReason.CLIENT_GONE, e);
            return;
        }
        try {
            serve(client);
        } catch (Ended e) {
            if (e.reply != null) {
                lingerAndClose(client, e.reply);
            } else {
                client.abort();
            }
            over(e.reason, e.why);
        } catch (RuntimeException | Error e) {
            client.abort();
            over(CloseReason.FAILED, e);
            throw e;
        }
    }

    private void serve(StreamConnection client) throws Ended {
        if (turnedAway != null) {
            throw Ended.refused(turnedAway, true);
        }
        ByteBuffer early;
        HostPort target;
        if (request != null) {
            target = request.target();
            early = request.earlyBytes();
            tunnel.describe(target, request.identity());
        } else {
            early = ByteBuffer.allocate(HeadLimits.DEFAULT.headBytes());
            target = readHead(client, early);
            tunnel.describe(target, null);
        }
        if (!handler.accounting().tryBeginTunnel()) {
            throw Ended.refused(ProxyHandling.draining(), true);
        }
        tunnel.phase(TunnelHandle.Phase.ADMITTED);
        Connection origin = dial(target);
        handler.relayBlocking(
                client, origin, tunnel, early, handler.engine().loops().next());
    }

    // ------------------------------------------------------------------ the head

    /** Reads the head; what follows it is left in the buffer. */
    private HostPort readHead(StreamConnection client, ByteBuffer buffer) throws Ended {
        long deadline = tunnel.startNanos() + handler.settings().headTimeoutNanos();
        HeadParser<RequestHead> parser = HeadParser.request(HeadLimits.DEFAULT);
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
            return targetOf(head);
        } catch (BadHeadException e) {
            throw Ended.refused(RequestGate.refusal(e), true);
        } catch (SocketTimeoutException e) {
            throw Ended.refused(
                    new RefusedException(RefusedException.Reason.HEAD_TIMEOUT, 408, "the request did not come in time"),
                    true);
        } catch (IOException e) {
            throw new Ended(endReason(CloseReason.CLIENT_GONE), e, null);
        }
    }

    private static HostPort targetOf(RequestHead head) throws Ended {
        try {
            return RequestGate.connectTarget(head);
        } catch (RefusedException e) {
            throw Ended.refused(e, !head.method().equals("HEAD"));
        }
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
        try {
            CompletableFuture<Connection> future = handler.settings()
                    .dialer()
                    .dialAsync(
                            handler.settings().dialRequest(target),
                            handler.engine().blocking().workers().callbacks());
            dialing = future;
            CloseReason asked = ended.get();
            if (asked != null) {
                future.cancel(true);
            }
            return future.get(handler.settings().dialTimeout().toNanos() + GRACE_NANOS, TimeUnit.NANOSECONDS);
        } catch (ExecutionException e) {
            if (e.getCause() instanceof DialException failure) {
                throw new Ended(CloseReason.DIAL_FAILED, failure, Replies.failed(failure));
            }
            throw new Ended(CloseReason.FAILED, e.getCause(), Replies.internalError());
        } catch (InterruptedException e) {
            throw new Ended(endReason(CloseReason.CLOSED), null, null);
        } catch (Exception e) {
            throw new Ended(endReason(CloseReason.FAILED), e, Replies.internalError());
        }
    }

    /** A dialer keeps its time by itself; this is for one that does not. */
    private static final long GRACE_NANOS = TimeUnit.SECONDS.toNanos(1);

    // ------------------------------------------------------------------ ends

    /** As {@link LingeringClose}, blocking. */
    private void lingerAndClose(StreamConnection client, ByteBuffer reply) {
        long deadline = handler.engine().blocking().ticker().nanos() + LingeringClose.TIMEOUT_NANOS;
        try {
            client.write(reply);
            client.shutdownOutput();
            ByteBuffer discarded = ByteBuffer.allocate(8 << 10);
            do {
                limitReads(deadline);
            } while (client.read(discarded.clear()) >= 0);
            client.close();
        } catch (IOException e) {
            client.abort(); // nobody is left to read, or the time is over
        }
    }

    private CloseReason endReason(CloseReason otherwise) {
        CloseReason asked = ended.get();
        return asked != null ? asked : otherwise;
    }

    private void over(CloseReason reason, @Nullable Throwable cause) {
        tunnel.ended(reason, cause, 0, 0);
    }

    @Override
    public void end(CloseReason reason) {
        if (ended.compareAndSet(null, reason)) {
            CompletableFuture<Connection> future = dialing;
            if (future != null) {
                future.cancel(true);
            }
            handler.engine().blocking().workers().callbacks().execute(this::close);
        }
    }

    private void close() {
        try {
            socket.setSoLinger(true, 0);
            socket.close();
        } catch (IOException | UnsupportedOperationException e) {
            ProxyHandling.log.debug("closing a client's socket failed", e);
        }
    }
}
