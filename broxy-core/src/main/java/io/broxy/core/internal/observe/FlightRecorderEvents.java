package io.broxy.core.internal.observe;

import io.broxy.HostPort;
import org.jspecify.annotations.Nullable;

/**
 * Starts events of Java Flight Recorder, whose module {@code jdk.jfr} may be missing from a JVM. While no recording has an
 * event enabled, starting it costs only the read of a field.
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
        } catch (LinkageError e) { // the module is missing
            return false;
        }
    }

    /** Whether a recording currently has events of requests enabled. */
    static boolean followsRequests() {
        return PRESENT && (TunnelEvent.isOn() || ExchangeEvent.isOn());
    }

    /** Starts the events of a request, which becomes an exchange or a tunnel; null if no recording has them enabled. */
    static @Nullable RequestEvents request() {
        return followsRequests() ? RequestEvents.begin() : null;
    }

    /**
     * Starts the event of a dial.
     *
     * @param via the proxy that the dial goes through, or null
     */
    public static DialTrace dial(HostPort target, @Nullable HostPort via) {
        return PRESENT && DialEvent.isOn() ? DialEvent.begin(target, via) : DialTrace.OFF;
    }

    /** Starts the event of a wait for a lease. */
    public static LeaseTrace lease(HostPort hop) {
        return PRESENT && LeaseEvent.isOn() ? LeaseEvent.begin(hop) : LeaseTrace.OFF;
    }
}
