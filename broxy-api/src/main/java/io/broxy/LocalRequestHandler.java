package io.broxy;

/**
 * Answers the requests that clients send to the proxy itself rather than through it: those whose target is a path
 * (origin form, RFC 9112 section 3.2.1) or, with OPTIONS, {@code *}. Examples are health checks, a {@code proxy.pac}
 * and counters. CONNECT and targets in absolute form never come here.
 *
 * <p>Every client that can connect gets a response: neither the {@link AccessPolicy}, because there is no target, nor
 * the {@link Authenticator} is applied before. Requests that violate HTTP/1.1 are refused like all others, and a body
 * of more than {@link LocalRequest#MAX_BODY} bytes gets 413.
 *
 * <p>The proxy frames the response, sends it without its body for HEAD, and keeps the connection for the next request
 * if the client allows it. Listeners and logs report these requests like forwarded ones ({@link
 * ProxyListener#exchangeEnded}, the access log, {@link ProxyStats}), without a target and without bytes.
 *
 * <p>Threading: implementations are thread-safe. They are called on the callback executor and may block; if the
 * response does not come within the {@linkplain ProxyHandler.Builder#localRequestTimeout timeout}, the client gets 503,
 * and a later response is ignored.
 */
@FunctionalInterface
public interface LocalRequestHandler {

    /**
     * Answers a request.
     *
     * @return the response, never null
     * @throws Exception if there is no response; the client gets 500, and no detail of the exception
     */
    LocalResponse handle(LocalRequest request) throws Exception;
}
