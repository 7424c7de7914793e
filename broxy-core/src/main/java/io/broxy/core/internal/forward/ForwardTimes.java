package io.broxy.core.internal.forward;

/**
 * How long an exchange waits.
 *
 * @param answerNanos for the response, once the request has been sent
 * @param bodyNanos for the next bytes of a body, in either direction
 * <p>Threading: immutable.
 */
public record ForwardTimes(long answerNanos, long bodyNanos) {}
