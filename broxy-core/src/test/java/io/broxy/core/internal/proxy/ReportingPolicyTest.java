package io.broxy.core.internal.proxy;

import static org.assertj.core.api.Assertions.assertThat;

import io.broxy.AddressPolicy;
import io.broxy.core.testkit.CapturedLog;
import java.net.InetAddress;
import java.net.UnknownHostException;
import org.junit.jupiter.api.Test;

/**
 * Specifies that a policy in report-only mode admits everything, and logs each address that it would refuse once an
 * hour.
 */
class ReportingPolicyTest {
    private long now;

    private final ReportingPolicy policy = new ReportingPolicy(AddressPolicy.publicOnly(), () -> now);

    private void ask(int number) throws UnknownHostException {
        byte[] address = {10, 0, (byte) (number >> 8), (byte) number};
        assertThat(policy.admits(InetAddress.getByAddress(address), 443)).isTrue();
    }

    @Test
    void eachAddressIsReportedOnceAnHour() throws UnknownHostException {
        try (CapturedLog log = CapturedLog.start()) {
            ask(1);
            ask(1);
            ask(2);
            assertThat(log.lines("admitted all the same")).hasSize(2);

            now += ReportingPolicy.PERIOD_NANOS;
            ask(1);
            ask(1);
            assertThat(log.lines("admitted all the same")).hasSize(3);
        }
    }

    @Test
    void aScanCannotFillTheLog() throws UnknownHostException {
        try (CapturedLog log = CapturedLog.start()) {
            for (int i = 0; i < ReportingPolicy.MOST_ADDRESSES + 500; i++) {
                ask(i);
            }

            assertThat(log.lines("admitted all the same")).hasSize(ReportingPolicy.MOST_ADDRESSES);
            assertThat(log.lines("for the rest of the hour")).hasSize(1);
        }
    }

    @Test
    void admittedAddressesAreNotReported() throws UnknownHostException {
        try (CapturedLog log = CapturedLog.start()) {
            assertThat(policy.admits(InetAddress.getByName("93.184.215.14"))).isTrue();
            assertThat(policy.admits(InetAddress.getByName("93.184.215.14"), 80))
                    .isTrue();

            assertThat(log.lines("report only")).isEmpty();
        }
    }

    @Test
    void itsExplanationSaysBoth() throws UnknownHostException {
        assertThat(policy.explain(InetAddress.getByName("10.1.2.3"), 80))
                .startsWith("10.1.2.3 is private")
                .endsWith(", which is only reported");
        assertThat(policy.explain(InetAddress.getByName("93.184.215.14"))).doesNotContain("reported");
    }
}
