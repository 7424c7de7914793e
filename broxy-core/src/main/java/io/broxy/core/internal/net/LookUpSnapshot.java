package io.broxy.core.internal.net;

import io.broxy.LookUpStats;
import io.broxy.core.internal.loop.LookUpThreads;
import io.broxy.core.internal.loop.Workers;

/** The counts of an engine's look-ups, for users. Threading: immutable. */
public record LookUpSnapshot(
        @Override int waiting,
        @Override int running,
        @Override int abandoned,
        @Override int maxRunning) implements LookUpStats {

    /** The counts of this moment. */
    public static LookUpStats of(Workers workers) {
        LookUpThreads.Counts counts = workers.lookUpCounts();
        return new LookUpSnapshot(counts.queued(), counts.running(), counts.abandoned(), counts.maxRunning());
    }
}
