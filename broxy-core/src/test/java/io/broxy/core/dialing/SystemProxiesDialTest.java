package io.broxy.core.dialing;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import io.broxy.DialException;
import io.broxy.HostPort;
import io.broxy.RoutingDialer;
import io.broxy.SystemProxies;
import io.broxy.core.Broxy;
import io.broxy.core.testkit.CapturedLog;
import io.broxy.core.testkit.LeakCheck;
import io.broxy.core.testkit.Origin;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** Specifies the dialer that is built from proxy settings of the host of which some are not understood. */
@ExtendWith(LeakCheck.class)
class SystemProxiesDialTest {

    @Test
    void entriesThatAreNotUnderstoodAreLoggedOnceAndTheOthersHold() throws Exception {
        SystemProxies proxies = SystemProxies.ofEnvironment(
                Map.of("https_proxy", "proxy.example:1", "NO_PROXY", "<local>,192.0.2.*,LOCALHOST"));
        try (CapturedLog log = CapturedLog.start();
                Broxy broxy = Broxy.create();
                Origin origin = Origin.echo()) {
            broxy.routingDialer(proxies).build();
            RoutingDialer dialer = broxy.routingDialer(proxies).build();
            dialer.dial(HostPort.of("localhost", origin.port())).close();

            assertThat(log.lines("WARN"))
                    .satisfiesExactly(
                            line -> assertThat(line).contains("proxy settings: NO_PROXY[0]: ", "\"<local>\""),
                            line -> assertThat(line).contains("proxy settings: NO_PROXY[1]: ", "\"192.0.2.*\""));
        }
    }

    @Test
    void aListOfSomethingElseIsNotLoggedAsAWhole() {
        String list = IntStream.range(0, 5_000).mapToObj(i -> "*" + i).collect(Collectors.joining(","));
        try (CapturedLog log = CapturedLog.start();
                Broxy broxy = Broxy.create()) {
            broxy.routingDialer(SystemProxies.ofEnvironment(Map.of("no_proxy", list)));

            assertThat(log.lines("WARN")).hasSize(21);
            assertThat(log.lines("4980 further entries are not understood")).hasSize(1);
        }
    }

    /** A direct dial instead would be one that the host does not want. */
    @Test
    void aDialThatNeedsAnUnusableProxyFailsAndNamesItsVariable() {
        try (CapturedLog log = CapturedLog.start();
                Broxy broxy = Broxy.create()) {
            RoutingDialer dialer = broxy.routingDialer(SystemProxies.ofEnvironment(Map.of(
                            "http_proxy", "web.example:1", "https_proxy", "socks4://user:hunter2@proxy.example")))
                    .build();
            DialException failure =
                    catchThrowableOfType(DialException.class, () -> dialer.dial(HostPort.of("192.0.2.1", 443)));

            assertThat(failure.reason()).isEqualTo(DialException.Reason.DENIED);
            assertThat(failure.getCause())
                    .hasMessageContaining("https_proxy cannot be used")
                    .hasMessageContaining("SOCKS 4 has no password");
            assertThat(log.lines("WARN"))
                    .singleElement()
                    .asString()
                    .contains("https_proxy: ", "targets that need it are denied")
                    .doesNotContain("hunter2");
        }
    }
}
