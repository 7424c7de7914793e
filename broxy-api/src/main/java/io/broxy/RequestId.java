package io.broxy;

/**
 * Identifies a request within its handler: what a filter sees, what a listener is notified of, and an active tunnel belong together if
 * their ids are equal.
 *
 * <p>Threading: immutable.
 *
 * @param connection the number of the client's connection; later connections have higher numbers
 * @param request the number of the request within the connection, from 1
 */
public record RequestId(long connection, long request) {

    /** The two numbers, with a hyphen between them. */
    @Override
    public String toString() {
        return connection + "-" + request;
    }
}
