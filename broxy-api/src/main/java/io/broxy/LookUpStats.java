package io.broxy;

/**
 * A snapshot of the name look-ups of an engine, all of one moment for each kind of its threads. Implemented by Broxy only.
 *
 * <p>Threading: immutable.
 */
public interface LookUpStats {

    /** Look-ups that wait for a thread; each name counts once, however many dials wait for it. */
    int waiting();

    /** Look-ups that are running and that a dial waits for. */
    int running();

    /**
     * Look-ups that are still running although nothing waits for them any more. They have been interrupted, which the
     * JDK's do not mind. They take no place of the others.
     */
    int abandoned();

    /** How many look-ups can run at once, the abandoned ones aside. */
    int maxRunning();

    /** Threads that look names up, for a dial or abandoned. */
    default int threads() {
        return running() + abandoned();
    }
}
