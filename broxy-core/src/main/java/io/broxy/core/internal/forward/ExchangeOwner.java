package io.broxy.core.internal.forward;

import io.broxy.CloseReason;
import io.broxy.DialRequest;
import io.broxy.RefusedException;
import io.broxy.core.internal.http.ForwardedResponse;
import io.broxy.core.internal.loop.Throttles;
import io.broxy.core.internal.net.LoopConnection;
import java.io.IOException;
import java.net.InetAddress;
import java.nio.ByteBuffer;
import org.jspecify.annotations.Nullable;

/**
 * Has the client that an exchange serves. The exchange calls one of the methods that end it, once; by then the client's
 * connection is the owner's again, which sets its handler and interest anew.
 *
 * <p>Threading: owned by the exchange's event loop.
 */
public interface ExchangeOwner {

    /** Whether the client may send another request over its connection; asked when the response's head is written. */
    boolean mayPersist();

    /** Whether the connection to the origin may take threads, which it does if it can only block. */
    boolean mayHaveThreads();

    /** The owner is to check the time then, or before; called whenever that may have come nearer. */
    void due(long deadlineNanos);

    /** The client's address, whose share of the look-ups a dial counts for; null if it is not known. */
    default @Nullable InetAddress clientAddress() {
        return null;
    }

    /** The client of this request, for a proxy that wants credentials; null if its addresses are not known. */
    default DialRequest.@Nullable Client client() {
        return null;
    }

    /** Limits of what is read, or null for none. */
    default @Nullable Throttles throttles() {
        return null;
    }

    /**
     * A connection was opened for the request.
     *
     * @param nanos how long that took
     */
    default void dialed(LoopConnection origin, long nanos) {}

    /**
     * The response as the client gets it; asked once, for one that is not interim.
     *
     * @throws RefusedException if the client does not get it
     */
    default ForwardedResponse filter(ForwardedResponse response) throws RefusedException {
        return response;
    }

    /** The upstream connections that belong to the client's. */
    PinnedConnections pinned();

    /** The authenticated identity of this request, or null. */
    @Nullable
    String identity();

    /**
     * The response has been written.
     *
     * @param persistent whether the client may send another request
     */
    void completed(boolean persistent);

    /**
     * Nothing of a final response has been written, and none will come.
     *
     * @param failure a {@link io.broxy.DialException}, an {@link io.broxy.OriginException}, or a {@link
     *     io.broxy.RefusedException} when the fault is the client's
     * @param requestRead whether the whole request has been read, so that another may follow
     */
    void failed(IOException failure, boolean requestRead);

    /**
     * A part of the response has been written, and the rest will not come; or nothing, and the client's connection ends with
     * the one that its login was bound to.
     *
     * @param hidden whether the client would take an orderly end of its connection for the end of the response
     */
    void cut(CloseReason reason, @Nullable Throwable cause, boolean hidden);

    /** The client's connection is broken, or has ended within the request; the latter without a cause. */
    void clientGone(@Nullable IOException cause);

    /**
     * The origin has switched protocols, or the next proxy has opened a tunnel: its connection, which is the owner's now, and
     * the client's are a tunnel.
     *
     * @param answer held bytes for the client: the response's head, and what came behind it; null after CONNECT, whose answer is
     *     the owner's
     */
    void upgraded(LoopConnection origin, @Nullable ByteBuffer answer);

    /**
     * The tunnel that CONNECT asks for is to be dialed: no proxy at which the client logs in can be reached.
     *
     * @param unread whether something that came behind the request waits at the client's connection
     */
    void dialInstead(boolean unread);

    /** A handler has thrown, or the loop ends. */
    void abandoned(Throwable cause);
}
