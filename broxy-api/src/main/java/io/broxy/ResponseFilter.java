package io.broxy;

/**
 * Sees the head of each response to a forwarded request before it is written to the client, and may change its fields or keep
 * it from the client.
 *
 * <pre>{@code
 * ResponseFilter filter = response -> "application/x-msdownload".equals(response.field("Content-Type"))
 *         ? ResponseDecision.refuse("programs are not allowed")
 *         : ResponseDecision.pass().remove("Server");
 * }</pre>
 *
 * <p>It sees final responses, and 101 (Switching Protocols) before the connection becomes a tunnel; interim responses (100,
 * 103) pass. The proxy's own responses, such as errors, and those of CONNECT do not reach it.
 *
 * <p>A filter that throws or returns null refuses the response, and the exception is logged.
 *
 * <p>Threading: implementations are thread-safe, pure and must not block, because they are called on event loops.
 */
@FunctionalInterface
public interface ResponseFilter {

    /**
     * Decides about a response.
     *
     * @return the decision, never null
     */
    ResponseDecision decide(FilterResponse response);
}
