package io.broxy.core.internal.dial;

import io.broxy.DialException;
import io.broxy.DialRequest;
import io.broxy.HostPort;
import io.broxy.core.internal.loop.EventLoop;
import io.broxy.core.internal.net.ClientNetwork;
import io.broxy.core.internal.net.Completion;
import io.broxy.core.internal.net.LoopConnection;
import io.broxy.core.internal.time.Ticker;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * What a dial on an event loop is to do, and by when.
 *
 * @param client for whose share of the look-ups it counts; see {@link io.broxy.core.internal.upstream.LoopDialer#dial}
 * @param startNanos when it was asked for, which is before its loop's turn
 * @param endNanos its deadline, from the request's timeout or the dialer's default
 * @param ticker the clock of both
 * @param completion gets the connection
 * <p>Threading: owned by its event loop.
 */
record Dial(
        EventLoop loop,
        DialRequest request,
        @Nullable InetAddress client,
        long startNanos,
        long endNanos,
        Ticker ticker,
        Completion<LoopConnection> completion) {

    HostPort target() {
        return request.target();
    }

    /** The network for whose share of the look-ups it counts: that of its client, or of the one that its request names. */
    @Nullable
    ClientNetwork network() {
        return client != null ? ClientNetwork.of(client) : network(request);
    }

    /** The network of the client that a request names; null for none. */
    static @Nullable ClientNetwork network(DialRequest request) {
        DialRequest.Client client = request.client();
        return client != null && client.source() instanceof InetSocketAddress source && source.getAddress() != null
                ? ClientNetwork.of(source.getAddress())
                : null;
    }

    /** The time until the deadline, negative behind it. */
    long leftNanos() {
        return endNanos - ticker.nanos();
    }

    /** How long it has taken so far. */
    Duration duration() {
        return Duration.ofNanos(ticker.nanos() - startNanos);
    }

    /** Begins the failure of this dial. */
    DialException.Builder failure(DialException.Reason reason) {
        return DialException.builder(reason, request.target()).duration(duration());
    }
}
