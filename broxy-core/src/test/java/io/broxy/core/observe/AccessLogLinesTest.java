package io.broxy.core.observe;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.broxy.AddressPolicy;
import io.broxy.core.testkit.CapturedLog;
import io.broxy.core.testkit.Http;
import io.broxy.core.testkit.LeakCheck;
import io.broxy.core.testkit.Origin;
import io.broxy.core.testkit.Peer;
import io.broxy.core.testkit.Proxy;
import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** Specifies the lines that a running proxy writes to the log {@code io.broxy.access}. */
@ExtendWith(LeakCheck.class)
class AccessLogLinesTest {
    private static final String LOGGER = "io.broxy.access";

    /** As many lines, from their first key on. */
    private static List<String> lines(CapturedLog log, int count) {
        await().atMost(Duration.ofMillis(Peer.PATIENCE_MILLIS))
                .until(() -> log.lines(LOGGER).size() >= count);
        assertThat(log.lines(LOGGER)).hasSize(count);
        return log.lines(LOGGER).stream()
                .map(line -> line.substring(line.indexOf("kind=")))
                .toList();
    }

    private static String client(Peer client) {
        return "127.0.0.1:" + client.socket().getLocalPort();
    }

    @Test
    void aTunnelIsALineAtItsEnd() throws IOException {
        try (CapturedLog log = CapturedLog.startWithAccess();
                Origin origin = Origin.echo();
                Proxy proxy = Proxy.start();
                Peer client = proxy.connect(origin.target())) {
            assertThat(log.lines(LOGGER)).isEmpty();
            client.send("12345").shutdownOutput();
            assertThat(client.readAll()).isEqualTo("12345");

            assertThat(lines(log, 1).get(0))
                    .matches("kind=tunnel client=" + client(client) + " user=- protocol=http method=CONNECT target="
                            + origin.target()
                            + " status=200 peer=" + origin.target()
                            + " to_origin=5 to_client=5 ms=\\d+ reason=FINISHED error=-");
        }
    }

    @Test
    void anExchangeIsALineWithoutPathAndQuery() throws IOException {
        try (CapturedLog log = CapturedLog.startWithAccess();
                Origin origin = Origin.start(peer -> {
                    peer.readHead();
                    peer.send("HTTP/1.1 404 Not Found\r\nContent-Length: 2\r\n\r\nno");
                });
                Proxy proxy = Proxy.start(settings -> settings.viaPseudonym(null));
                Peer client = proxy.client()) {
            client.send("GET http://" + origin.target() + "/sesame?token=sesame HTTP/1.1\r\nHost: x\r\n\r\n");
            assertThat(client.readHead()).startsWith("HTTP/1.1 404 ");

            assertThat(lines(log, 1).get(0))
                    .matches("kind=exchange client=" + client(client) + " user=- protocol=http method=GET target="
                            + origin.target()
                            + " status=404 peer=" + origin.target()
                            + " to_origin=\\d\\d+ to_client=47 ms=\\d+ reason=FINISHED error=-");
            assertThat(log.text()).doesNotContain("sesame");
        }
    }

    @Test
    void theHeadsOfASwitchOfProtocolsCountInTheLineOfItsTunnel() throws IOException {
        CompletableFuture<String> request = new CompletableFuture<>();
        try (CapturedLog log = CapturedLog.startWithAccess();
                Origin origin = Origin.start(peer -> {
                    request.complete(peer.readHead());
                    peer.send("HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n");
                });
                Proxy proxy = Proxy.start();
                Peer client = proxy.client()) {
            client.send(Http.get(origin.target(), "/", "Connection: upgrade", "Upgrade: x"));
            int answer = client.readHead().length();
            client.shutdownOutput().expectEnd();

            assertThat(lines(log, 1).get(0))
                    .matches("kind=tunnel client=" + client(client) + " user=- protocol=http method=GET target="
                            + origin.target()
                            + " status=101 peer=" + origin.target() + " to_origin="
                            + request.join().length() + " to_client=" + answer
                            + " ms=\\d+ reason=FINISHED error=-");
        }
    }

    @Test
    void aRefusalIsALineWithItsReason() throws IOException {
        try (CapturedLog log = CapturedLog.startWithAccess();
                Proxy proxy = Proxy.start();
                Peer client = proxy.client()) {
            client.send("CONNECT somewhere.example HTTP/1.1\r\n\r\n");
            assertThat(client.readHead()).startsWith("HTTP/1.1 400 ");

            assertThat(lines(log, 1).get(0))
                    .matches("kind=refused client=" + client(client)
                            + " user=- protocol=http method=- target=- status=400 peer=-"
                            + " to_origin=0 to_client=0 ms=\\d+ reason=REFUSED error=BAD_\\w+");
        }
    }

    @Test
    void aDialThatFailsIsALineOfTheTunnelThatWasToBe() throws IOException {
        try (CapturedLog log = CapturedLog.startWithAccess();
                Proxy proxy = Proxy.start(settings -> settings.addressPolicy(AddressPolicy.publicOnly()));
                Peer client = proxy.client()) {
            client.send("CONNECT 127.0.0.1:9 HTTP/1.1\r\nHost: 127.0.0.1:9\r\n\r\n");
            assertThat(client.readHead()).startsWith("HTTP/1.1 403 ");
            client.close();

            assertThat(lines(log, 1).get(0))
                    .contains(" target=127.0.0.1:9 status=403 peer=- ")
                    .endsWith(" reason=DIAL_FAILED error=DENIED");
        }
    }

    @Test
    void aClientThatSaysNothingLeavesNoLine() throws IOException {
        try (CapturedLog log = CapturedLog.startWithAccess();
                Proxy proxy = Proxy.start()) {
            proxy.client().close();
            await().atMost(Duration.ofMillis(Peer.PATIENCE_MILLIS))
                    .until(() -> proxy.handler().stats().totalConnections() == 1
                            && proxy.handler().stats().openConnections() == 0);
            try (Peer client = proxy.client()) {
                client.send("nonsense\r\n\r\n");
                assertThat(client.readHead()).startsWith("HTTP/1.1 400 ");
            }

            assertThat(lines(log, 1).get(0)).startsWith("kind=refused ");
        }
    }
}
