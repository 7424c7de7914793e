package io.broxy;

/**
 * A snapshot of an engine's name lookups. The figures of one kind of thread are taken at the same moment.
 *
 * <p>Threading: immutable.
 *
 * @param waiting lookups that wait for a thread; each name counts once, however many dials wait for it
 * @param running lookups that are running and that a dial waits for
 * @param abandoned lookups that are still running although nothing waits for them anymore. They have been interrupted,
 *     which the JDK's lookups ignore. They take no place from other lookups
 * @param maxRunning how many lookups can run at once, not counting abandoned ones
 */
public record LookUpStats(int waiting, int running, int abandoned, int maxRunning) {

    /** Threads that perform lookups, for a dial or abandoned. */
    public int threads() {
        return running + abandoned;
    }
}
