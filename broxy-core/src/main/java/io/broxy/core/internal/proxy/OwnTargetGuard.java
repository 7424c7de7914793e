package io.broxy.core.internal.proxy;

import io.broxy.DialException;
import io.broxy.DialRequest;
import io.broxy.HostPort;
import io.broxy.core.internal.loop.EventLoop;
import io.broxy.core.internal.net.Completion;
import io.broxy.core.internal.net.DialHandle;
import io.broxy.core.internal.net.LoopConnection;
import io.broxy.core.internal.net.OwnAddresses;
import io.broxy.core.internal.upstream.HttpRoute;
import io.broxy.core.internal.upstream.HttpRouter;
import io.broxy.core.internal.upstream.LoopDialer;
import java.io.IOException;
import java.net.InetAddress;
import org.jspecify.annotations.Nullable;

/**
 * Denies the targets at which this engine listens before a dialer sees them: a dialer through a proxy does not look names up,
 * and a user-written one may ignore the address policy. Names that need a look-up are left to that policy, of which {@link OwnAddresses} is a
 * part.
 *
 * <p>Threading: thread-safe; dials run on the given loop.
 */
record OwnTargetGuard(OwnAddresses own, LoopDialer dialer, HttpRouter router) implements LoopDialer, HttpRouter {

    @Override
    public DialHandle dial(
            EventLoop loop, DialRequest request, @Nullable InetAddress client, Completion<LoopConnection> completion) {
        if (own.contain(request.target())) {
            completion.failed(denial(request.target()));
            return () -> {};
        }
        return dialer.dial(loop, request, client, completion);
    }

    @Override
    public HttpRoute route(DialRequest request) throws DialException {
        if (own.contain(request.target())) {
            throw denial(request.target());
        }
        return router.route(request);
    }

    private static DialException denial(HostPort target) {
        return DialException.builder(DialException.Reason.DENIED, target)
                .cause(new IOException(
                        DialException.Reason.DENIED.text() + ": " + target + " is where this proxy listens"))
                .build();
    }
}
