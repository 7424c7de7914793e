package io.broxy.core.internal.observe;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.management.ThreadMXBean;
import io.broxy.CloseReason;
import io.broxy.HostPort;
import java.lang.management.ManagementFactory;
import org.junit.jupiter.api.Test;

/** Specifies that a request without observers allocates nothing for recording. */
class ConnectionRecorderTest {
    private static final HostPort TARGET = HostPort.of("example.org", 443);
    private static final int REQUESTS = 10_000;

    private final Observers observers = new Observers(
            null,
            task -> {
                throw new AssertionError("there is no observer to notify");
            },
            System::nanoTime);

    private final HandOver handOver = observers.handOver();
    private int on;

    @Test
    void aRequestWithoutObserversAllocatesNothing() {
        ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
        serve(REQUESTS);
        long before = threads.getCurrentThreadAllocatedBytes();
        serve(REQUESTS);
        long allocated = threads.getCurrentThreadAllocatedBytes() - before;

        assertThat(on).isZero();
        // Less than a byte a request: the JVM itself may allocate a little, such as a class.
        assertThat(allocated).isLessThan(REQUESTS);
    }

    private void serve(int requests) {
        for (int i = 0; i < requests; i++) {
            ConnectionRecorder recorder = observers.newRecorder(handOver, 1);
            recorder.opened(null, null);
            recorder.requested("CONNECT", TARGET);
            recorder.identified(null);
            recorder.established(null);
            recorder.exchanged(200, 1, 2, CloseReason.FINISHED, null, null);
            recorder.dialed(null, 1);
            recorder.next(2);
            recorder.answered(200, CloseReason.FINISHED, null);
            FlightRecorderEvents.dial(TARGET, null).connected(null);
            FlightRecorderEvents.lease(TARGET).leased(true);
            on += recorder.isOn() ? 1 : 0;
        }
    }
}
