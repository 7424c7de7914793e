package io.broxy.core.internal.observe;

import io.broxy.ClientTls;
import io.broxy.CloseReason;
import io.broxy.ConnectionResult;
import io.broxy.DialException;
import io.broxy.DialResult;
import io.broxy.ExchangeResult;
import io.broxy.HostPort;
import io.broxy.ProxyListener;
import io.broxy.RefusedException;
import io.broxy.RequestId;
import io.broxy.TunnelResult;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.time.Duration;
import java.util.Objects;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * Reports the events of a client's connection to the {@link Observers}, request by request. {@link #NONE} reports nothing and
 * has no cost.
 *
 * <pre>
 *            requested                refused, exchanged
 *   WAITING ───────────> REQUESTED ──────────────────────> REPORTED
 *      ^                                                      │ next
 *      └──────────────────────────────────────────────────────┘
 * </pre>
 *
 * <p>Threading: owned by the thread that currently serves the client.
 */
public final class ConnectionRecorder {
    private enum State {
        /** No request has arrived. */
        WAITING,
        /** A request has arrived, and its end has not been reported. */
        REQUESTED,
        /** The end of the request has been reported. */
        REPORTED
    }

    /** The recorder of clients without observers. */
    public static final ConnectionRecorder NONE = new ConnectionRecorder();

    private final @Nullable Observers observers;
    private final HandOver handOver;

    private ProxyListener.@Nullable Client client;
    private String protocol = AccessLog.HTTP;
    private State state = State.WAITING;
    private long number;
    private long requestNanos;
    private @Nullable String method;
    private @Nullable HostPort target;
    private @Nullable String identity;
    private int status;
    private @Nullable SocketAddress peer;
    private boolean dialReported;
    private @Nullable RequestEvents recorded;

    ConnectionRecorder(Observers observers, HandOver handOver, long request) {
        this.observers = observers;
        this.handOver = handOver;
        this.number = request;
        this.requestNanos = observers.nanos();
    }

    private ConnectionRecorder() {
        observers = null;
        handOver = new HandOver(0, 0, 0);
    }

    /** Whether there are observers. */
    public boolean isOn() {
        return observers != null;
    }

    /** Records that serving of the client starts; its address and its TLS session, if any, are known by now. */
    public void opened(@Nullable SocketAddress address, @Nullable ClientTls tls) {
        if (observers != null && client == null) {
            ProxyListener.Client own = new ProxyListener.Client(
                    handOver.number(),
                    address instanceof InetSocketAddress internet ? internet : null,
                    handOver.start(),
                    tls);
            client = own;
            observers.notifyListener(listener -> listener.connectionOpened(own));
        }
    }

    /**
     * Records the protocol that the client speaks to the proxy.
     *
     * @param name the protocol's name in the access log
     */
    public void speaks(String name) {
        if (observers != null) {
            protocol = name;
        }
    }

    // ------------------------------------------------------------------ requests

    /**
     * Records that a request's head is complete.
     *
     * @param target null if the request is for the proxy itself
     */
    public void requested(String method, @Nullable HostPort target) {
        if (observers != null) {
            this.method = method;
            this.target = target;
            state = State.REQUESTED;
            requestNanos = observers.nanos();
            recorded = FlightRecorderEvents.request();
        }
    }

    /** Records that the client is authenticated, or has no identity. */
    public void identified(@Nullable String identity) {
        if (observers != null) {
            this.identity = identity;
        }
    }

    /** Records that the client sent wrong credentials. */
    public void credentialsFailed() {
        if (observers != null) {
            ProxyListener.Request request = request();
            observers.notifyListener(listener -> listener.authenticationFailed(request));
        }
    }

    /** Records that the request was refused. */
    public void refused(RefusedException refusal) {
        if (observers != null) {
            state = State.REPORTED;
            ProxyListener.Request request = request();
            long millis = TimeUnit.NANOSECONDS.toMillis(observers.nanos() - requestNanos);
            observers.notifyListener(listener -> listener.requestRefused(request, refusal));
            String spoken = protocol;
            observers.log(() -> AccessLog.refusal(request, spoken, refusal, millis));
        }
    }

    /**
     * Records that a connection was opened for the request.
     *
     * @param nanos how long that took, until now
     */
    public void dialed(@Nullable SocketAddress address, long nanos) {
        if (observers != null) {
            ProxyListener.Request request = request();
            DialResult result =
                    new DialResult(address, handOver.at(observers.nanos() - nanos), Duration.ofNanos(nanos));
            observers.notifyListener(listener -> listener.dialSucceeded(request, result));
        }
    }

    /** Records that the target could not be reached. */
    public void dialFailed(DialException failure) {
        if (observers != null) {
            dialReported = true;
            ProxyListener.Request request = request();
            observers.notifyListener(listener -> listener.dialFailed(request, failure));
        }
    }

    /**
     * Records the client's last response, and reports the refusal or dial failure that caused it unless it was already
     * reported.
     */
    public void answered(int status, CloseReason reason, @Nullable Throwable cause) {
        if (observers != null && state != State.REPORTED) {
            this.status = status;
            if (reason == CloseReason.REFUSED && cause instanceof RefusedException refusal) {
                refused(refusal);
            } else if (cause instanceof DialException failure) {
                dialFailed(failure);
            }
        }
    }

    /**
     * Records that a tunnel is open.
     *
     * @param peer the address that the proxy connected to, or null if unknown
     */
    public void established(@Nullable SocketAddress peer) {
        if (observers != null) {
            this.peer = peer;
            status = method == null || method.equals("CONNECT") ? 200 : 101;
            ProxyListener.Request request = request();
            observers.notifyListener(listener -> listener.tunnelEstablished(request));
        }
    }

    /**
     * Records the end of a request that was forwarded or answered by the proxy itself.
     *
     * @param status the response's status, or 0 without a response
     * @param peer the address that the request was sent to, or null
     */
    public void exchanged(
            int status,
            long bytesToOrigin,
            long bytesToClient,
            CloseReason reason,
            @Nullable Throwable cause,
            @Nullable SocketAddress peer) {
        if (observers != null) {
            state = State.REPORTED;
            ProxyListener.Request request = request();
            Duration duration = Duration.ofNanos(observers.nanos() - requestNanos);
            ExchangeResult result = new ExchangeResult(status, bytesToOrigin, bytesToClient, duration, reason, cause);
            if (recorded != null) {
                recorded.exchange(request, peer, result);
            }
            observers.notifyListener(listener -> listener.exchangeEnded(request, result));
            observers.log(() -> AccessLog.exchange(request, peer, result));
        }
    }

    /** Records that the client may send another request, which has this number. */
    public void next(long request) {
        if (observers != null) {
            number = request;
            state = State.WAITING;
            requestNanos = observers.nanos();
            method = null;
            target = null;
            identity = null;
            dialReported = false;
            recorded = null;
        }
    }

    // ------------------------------------------------------------------ the end

    /**
     * Records that the connection is closed.
     *
     * @param end the result of the tunnel, or of the attempt to open one
     * @param connection the result of the connection
     */
    public void closed(TunnelResult end, ConnectionResult connection) {
        if (observers == null) {
            return;
        }
        opened(null, null); // no effect if already opened
        if (state != State.REPORTED) {
            if (end.reason() == CloseReason.REFUSED && end.cause() instanceof RefusedException refusal) {
                refused(refusal);
            } else if (end.target() != null) {
                tunnelEnded(end, connection.tunnel() != null);
            }
        }
        ProxyListener.Client own = client();
        observers.notifyListener(listener -> listener.connectionClosed(own, connection));
    }

    private void tunnelEnded(TunnelResult end, boolean established) {
        Observers all = Objects.requireNonNull(observers, "there are observers");
        if (!dialReported && end.cause() instanceof DialException failure) {
            dialFailed(failure);
        }
        method = method == null ? "CONNECT" : method;
        target = end.target();
        identity = end.identity();
        ProxyListener.Request request = request();
        int answered = status == 0 && established
                ? 200
                : status; // the tunnel may have been opened before there were observers
        SocketAddress reached = peer;
        String spoken = protocol;
        // a recording may have started after the request arrived
        RequestEvents events = recorded == null ? FlightRecorderEvents.request() : recorded;
        if (events != null) {
            events.tunnel(request, protocol, reached, established, end);
        }
        all.notifyListener(listener -> listener.tunnelEnded(request, end));
        all.log(() -> AccessLog.tunnel(request, spoken, answered, reached, end));
    }

    private ProxyListener.Client client() {
        opened(null, null);
        return Objects.requireNonNull(client, "the connection was opened");
    }

    private ProxyListener.Request request() {
        return new ProxyListener.Request(
                new RequestId(handOver.number(), number),
                client(),
                handOver.at(requestNanos),
                method,
                target,
                identity);
    }
}
