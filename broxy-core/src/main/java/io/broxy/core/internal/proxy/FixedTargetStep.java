package io.broxy.core.internal.proxy;

import io.broxy.AccessRequest;
import io.broxy.HostPort;
import io.broxy.RefusedException;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A client that knows of no proxy, and whose target was chosen for it: it is asked nothing, but the access policy is.
 *
 * <p>Threading: owned by its event loop.
 */
final class FixedTargetStep implements Step, AccessControl.Outcome {
    private static final String METHOD = "CONNECT";

    private final ClientConnection connection;
    private final HostPort target;

    private FixedTargetStep(ClientConnection connection, HostPort target) {
        this.connection = connection;
        this.target = target;
    }

    /** Begins to serve the client. */
    static void start(ClientConnection connection, HostPort target) {
        connection.recorder().requested(METHOD, target);
        connection.tunnel().describe(target, null);
        connection.begin(new FixedTargetStep(connection, target));
    }

    /** The client cannot log in, so the authenticator is left out. */
    @Override
    public void begin() {
        AccessRequest request = new AccessRequest(connection.facts().address(), METHOD, target, null, List.of(), null);
        connection.context().access().decide(request, this);
    }

    @Override
    public void admitted(@Nullable String identity) {
        FilterStep.startTunnel(connection, target, identity, List.of(), false);
    }

    @Override
    public void refused(RefusedException refusal) {
        connection.refuse(refusal, false);
    }
}
