package io.broxy.core.internal.dial;

import io.broxy.AddressPolicy;
import io.broxy.DialRequest;
import io.broxy.Dialer;
import io.broxy.DirectDialer;
import io.broxy.Explanation;
import io.broxy.Explanation.Part;
import io.broxy.HostPort;
import java.io.IOException;
import java.net.InetAddress;

/**
 * What built-in dialers say about the way to a target.
 *
 * <p>Threading: stateless.
 */
final class RouteExplanation {
    private RouteExplanation() {}

    /** A direct dial, whose addresses the policy decides about. */
    static Explanation direct(DialRequest request) {
        Explanation route = Explanation.admitted(Part.ROUTE, "directly");
        return request.address() != null
                ? literal(route, request)
                : route.then(Explanation.admitted(
                        Part.ADDRESS_POLICY,
                        "the addresses of " + request.target().host() + " are checked when it is dialed"));
    }

    /**
     * A dial through a proxy: the policy decides about a literal address, and only the proxy knows where a name leads.
     *
     * @param scheme of the proxy's URI
     * @param below dials the proxy
     */
    static Explanation through(String scheme, HostPort proxy, Dialer below, DialRequest request) {
        String text = "through " + scheme + "://" + proxy;
        if (!(below instanceof DirectDialer)) {
            Explanation ofProxy = below.explain(DialRequest.to(proxy));
            text += ", which is reached " + ofProxy.steps().get(0).text();
        }
        return literal(Explanation.admitted(Part.ROUTE, text), request);
    }

    /** Adds what the policy says about a literal address, if the target is one. */
    static Explanation literal(Explanation route, DialRequest request) {
        InetAddress address = request.address();
        if (address == null) {
            return route;
        }
        AddressPolicy policy = request.addressPolicy();
        int port = request.target().port();
        IOException denial = DialFailures.denial(policy, address, port);
        if (denial == null) {
            return route.then(Explanation.admitted(Part.ADDRESS_POLICY, policy.explain(address, port)));
        }
        return route.then(Explanation.refused(
                Part.ADDRESS_POLICY,
                denial.getCause() == null ? policy.explain(address, port) : String.valueOf(denial.getMessage())));
    }
}
