package io.broxy;

import java.net.InetSocketAddress;
import java.time.Instant;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * Receives the events of a handler's clients: for metrics, audits and bans. Each method does nothing by default.
 *
 * <p>The order of events:
 *
 * <ul>
 *   <li>for each client connection: {@link #connectionOpened} first and {@link #connectionClosed} last;
 *   <li>for each refused request: {@link #requestRefused} and nothing else;
 *   <li>for each admitted CONNECT: one {@link #tunnelEnded}, and before it {@link #dialSucceeded} and {@link
 *       #tunnelEstablished}, or {@link #dialFailed}, or none of them if the client went away meanwhile;
 *   <li>for any other admitted request: one {@link #exchangeEnded}, and before it {@link #dialSucceeded} for each connection that was
 *       opened for it, and {@link #dialFailed} if the dial failed. This includes requests to the proxy itself, which a {@link LocalRequestHandler} answers. A request that
 *       switches protocols becomes a tunnel, without {@code exchangeEnded};
 *   <li>for wrong credentials: {@link #authenticationFailed} before the refusal.
 * </ul>
 *
 * <p>Threading: called on the engine's executor for user code, never on an event loop; one call at a time, and in order
 * for each connection. Calls come after the event, so a listener that throws or blocks harms no connection: exceptions
 * are logged, and up to 10,000 events wait. Further events are dropped and {@linkplain ProxyStats#droppedEvents
 * counted}. A closed engine delivers waiting events as long as its {@code close} waits for user code.
 */
public interface ProxyListener {

    /**
     * A client's connection. Threading: immutable.
     *
     * @param number identifies the connection within its handler; later connections have higher numbers
     * @param address the client's address, or null if it has none, as over a Unix domain socket
     * @param start when the connection was handed over, by the system clock at that time
     * @param tls the client's TLS session; null if the client does not speak TLS to the proxy, or its handshake failed
     */
    record Client(
            long number,
            @Nullable InetSocketAddress address,
            Instant start,
            @Nullable ClientTls tls) {

        /** Checks for null. */
        public Client {
            Objects.requireNonNull(start, "start");
        }
    }

    /**
     * A client's request, as far as it is known. Threading: immutable.
     *
     * @param id identifies the request within its handler, also for a {@link FilterRequest}
     * @param client the connection that the request came over
     * @param start when the request's head was complete or, if no valid head came, since when it was awaited; by the same clock as
     *     {@link Client#start()}, so that the durations of results can be added
     * @param method the method as it was received; null if no valid head came. It may be any token
     * @param target the requested host and port; null if no valid head came, or if the request is to the proxy itself
     * @param identity the client's identity, as the {@link Authenticator} or the host server has established it; null
     *     if there is none
     */
    record Request(
            RequestId id,
            Client client,
            Instant start,
            @Nullable String method,
            @Nullable HostPort target,
            @Nullable String identity) {

        /** Checks for null. */
        public Request {
            Objects.requireNonNull(id, "id");
            Objects.requireNonNull(client, "client");
            Objects.requireNonNull(start, "start");
        }
    }

    /** A connection was accepted and is now being served; a client with TLS is reported when its handshake has ended. */
    default void connectionOpened(Client client) {}

    /** A connection is closed, and all its other events have been delivered. */
    default void connectionClosed(Client client, ConnectionResult result) {}

    /**
     * A request is refused, nearly always before a connection was dialed. A request that was already being forwarded
     * when its fault was found, for example in its body, ends in {@link #exchangeEnded} instead. A target whose address
     * is denied is not a refusal, but a failed dial with {@link DialException.Reason#DENIED}.
     */
    default void requestRefused(Request request, RefusedException refusal) {}

    /**
     * A client has sent wrong credentials. A request without credentials, as most clients send first, is only refused.
     */
    default void authenticationFailed(Request request) {}

    /**
     * A connection was opened for a request. A request that is forwarded over an idle connection has no such event.
     */
    default void dialSucceeded(Request request, DialResult result) {}

    /** The dial of a request's target failed. */
    default void dialFailed(Request request, DialException failure) {}

    /** A tunnel is open. */
    default void tunnelEstablished(Request request) {}

    /** A tunnel, or the attempt to establish one, has ended. */
    default void tunnelEnded(Request request, TunnelResult result) {}

    /** A forwarded request, or one to the proxy itself, has ended, with or without a response. */
    default void exchangeEnded(Request request, ExchangeResult result) {}

    /** A listener that notifies this one and then the other one, even if this one throws. */
    default ProxyListener and(ProxyListener other) {
        return new BothListeners(this, Objects.requireNonNull(other, "other"));
    }
}
