package io.broxy.core.internal.proxy;

import io.broxy.ConnectionResult;
import io.broxy.RequestId;
import io.broxy.TunnelResult;
import io.broxy.core.internal.net.LoopConnection;
import io.broxy.core.internal.observe.ConnectionRecorder;
import io.broxy.core.internal.observe.HandOver;
import java.net.SocketAddress;
import org.jspecify.annotations.Nullable;

/**
 * The account of a client's connection: its places among the handler's limits, how far it has come, what records it, and what is
 * counted at its end.
 *
 * <p>Threading: owned by whichever thread has the connection; {@link #phase}, {@link #recorder} and the end are for any thread.
 */
final class ClientAccount {

    /** How far a client has come. */
    enum Phase {
        /** The client was handed over. */
        REQUESTED,
        /** A CONNECT was admitted and its target is being dialed. */
        ADMITTED,
        /** The tunnel is open. */
        ESTABLISHED
    }

    private final HandlerContext context;
    private final ConnectionLimits.Admission admission;
    private final HandOver handOver;

    private volatile ConnectionRecorder recorder = ConnectionRecorder.NONE;
    /** The number of the current request. */
    private long requests = 1;

    /** Where the tunnel leads to; written before the phase is. */
    private @Nullable SocketAddress peer;

    private volatile Phase phase = Phase.REQUESTED;
    private volatile long exchanges;
    private volatile boolean endsWithExchange;

    /** Creates the account of a client that was counted. */
    ClientAccount(HandlerContext context, ConnectionLimits.Admission admission) {
        this.context = context;
        this.admission = admission;
        this.handOver = context.observers().handOver();
    }

    /** When the client was handed over. */
    HandOver handOver() {
        return handOver;
    }

    /** The client's places among those that are counted. */
    ConnectionLimits.Admission admission() {
        return admission;
    }

    // ------------------------------------------------------------------ records

    /** Records events of the client, if anything observes it. */
    ConnectionRecorder recorder() {
        return recorder;
    }

    /** As {@link #recorder}, and begins to record if observation has begun a moment ago. */
    ConnectionRecorder startRecorder() {
        ConnectionRecorder current = recorder;
        if (!current.isOn()) {
            current = context.observers().newRecorder(handOver, requests);
            recorder = current;
        }
        return current;
    }

    /** Identifies the current request. */
    RequestId requestId() {
        return new RequestId(handOver.number(), requests);
    }

    /** The client may send another request. */
    void nextRequest() {
        recorder.next(++requests);
    }

    /**
     * A connection was opened for the current request.
     *
     * @param nanos how long that took
     */
    void dialed(LoopConnection origin, long nanos) {
        context.metrics().dialTimes().record(nanos);
        if (recorder.isOn()) {
            recorder.dialed(origin.peer(), nanos);
        }
    }

    // ------------------------------------------------------------------ how far it has come

    Phase phase() {
        return phase;
    }

    /** A CONNECT is admitted and counts as a tunnel from now on. */
    void tunnelAdmitted() {
        phase = Phase.ADMITTED;
    }

    /** No tunnel comes of it: the client only gets the reason, for which a drain does not wait. */
    void tunnelFailed() {
        if (phase == Phase.ADMITTED) {
            phase = Phase.REQUESTED;
            context.metrics().endTunnel();
        }
    }

    /**
     * The tunnel is open.
     *
     * @param to the other end of its socket, which is the target or a proxy on the path; null if that is not known
     */
    void tunnelEstablished(@Nullable SocketAddress to) {
        peer = to;
        phase = Phase.ESTABLISHED;
        recorder.established(to);
        context.metrics().established();
    }

    /** The other end of the socket of a tunnel that is open, if it is known; with the {@link #phase} for any thread. */
    @Nullable
    SocketAddress peer() {
        return peer;
    }

    /** An exchange of plain HTTP, or a request to the proxy itself, is over. */
    @SuppressWarnings("NonAtomicVolatileUpdate") // only its loop writes it
    void exchangeEnded() {
        exchanges++;
    }

    /** The exchange that ends the connection has counted the reason of that end. */
    void endsWithExchange() {
        endsWithExchange = true;
    }

    /** Whether the reason of the end has been counted with an exchange. */
    boolean hasEndedWithExchange() {
        return endsWithExchange;
    }

    // ------------------------------------------------------------------ the end

    /** The connection is closed: gives its places back, counts and records the end. */
    void ended(ClientConnection connection, TunnelResult result) {
        admission.leave();
        context.metrics().ended(connection, result);
        ConnectionRecorder last = startRecorder();
        if (last.isOn()) {
            last.speaks(connection.protocol().logName());
            last.closed(result, result(result));
        }
        if (phase != Phase.REQUESTED) {
            context.metrics().endTunnel(); // the last of it: a drain may wait for that
        }
        if (DefaultProxyHandler.log.isDebugEnabled()) {
            logEnd(result);
        }
    }

    private void logEnd(TunnelResult result) {
        if (result.target() == null) {
            DefaultProxyHandler.log.debug(
                    "connection: {} after {} ms, {} requests",
                    result.reason(),
                    result.duration().toMillis(),
                    exchanges,
                    result.cause());
            return;
        }
        DefaultProxyHandler.log.debug(
                "tunnel to {}: {} after {} ms, {} bytes to the origin, {} to the client",
                result.target(),
                result.reason(),
                result.duration().toMillis(),
                result.bytesToOrigin(),
                result.bytesToClient(),
                result.cause());
    }

    /** The result of the connection, which has ended. */
    ConnectionResult result(TunnelResult end) {
        return new ConnectionResult(
                end.duration(), end.reason(), phase == Phase.ESTABLISHED ? end : null, exchanges, end.cause());
    }
}
