package io.broxy.core.internal.proxy;

import io.broxy.AccessPolicy;
import io.broxy.AccessRequest;
import io.broxy.Authenticator;
import io.broxy.RefusedException;
import io.broxy.core.internal.http.Rejection;
import io.broxy.core.internal.loop.EventLoop;
import java.util.List;
import java.util.concurrent.Executor;
import org.jspecify.annotations.Nullable;

/**
 * Decides whether a request is served, before any name is resolved: authenticates the client, and asks the access policy.
 *
 * <p>Threading: thread-safe; {@link #ask} and what comes of it runs on the client's loop.
 */
final class AccessControl {
    private final AccessPolicy policy;
    private final @Nullable Authenticator authenticator;
    private final long timeoutNanos;
    private final LoginThrottle throttle = new LoginThrottle();
    private final Executor callbacks;

    /**
     * Creates the access control of a handler.
     *
     * @param authenticator null if clients need no credentials
     * @param timeoutNanos for the authenticator
     * @param callbacks runs the authenticator
     */
    AccessControl(AccessPolicy policy, @Nullable Authenticator authenticator, long timeoutNanos, Executor callbacks) {
        this.policy = policy;
        this.authenticator = authenticator;
        this.timeoutNanos = timeoutNanos;
        this.callbacks = callbacks;
    }

    /** Receives the decision, once, on the loop. Threading: owned by its event loop. */
    interface Outcome {
        /** The request is served; the identity is null if no authenticator is set. */
        void admitted(@Nullable String identity);

        /** The request is not served. */
        void refused(RefusedException refusal);
    }

    /** A request that waits for its decision. Threading: owned by its event loop. */
    interface Asking {
        /** The decision is not needed any more. */
        void cancel();
    }

    /** Whether every request is served, so that there is nothing to decide. */
    boolean isOpen() {
        return authenticator == null && policy == AccessPolicy.any();
    }

    /** The values of {@code Proxy-Authenticate} for a client without an identity. */
    List<String> challenges() {
        return authenticator == null ? List.of() : authenticator.challenges();
    }

    /**
     * Begins to decide.
     *
     * @param authorization the value of {@code Proxy-Authorization}, or null
     * @param outcome receives the decision, possibly before this returns
     * @return null if it has
     */
    @Nullable
    Asking ask(EventLoop loop, AccessRequest request, @Nullable String authorization, Outcome outcome) {
        Authenticator asked = authenticator;
        if (asked == null) {
            decide(request, outcome);
            return null;
        }
        Authentication authentication = new Authentication(
                loop, asked, request, authorization, throttle, timeoutNanos, callbacks, new Outcome() {
                    @Override
                    public void admitted(@Nullable String identity) {
                        decide(identity == null ? request : request.withIdentity(identity), outcome);
                    }

                    @Override
                    public void refused(RefusedException refusal) {
                        outcome.refused(refusal);
                    }
                });
        authentication.start();
        return authentication;
    }

    private void decide(AccessRequest request, Outcome outcome) {
        RefusedException refusal = check(request);
        if (refusal == null) {
            outcome.admitted(request.identity());
        } else {
            outcome.refused(refusal);
        }
    }

    /** The reason why the policy refuses a request of a known client, or null. */
    @Nullable
    RefusedException check(AccessRequest request) {
        boolean admitted;
        try {
            admitted = policy.admits(request);
        } catch (RuntimeException | Error e) {
            DefaultProxyHandler.log.error("an access policy failed, which refuses the request", e);
            admitted = false;
        }
        return admitted ? null : Rejection.ACCESS_DENIED.exception();
    }
}
