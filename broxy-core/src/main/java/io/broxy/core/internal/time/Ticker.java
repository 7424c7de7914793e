package io.broxy.core.internal.time;

/** The one source of time: monotonic nanoseconds with an arbitrary origin. Threading: implementations are thread-safe. */
@FunctionalInterface
public interface Ticker {

    /** The system's monotonic clock. */
    Ticker SYSTEM = System::nanoTime;

    /** The current time. Only differences are meaningful; compare by subtraction, since values may wrap around. */
    long nanos();
}
