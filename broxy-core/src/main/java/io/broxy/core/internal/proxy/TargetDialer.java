package io.broxy.core.internal.proxy;

import io.broxy.DialRequest;
import io.broxy.HostPort;
import io.broxy.core.internal.net.Completion;
import io.broxy.core.internal.net.DialHandle;
import io.broxy.core.internal.net.LoopConnection;
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

    /** The request for a client's target, which names the client only where the dialer passes it on. */
    DialRequest dialRequest(ClientConnection served, HostPort target) {
        DialRequest request = dialRequest(target);
        return settings.dialer().sendsClientAddress() ? forClient(served, request) : request;
    }

    private static DialRequest forClient(ClientConnection served, DialRequest request) {
        return request.toBuilder().client(served.dialsFor()).build();
    }

    /** Begins to dial for a tunnel, whose connection will be no other client's. */
    DialHandle beginDial(ClientConnection served, HostPort target, Completion<LoopConnection> completion) {
        return dialer.dial(served.loop(), forClient(served, dialRequest(target)), served.clientAddress(), completion);
    }
}
