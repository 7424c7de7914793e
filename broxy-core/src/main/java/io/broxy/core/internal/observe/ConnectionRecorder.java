package io.broxy.core.internal.observe;

import io.broxy.CloseReason;
import io.broxy.ConnectionResult;
import io.broxy.DialException;
import io.broxy.ExchangeResult;
import io.broxy.HostPort;
import io.broxy.ProxyListener;
import io.broxy.RefusedException;
import io.broxy.TunnelResult;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.time.Duration;
import java.util.Objects;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * A client's connection as those who watch follow it, from request to request. {@link #NONE} follows nothing, and costs
 * nothing.
 *
 * <pre>
 *            requested            refused, exchanged
 *   WAITING ───────────> ASKED ──────────────────────> TOLD
 *      ^                                                │ next
 *      └────────────────────────────────────────────────┘
 * </pre>
 *
 * <p>Threading: owned by whoever serves the client, one after another.
 */
public final class ConnectionRecorder {
    private enum Stage {
        /** No request has come. */
        WAITING,
        /** One has, and nobody has been told its end. */
        ASKED,
        /** Its end was told. */
        TOLD
    }

    /** Of a client that nobody watches. */
    public static final ConnectionRecorder NONE = new ConnectionRecorder(null, 0, 0);

    private final @Nullable Journal journal;
    private final long number;

    private ProxyListener.@Nullable Client client;
    private Stage stage = Stage.WAITING;
    private long requestNanos;
    private @Nullable String method;
    private @Nullable HostPort target;
    private @Nullable String identity;
    private int status;
    private @Nullable SocketAddress peer;
    private boolean dialTold;
    private RequestTrace trace = RequestTrace.OFF;

    ConnectionRecorder(@Nullable Journal journal, long number, long startNanos) {
        this.journal = journal;
        this.number = number;
        this.requestNanos = startNanos;
    }

    /** Whether anybody watches. */
    public boolean isOn() {
        return journal != null;
    }

    /** The client is being served, and its address is known by now. */
    public void opened(@Nullable SocketAddress address) {
        if (journal != null && client == null) {
            ProxyListener.Client own =
                    new ProxyListener.Client(number, address instanceof InetSocketAddress internet ? internet : null);
            client = own;
            journal.tell(listener -> listener.connectionOpened(own));
        }
    }

    // ------------------------------------------------------------------ requests

    /**
     * A request's head is complete.
     *
     * @param target null if it is to the proxy itself
     */
    public void requested(String method, @Nullable HostPort target) {
        if (journal != null) {
            this.method = method;
            this.target = target;
            stage = Stage.ASKED;
            requestNanos = journal.nanos();
            trace = Flight.request();
        }
    }

    /** Who asks is known by now. */
    public void identified(@Nullable String who) {
        if (journal != null) {
            identity = who;
        }
    }

    /** Wrong credentials were shown. */
    public void credentialsFailed() {
        if (journal != null) {
            ProxyListener.Request request = request();
            journal.tell(listener -> listener.authenticationFailed(request));
        }
    }

    /** The request is refused. */
    public void refused(RefusedException refusal) {
        if (journal != null) {
            stage = Stage.TOLD;
            ProxyListener.Request request = request();
            long millis = TimeUnit.NANOSECONDS.toMillis(journal.nanos() - requestNanos);
            journal.tell(listener -> listener.requestRefused(request, refusal));
            journal.log(() -> AccessLog.refusal(request, refusal, millis));
        }
    }

    /** There is no connection to the target. */
    public void dialFailed(DialException failure) {
        if (journal != null) {
            dialTold = true;
            ProxyListener.Request request = request();
            journal.tell(listener -> listener.dialFailed(request, failure));
        }
    }

    /** The client is told the last: that it is refused or why there is no tunnel, unless that has been told. */
    public void answered(int status, CloseReason reason, @Nullable Throwable cause) {
        if (journal != null && stage != Stage.TOLD) {
            this.status = status;
            if (reason == CloseReason.REFUSED && cause instanceof RefusedException refusal) {
                refused(refusal);
            } else if (cause instanceof DialException failure) {
                dialFailed(failure);
            }
        }
    }

    /**
     * A tunnel stands.
     *
     * @param peer where the proxy has connected to, or null if that is not known
     */
    public void established(@Nullable SocketAddress peer) {
        if (journal != null) {
            this.peer = peer;
            status = method == null || method.equals("CONNECT") ? 200 : 101;
            ProxyListener.Request request = request();
            journal.tell(listener -> listener.tunnelEstablished(request));
        }
    }

    /**
     * A request that was forwarded, or answered by the proxy itself, is over.
     *
     * @param status of what the client was answered, or 0
     * @param peer where it was sent to, or null
     */
    public void exchanged(
            int status,
            long bytesToOrigin,
            long bytesToClient,
            CloseReason reason,
            @Nullable Throwable cause,
            @Nullable SocketAddress peer) {
        if (journal != null) {
            stage = Stage.TOLD;
            ProxyListener.Request request = request();
            Duration duration = Duration.ofNanos(journal.nanos() - requestNanos);
            ExchangeResult result = new ExchangeResult(status, bytesToOrigin, bytesToClient, duration, reason, cause);
            trace.exchange(request, peer, result);
            journal.tell(listener -> listener.exchangeEnded(request, result));
            journal.log(() -> AccessLog.exchange(request, peer, result));
        }
    }

    /** The client may send another request. */
    public void next() {
        if (journal != null) {
            stage = Stage.WAITING;
            requestNanos = journal.nanos();
            method = null;
            target = null;
            identity = null;
            dialTold = false;
            trace = RequestTrace.OFF;
        }
    }

    // ------------------------------------------------------------------ the end

    /**
     * The connection is closed.
     *
     * @param end the tunnel's, or of what came to none
     * @param connection the same of the connection
     */
    public void closed(TunnelResult end, ConnectionResult connection) {
        if (journal == null) {
            return;
        }
        opened(null); // unless it was
        if (stage != Stage.TOLD) {
            if (end.reason() == CloseReason.REFUSED && end.cause() instanceof RefusedException refusal) {
                refused(refusal);
            } else if (end.target() != null) {
                tunnelEnded(end, connection.tunnel() != null);
            }
        }
        ProxyListener.Client own = client();
        journal.tell(listener -> listener.connectionClosed(own, connection));
    }

    private void tunnelEnded(TunnelResult end, boolean established) {
        Journal told = Objects.requireNonNull(journal, "somebody watches");
        if (!dialTold && end.cause() instanceof DialException failure) {
            dialFailed(failure);
        }
        method = method == null ? "CONNECT" : method;
        target = end.target();
        identity = end.identity();
        ProxyListener.Request request = request();
        int answered = status == 0 && established ? 200 : status; // it may have stood before anybody watched
        SocketAddress reached = peer;
        RequestTrace traced = trace == RequestTrace.OFF ? Flight.request() : trace; // it may be on since a moment ago
        traced.tunnel(request, reached, established, end);
        told.tell(listener -> listener.tunnelEnded(request, end));
        told.log(() -> AccessLog.tunnel(request, answered, reached, end));
    }

    private ProxyListener.Client client() {
        opened(null);
        return Objects.requireNonNull(client, "it is open by now");
    }

    private ProxyListener.Request request() {
        return new ProxyListener.Request(client(), method, target, identity);
    }
}
