package io.broxy;

/**
 * Sees each CONNECT, each connection request of SOCKS and each request that is to be forwarded, and decides what becomes of it:
 * after the {@link Authenticator} and the {@link AccessPolicy}, and before any name is resolved and any connection is dialed.
 *
 * <pre>{@code
 * RequestFilter filter = request -> request.target().host().endsWith(".test")
 *         ? RequestDecision.refuse(403, "not from here")
 *         : RequestDecision.pass().set("X-Gate", "7").remove("Cookie");
 * }</pre>
 *
 * <p>Requests that are refused before do not reach the filter: those that violate HTTP/1.1, and those that authentication or
 * the access policy refuse. Nor do requests to the proxy itself (see {@link LocalRequestHandler}), and those that {@code
 * Max-Forwards} has answered here. A request that passes may still be refused, by the {@link AddressPolicy} for example.
 *
 * <p>A filter that throws or returns null refuses the request: the client gets 500, the exception is logged, and its text stays
 * here. Its refusals count as {@link RefusedException.Reason#FILTERED}.
 *
 * <p>Threading: implementations are thread-safe. One set by {@link ProxyHandler.Builder#requestFilter} is called on event
 * loops, so it is pure and must not block; one set by {@link ProxyHandler.Builder#blockingRequestFilter} is called on the
 * callback executor and may block.
 */
@FunctionalInterface
public interface RequestFilter {

    /**
     * Decides about a request.
     *
     * @return the decision, never null
     * @throws Exception if there is none, which refuses the request with 500
     */
    RequestDecision decide(FilterRequest request) throws Exception;
}
