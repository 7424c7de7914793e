package io.broxy.core.internal.proxy;

import io.broxy.AccessPolicy;
import io.broxy.AccessRequest;
import io.broxy.Authenticator;
import io.broxy.Explanation;
import io.broxy.Explanation.Part;
import io.broxy.RefusedException;
import io.broxy.core.internal.http.Rejection;
import io.broxy.core.internal.loop.EventLoop;
import java.net.InetAddress;
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

    /** How long the authenticator may take. */
    long timeoutNanos() {
        return timeoutNanos;
    }

    LoginThrottle throttle() {
        return throttle;
    }

    /** Runs the authenticator. */
    Executor callbacks() {
        return callbacks;
    }

    /** Whether clients need credentials, unless their identity is known. */
    boolean authenticates() {
        return authenticator != null;
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
     * Begins to decide. A client whose identity is known needs no credentials.
     *
     * @param request names the client's identity if it is known
     * @param authorization the value of {@code Proxy-Authorization}, or null
     * @param outcome receives the decision, possibly before this returns
     * @return null if it has
     */
    @Nullable
    Authentication ask(EventLoop loop, AccessRequest request, @Nullable String authorization, Outcome outcome) {
        if (authenticator == null || request.identity() != null) {
            decide(request, outcome);
            return null;
        }
        if (refusesClient(request.client())) {
            outcome.refused(Rejection.ACCESS_DENIED.exception());
            return null;
        }
        return authenticate(loop, request, authorization, new Outcome() {
            @Override
            public void admitted(@Nullable String identity) {
                decide(identity == null ? request : request.withIdentity(identity), outcome);
            }

            @Override
            public void refused(RefusedException refusal) {
                outcome.refused(refusal);
            }
        });
    }

    /**
     * Begins to authenticate a client, without a look at what it asks for.
     *
     * @param request without an identity; it need not have a target
     * @param authorization the value of {@code Proxy-Authorization}, or null
     * @param outcome receives the client's identity or the refusal, possibly before this returns
     * @throws IllegalStateException if clients need no credentials
     */
    Authentication authenticate(
            EventLoop loop, AccessRequest request, @Nullable String authorization, Outcome outcome) {
        if (authenticator == null) {
            throw new IllegalStateException("there is no authenticator");
        }
        Authentication authentication = new Authentication(this, loop, authenticator, request, authorization, outcome);
        authentication.start();
        return authentication;
    }

    /** Whether nothing that a client with this address asks for is served, so that it need not log in. */
    boolean refusesClient(@Nullable InetAddress client) {
        try {
            return policy.refusesClient(client);
        } catch (RuntimeException | Error e) {
            DefaultProxyHandler.log.error("an access policy failed, which refuses the client", e);
            return true;
        }
    }

    /** Asks the policy about a client whose identity is known, if it needs one. */
    void decide(AccessRequest request, Outcome outcome) {
        if (admits(request)) {
            outcome.admitted(request.identity());
        } else {
            outcome.refused(Rejection.ACCESS_DENIED.exception());
        }
    }

    /** Says what is decided about a request, without an authenticator. */
    Explanation explain(AccessRequest request) {
        try {
            boolean anonymous = authenticator != null && request.identity() == null;
            if (policy.refusesClient(request.client())) {
                return Explanation.refused(Part.CLIENT, "the access policy refuses every request of the client");
            }
            if (anonymous) {
                return Explanation.refused(Part.AUTHENTICATION, "the client has no identity, and must log in");
            }
            return new Explanation(
                    List.of(new Explanation.Step(Part.ACCESS_POLICY, policy.admits(request), policy.explain(request))));
        } catch (RuntimeException | Error e) {
            DefaultProxyHandler.log.error("an access policy failed, which refuses the request", e);
            return Explanation.refused(Part.ACCESS_POLICY, "the access policy failed, which refuses the request");
        }
    }

    private boolean admits(AccessRequest request) {
        try {
            return policy.admits(request);
        } catch (RuntimeException | Error e) {
            DefaultProxyHandler.log.error("an access policy failed, which refuses the request", e);
            return false;
        }
    }
}
