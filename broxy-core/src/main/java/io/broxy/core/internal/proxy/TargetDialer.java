package io.broxy.core.internal.proxy;

import io.broxy.AddressPolicy;
import io.broxy.DialException;
import io.broxy.DialRequest;
import io.broxy.Dialer;
import io.broxy.DirectDialer;
import io.broxy.Explanation;
import io.broxy.HostPort;
import io.broxy.core.internal.net.Completion;
import io.broxy.core.internal.net.DialHandle;
import io.broxy.core.internal.net.LoopConnection;
import io.broxy.core.internal.net.OwnAddresses;
import io.broxy.core.internal.upstream.HttpRoute;
import io.broxy.core.internal.upstream.HttpRouter;
import io.broxy.core.internal.upstream.LoopDialer;
import io.broxy.core.internal.upstream.UserDialerAdapter;
import java.io.IOException;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * Dials the targets that clients ask for.
 *
 * <p>Denies the targets at which this engine listens before a dialer sees them: a dialer through a proxy does not look names
 * up, and a user-written one may ignore the address policy. Names that need a look-up are left to that policy, of which {@link
 * OwnAddresses} is a part.
 *
 * <p>Threading: thread-safe; dials run on the client's loop.
 */
final class TargetDialer implements HttpRouter {
    private final ProxyEngine engine;
    private final OwnAddresses own;
    private final Dialer dialer;
    private final LoopDialer onLoops;
    private final HttpRouter router;
    private final AddressPolicy addressPolicy;
    private final Duration timeout;
    /** The dialer is a direct one of the engine's, and so has no use for the client's name. */
    private final boolean direct;

    private volatile @Nullable DialRequest lastDial;

    /** Dials by another dialer, which filters mostly return again. */
    private volatile @Nullable TargetDialer lastOther;

    /**
     * Creates it.
     *
     * @param policy the target addresses that clients may reach; the engine's own are denied besides
     * @param timeout for each dial
     */
    TargetDialer(Dialer dialer, AddressPolicy policy, Duration timeout, ProxyEngine engine) {
        this(dialer, engine, timeout, policy.and(engine.ownAddresses()));
    }

    private TargetDialer(Dialer dialer, ProxyEngine engine, Duration timeout, AddressPolicy addressPolicy) {
        this.engine = engine;
        this.own = engine.ownAddresses();
        this.dialer = dialer;
        this.onLoops = UserDialerAdapter.of(dialer, engine.workers());
        this.router = HttpRouter.of(dialer, engine.workers());
        this.addressPolicy = addressPolicy;
        this.timeout = timeout;
        this.direct = dialer instanceof DirectDialer && dialer instanceof LoopDialer;
    }

    /** The same by another dialer, unless that is null. */
    TargetDialer or(@Nullable Dialer other) {
        if (other == null || other == dialer) {
            return this;
        }
        TargetDialer last = lastOther;
        if (last == null || last.dialer != other) {
            last = new TargetDialer(other, engine, timeout, addressPolicy);
            lastOther = last;
        }
        return last;
    }

    /** Begins to dial for a tunnel, whose connection will be no other client's. */
    DialHandle dial(ClientConnection client, HostPort target, Completion<LoopConnection> completion) {
        if (own.contain(target)) {
            completion.failed(denial(target));
            return () -> {};
        }
        return onLoops.dial(
                client.loop(), request(client, target, !direct), client.facts().address(), completion);
    }

    /** The request for the target of a forwarded request; names the client only where the dialer passes it on. */
    DialRequest request(ClientConnection client, HostPort target) {
        return request(client, target, dialer.sendsClientAddress());
    }

    private DialRequest request(ClientConnection client, HostPort target, boolean named) {
        if (named) {
            return builder(target).client(client.facts().dialsFor()).build();
        }
        DialRequest last = lastDial;
        if (last == null
                || !last.target().equals(target)) { // mostly the same, where clients send request after request
            last = builder(target).build();
            lastDial = last;
        }
        return last;
    }

    private DialRequest.Builder builder(HostPort target) {
        return DialRequest.builder(target).timeout(timeout).addressPolicy(addressPolicy);
    }

    @Override
    public HttpRoute route(DialRequest request) throws DialException {
        if (own.contain(request.target())) {
            throw denial(request.target());
        }
        return router.route(request);
    }

    /** Whether a tunnel to a target begins at a proxy at which the client logs in itself, where handlers pass that. */
    boolean takesLogins(ClientConnection client, HostPort target) {
        try {
            return route(request(client, target)).hop().takesLogins();
        } catch (DialException e) {
            return false; // the dial fails for the same reason
        }
    }

    /** Says how a target would be dialed, without a lookup. */
    Explanation explain(HostPort target) {
        if (own.contain(target)) {
            return Explanation.refused(Explanation.Part.OWN_ADDRESS, target + " is where this proxy listens");
        }
        return dialer.explain(builder(target).build());
    }

    private static DialException denial(HostPort target) {
        return DialException.builder(DialException.Reason.DENIED, target)
                .cause(new IOException(
                        DialException.Reason.DENIED.text() + ": " + target + " is where this proxy listens"))
                .build();
    }
}
