package io.broxy.examples;

/** A command line is wrong; its message says what is. Threading: immutable. */
final class UsageException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    UsageException(String message) {
        super(message);
    }
}
