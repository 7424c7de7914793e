package io.broxy.core.internal.forward;

import io.broxy.ConnectRequest;
import io.broxy.core.internal.http.AuthSchemes;
import io.broxy.core.internal.http.ForwardedResponse;
import io.broxy.core.internal.http.KeepAlive;
import io.broxy.core.internal.net.LoopConnection;
import io.broxy.core.internal.pool.LoopLease;
import io.broxy.core.internal.upstream.HttpHop;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The connection that a request goes over, and the login that is bound to it: leased from a pool, or {@linkplain
 * PinnedConnections pinned} to the client by an earlier request. The last
 * methods are its possible ends.
 *
 * <p>Threading: owned by its event loop.
 */
final class UpstreamConnection {
    private final LoopLease lease;
    private final HttpHop hop;
    private final PinnedConnections.Key key;
    private final PinnedConnections pins;
    private final boolean pinned;
    private BoundLogin login;

    /**
     * Creates the connection of one request.
     *
     * @param key what it is kept for if a login is bound to it
     * @param pin if the connection was kept for the client, else null
     */
    UpstreamConnection(
            LoopLease lease,
            HttpHop hop,
            PinnedConnections.Key key,
            PinnedConnections pins,
            PinnedConnections.@Nullable Pin pin) {
        this.lease = lease;
        this.hop = hop;
        this.key = key;
        this.pins = pins;
        this.pinned = pin != null;
        this.login = pin == null ? BoundLogin.NONE : pin.login();
    }

    LoopConnection connection() {
        return lease.connection();
    }

    /** The hop that the connection leads to. */
    HttpHop hop() {
        return hop;
    }

    /**
     * The further fields of a request.
     *
     * @param authorization the proxy's credentials, or null for none
     */
    List<ConnectRequest.Field> fields(@Nullable String authorization) {
        if (authorization == null) {
            return hop.fields();
        }
        List<ConnectRequest.Field> fields = new ArrayList<>(hop.fields());
        fields.add(new ConnectRequest.Field("Proxy-Authorization", authorization));
        return fields;
    }

    /** Whether it was kept for the client. */
    boolean isPinned() {
        return pinned;
    }

    /** Whether it lay idle before this request, so that its peer may have closed it a moment ago. */
    boolean wasIdle() {
        return lease.wasIdle() || pinned;
    }

    /** Whether a request that cannot be sent twice may go over it now. */
    boolean isReliable() {
        return lease.isReliable();
    }

    // ------------------------------------------------------------------ logins

    /** Whether the connection is the client's by its login: both end together, and no other connection will do. */
    boolean isOfClient() {
        return login == BoundLogin.OF_CLIENT;
    }

    /** A login is bound to the connection. */
    void bind(BoundLogin found) {
        if (found.compareTo(login) > 0) {
            login = found;
        }
    }

    /** Whether the client logs in at the proxy itself: its credentials and the proxy's challenges pass. */
    boolean passesLogin() {
        return key.origin() == null;
    }

    /** The proxy is sent these credentials, or null for none. A client's stay with it, whatever their scheme is. */
    void bind(@Nullable String authorization) {
        if (authorization == null) {
            return;
        }
        boolean bound = AuthSchemes.bindConnection(authorization);
        if (passesLogin()) {
            bind(bound ? BoundLogin.OF_CLIENT : BoundLogin.OF_PROXY);
        } else if (bound) {
            bind(BoundLogin.OF_PROXY);
        }
    }

    /** The head of a response has come, which may bind a login. */
    void bind(ForwardedResponse response) {
        if (response.login() || (passesLogin() && response.proxyLogin())) {
            bind(BoundLogin.OF_CLIENT);
        } else if (response.proxyLogin() || (passesLogin() && response.isProxyChallenge())) {
            bind(BoundLogin.OF_PROXY);
        }
    }

    /** Whether the response may offer the client logins by connection: every proxy on the path must keep that to it. */
    boolean supportsLogins(ForwardedResponse response) {
        return response.login() && (!hop.absoluteForm() || response.supportsLogins());
    }

    // ------------------------------------------------------------------ ends

    /** The response has been read whole, and the connection is idle from now on. */
    void answered(KeepAlive hint) {
        lease.answered(hint.timeoutNanos(), hint.max());
    }

    /** Gives the connection back: to its pool, or to the client's pins if a login is bound to it. */
    void giveBack() {
        if (login == BoundLogin.NONE) {
            lease.giveBack();
        } else {
            pins.keep(key, lease, login);
        }
    }

    /** Leaves the connection to the caller. */
    LoopConnection detach() {
        lease.detach();
        return lease.connection();
    }

    /** Closes the connection; another one carries the request instead. */
    void close() {
        lease.close();
    }

    /** Closes it because its peer gave it up without an answer; the pool learns of that, unless the client kept it idle. */
    void closeUnanswered() {
        if (!pinned) {
            lease.closeUnanswered();
        }
        lease.close();
    }

    /** Closes the connection; the client's own ends with it if its login was bound to it. */
    void end() {
        lease.close();
        pins.ended(login);
    }
}
