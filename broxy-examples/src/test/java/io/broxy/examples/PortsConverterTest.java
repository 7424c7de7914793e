package io.broxy.examples;

import static org.assertj.core.api.Assertions.assertThat;

import io.broxy.AccessPolicy;
import io.broxy.AccessRequest;
import io.broxy.HostPort;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/** Specifies which ports an option admits. {@link ServerOptionsTest} has the values that are refused. */
class PortsConverterTest {

    private static int[] admitted(String ports) {
        AccessPolicy policy = new PortsConverter().convert(ports);
        return IntStream.rangeClosed(1, 65_535)
                .filter(port ->
                        policy.admits(new AccessRequest(null, "CONNECT", HostPort.of("somewhere.example", port), null)))
                .toArray();
    }

    @Test
    void eachPortAndEachRangeIsAdmittedAndNothingBeside() {
        assertThat(admitted("443")).containsExactly(443);
        assertThat(admitted("80,443,8000-8002,1,65535")).containsExactly(1, 80, 443, 8000, 8001, 8002, 65_535);
        assertThat(admitted("7-7")).containsExactly(7);
    }
}
