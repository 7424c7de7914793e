package io.broxy.core.internal.proxy;

import io.broxy.DialRequest;
import io.broxy.HostPort;
import io.broxy.core.internal.net.DialHandle;
import io.broxy.core.internal.upstream.LoopDialer;
import org.jspecify.annotations.Nullable;

/**
 * Dials the targets that clients ask for.
 *
 * <p>Threading: thread-safe.
 */
final class TargetDialer {
    private final HandlerSettings settings;
    private final LoopDialer dialer;
    private volatile @Nullable DialRequest lastDial;

    /**
     * Creates it.
     *
     * @param dialer the settings' dialer, for loops
     */
    TargetDialer(HandlerSettings settings, LoopDialer dialer) {
        this.settings = settings;
        this.dialer = dialer;
    }

    /** The request for a client's target: mostly the same as before, where clients send request after request. */
    private DialRequest dialRequest(HostPort target) {
        DialRequest last = lastDial;
        if (last == null || !last.target().equals(target)) {
            last = settings.dialRequest(target);
            lastDial = last;
        }
        return last;
    }

    /** The same request for all clients where that makes no difference, so that they share connections, too. */
    DialRequest dialRequest(ClientConnection served, HostPort target) {
        DialRequest request = dialRequest(target);
        return settings.dialer().sendsClientAddress() ? forClient(served, request) : request;
    }

    /** A client is about to be served. What is kept for it alone goes with it. */
    void comes(ClientConnection served) {
        DialRequest.Client client = settings.dialer().sendsClientAddress() ? served.dialsFor() : null;
        if (client != null) {
            served.tunnel().alsoAtEnd(() -> settings.forwarding().pool().clientGone(client));
        }
    }

    private static DialRequest forClient(ClientConnection served, DialRequest request) {
        return request.toBuilder().client(served.dialsFor()).build();
    }

    /** Begins to dial for a tunnel, whose connection will be no other client's. */
    DialHandle beginDial(ClientConnection served, HostPort target, LoopDialer.Outcome session) {
        return dialer.dial(served.loop(), forClient(served, dialRequest(target)), session);
    }
}
