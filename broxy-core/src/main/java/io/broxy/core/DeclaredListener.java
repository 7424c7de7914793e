package io.broxy.core;

/** A listener that {@link Broxy#declareListener} protects. Threading: thread-safe. */
public interface DeclaredListener extends AutoCloseable {
    /** Ends the protection. Repeated calls have no effect. */
    @Override
    void close();
}
