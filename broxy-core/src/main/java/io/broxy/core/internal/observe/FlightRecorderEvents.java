package io.broxy.core.internal.observe;

import io.broxy.HostPort;
import org.jspecify.annotations.Nullable;

/**
 * Begins events of Java Flight Recorder, which a JVM may come without: its module {@code jdk.jfr} need not be there. As long as
 * no recording wants an event, beginning it costs the read of a field.
 *
 * <p>Threading: thread-safe.
 */
public final class FlightRecorderEvents {
    private static final boolean PRESENT = isPresent();

    private FlightRecorderEvents() {}

    private static boolean isPresent() {
        try {
            DialEvent.isOn();
            return true;
        } catch (LinkageError e) { // no such module
            return false;
        }
    }

    /** Whether a recording wants requests now. */
    static boolean followsRequests() {
        return PRESENT && (TunnelEvent.isOn() || ExchangeEvent.isOn());
    }

    /** Begins the events of a request, which becomes an exchange or a tunnel; null if no recording wants them. */
    static @Nullable RequestEvents request() {
        return followsRequests() ? RequestEvents.begin() : null;
    }

    /**
     * Begins to follow a dial.
     *
     * @param via the proxy that it goes through, or null
     */
    public static DialTrace dial(HostPort target, @Nullable HostPort via) {
        return PRESENT && DialEvent.isOn() ? DialEvent.begin(target, via) : DialTrace.OFF;
    }

    /** Begins to follow the wait for a lease. */
    public static LeaseTrace lease(HostPort hop) {
        return PRESENT && LeaseEvent.isOn() ? LeaseEvent.begin(hop) : LeaseTrace.OFF;
    }
}
