package io.broxy.examples.admin;

/** The query of a request is wrong; its message says what is, and goes to the client. Threading: immutable. */
final class BadQueryException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    BadQueryException(String message) {
        super(message);
    }
}
