package io.broxy.core.internal.observe;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.management.ThreadMXBean;
import io.broxy.CloseReason;
import io.broxy.HostPort;
import java.lang.management.ManagementFactory;
import org.junit.jupiter.api.Test;

/** What is paid where nobody watches. */
class ConnectionRecorderTest {
    private static final HostPort TARGET = HostPort.of("example.org", 443);
    private static final int REQUESTS = 10_000;

    private final Journal journal = new Journal(
            null,
            task -> {
                throw new AssertionError("nobody is to be told anything");
            },
            System::nanoTime);

    private int on;

    @Test
    void aRequestThatNobodyWatchesAllocatesNothing() {
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
            ConnectionRecorder visit = journal.visit();
            visit.opened(null);
            visit.requested("CONNECT", TARGET);
            visit.identified(null);
            visit.established(null);
            visit.exchanged(200, 1, 2, CloseReason.FINISHED, null, null);
            visit.next();
            visit.answered(200, CloseReason.FINISHED, null);
            Flight.dial(TARGET, null).connected(null);
            Flight.lease(TARGET).leased(true);
            on += visit.isOn() ? 1 : 0;
        }
    }
}
