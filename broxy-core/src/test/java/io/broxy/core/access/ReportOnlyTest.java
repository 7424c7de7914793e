package io.broxy.core.access;

import static org.assertj.core.api.Assertions.assertThat;

import io.broxy.AddressPolicy;
import io.broxy.HostPort;
import io.broxy.core.testkit.CapturedLog;
import io.broxy.core.testkit.LeakCheck;
import io.broxy.core.testkit.Origin;
import io.broxy.core.testkit.Peer;
import io.broxy.core.testkit.Proxy;
import java.io.IOException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** Specifies that a policy in report-only mode logs what it would refuse and lets it pass. */
@ExtendWith(LeakCheck.class)
class ReportOnlyTest {

    private static Proxy proxy() throws IOException {
        return Proxy.start(
                settings -> settings.addressPolicy(AddressPolicy.publicOnly()).reportOnly(true));
    }

    @Test
    void aTargetThatWouldBeRefusedIsReportedOnceAndReached() throws IOException {
        try (CapturedLog log = CapturedLog.start();
                Origin origin = Origin.echo();
                Proxy proxy = proxy()) {
            for (int i = 0; i < 3; i++) {
                try (Peer client = proxy.connect(origin.target())) {
                    assertThat(client.send("x").readText(1)).isEqualTo("x");
                }
            }

            assertThat(log.lines("report only"))
                    .singleElement()
                    .asString()
                    .contains("WARN", "127.0.0.1 is loopback", "it is admitted all the same");
        }
    }

    @Test
    void aForwardedRequestIsReportedToo() throws IOException {
        try (CapturedLog log = CapturedLog.start();
                Origin origin = Origin.start(peer -> {
                    peer.readHead();
                    peer.send("HTTP/1.1 204 No Content\r\n\r\n");
                });
                Proxy proxy = proxy();
                Peer client = proxy.client()) {
            client.send("GET http://" + origin.target() + "/ HTTP/1.1\r\nHost: x\r\n\r\n");

            assertThat(client.readHead()).startsWith("HTTP/1.1 204 ");
            assertThat(log.lines("report only")).hasSize(1);
        }
    }

    @Test
    void theProxyStillDoesNotDialItself() throws IOException {
        try (Proxy proxy = proxy();
                Peer client = proxy.client()) {
            client.send(
                    Proxy.connectHead(HostPort.of("127.0.0.1", proxy.address().getPort())));

            assertThat(client.readHead()).startsWith("HTTP/1.1 403 ");
        }
    }
}
