package io.broxy;

import java.net.InetSocketAddress;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * Told what happens to a handler's clients: for metrics, audits and bans. Each method does nothing by default.
 *
 * <p>What is told when:
 *
 * <ul>
 *   <li>each client's connection: {@link #connectionOpened} first and {@link #connectionClosed} last;
 *   <li>each request: either {@link #requestRefused} and nothing else, or it was let in. Then for CONNECT one {@link
 *       #tunnelEnded}, before it {@link #tunnelEstablished} or {@link #dialFailed}, or neither if the client went away
 *       meanwhile; for any other request one {@link #exchangeEnded}, before it {@link #dialFailed} if it came to that. So
 *       also for one to the proxy itself, which an {@link LocalRequestHandler} answers. A request that switches protocols
 *       becomes a tunnel, without {@code exchangeEnded};
 *   <li>wrong credentials: {@link #authenticationFailed} before the refusal.
 * </ul>
 *
 * <p>Threading: never called on an event loop, but on the engine's executor for user code, one call after another and
 * in the order in which things happened to a connection. It happens behind the event, so that a listener which throws or
 * blocks harms nobody: what it throws is logged, and what it has not been told yet waits, up to 10,000 events. Whatever
 * comes beyond that is dropped and {@linkplain ProxyStats#droppedEvents counted}. A closed engine tells what is waiting as long
 * as its {@code close} waits for user code.
 */
public interface ProxyListener {

    /**
     * A client's connection. Threading: immutable.
     *
     * @param number identifies the connection within its handler; later connections have higher numbers
     * @param address the client's address, or null if it has none, as over a Unix domain socket
     */
    record Client(long number, @Nullable InetSocketAddress address) {}

    /**
     * A client's request, as far as it is known. Threading: immutable.
     *
     * @param client the connection that the request came over
     * @param method the method as it was received; null if no valid head came. It may be any token
     * @param target the requested host and port; null if no valid head came, or if the request is to the proxy itself
     * @param identity the client's identity, as the {@link Authenticator} or the host server has established it; null if there
     *     is none
     */
    record Request(
            Client client, @Nullable String method, @Nullable HostPort target, @Nullable String identity) {

        /** Checks for null. */
        public Request {
            Objects.requireNonNull(client, "client");
        }
    }

    /** A connection is served from now on. */
    default void connectionOpened(Client client) {}

    /** A connection is closed, and everything that was on it has been told. */
    default void connectionClosed(Client client, ConnectionResult result) {}

    /**
     * A request is refused, nearly always before anything was dialled. What was forwarded before its fault was found, in its body
     * for one, has ended in {@link #exchangeEnded} instead. A target whose address is denied is none of these, but a {@link
     * DialException.Reason#DENIED}.
     */
    default void requestRefused(Request request, RefusedException refusal) {}

    /** A client has shown credentials that are wrong. One that has shown none yet, as most do at first, is only refused. */
    default void authenticationFailed(Request request) {}

    /** There is no connection to a request's target. */
    default void dialFailed(Request request, DialException failure) {}

    /** A tunnel stands. */
    default void tunnelEstablished(Request request) {}

    /** A tunnel, or the attempt to make one, is over. */
    default void tunnelEnded(Request request, TunnelResult result) {}

    /** A request that was forwarded, or was to the proxy itself, is over, with or without a response. */
    default void exchangeEnded(Request request, ExchangeResult result) {}
}
