package io.broxy;

/**
 * Answers the requests that clients send to the proxy itself rather than through it: those whose target is a path (origin
 * form, RFC 9112 section 3.2.1) or, with OPTIONS, {@code *}. Health checks, a {@code proxy.pac} and counters are such. CONNECT
 * and targets in absolute form never come here.
 *
 * <p>Whoever can connect may ask: neither the {@link AccessPolicy}, for there is no target, nor the {@link Authenticator} is
 * asked before. Requests that break HTTP/1.1 are refused as all others, and a body of more than {@link LocalRequest#MAX_BODY}
 * bytes with 413.
 *
 * <p>The proxy does the framing, answers HEAD without a body and OPTIONS or any other method with what the handler says,
 * and keeps the connection for the next request where the client may have it kept. Whoever watches is told of these requests
 * as of forwarded ones ({@link ProxyListener#exchangeEnded}, the access log, {@link ProxyStats}), without a target and without bytes.
 *
 * <p>Threading: implementations are thread-safe. They are called on the callback executor and may block; a client whose
 * answer does not come in the {@linkplain ProxyHandler.Builder#localRequestTimeout time} gets 503, and what comes later is
 * ignored.
 */
@FunctionalInterface
public interface LocalRequestHandler {

    /**
     * Answers a request.
     *
     * @return the answer, never null
     * @throws Exception if there is none; the client gets 500, and nothing of the exception
     */
    LocalResponse handle(LocalRequest request) throws Exception;
}
