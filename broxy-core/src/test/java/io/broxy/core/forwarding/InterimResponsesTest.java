package io.broxy.core.forwarding;

import static org.assertj.core.api.Assertions.assertThat;

import io.broxy.HostPort;
import io.broxy.core.testkit.Http;
import io.broxy.core.testkit.LeakCheck;
import io.broxy.core.testkit.Origin;
import io.broxy.core.testkit.Peer;
import io.broxy.core.testkit.Proxy;
import java.io.IOException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Specifies how many interim responses an origin may send for one request: 16, and 64 KiB of them. */
@ExtendWith(LeakCheck.class)
@SuppressWarnings("StringConcatToTextBlock") // whose lines would not end with CRLF
class InterimResponsesTest {
    private static final String HINT = "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n";

    private static Proxy proxy() throws IOException {
        return Proxy.start(settings -> settings.viaPseudonym(null));
    }

    /** A head of exactly so many bytes. */
    private static String hint(int bytes) {
        String head = "HTTP/1.1 103 Early Hints\r\nLink: ";
        return head + "x".repeat(bytes - head.length() - 4) + "\r\n\r\n";
    }

    private static void assertBadGateway(Peer client) throws IOException {
        assertThat(Http.read(client).head())
                .startsWith("HTTP/1.1 502 Bad Gateway\r\nProxy-Status: Broxy; error=http_protocol_error\r\n");
    }

    @Test
    void sixteenArePassedOnForEachRequest() throws IOException {
        try (Origin origin = Origin.start(peer -> {
                    while (true) {
                        peer.readHead();
                        peer.send(HINT.repeat(16) + Http.ok("done"));
                    }
                });
                Proxy proxy = proxy();
                Peer client = proxy.client()) {
            for (int request = 0; request < 3; request++) {
                client.send(Http.get(origin.target(), "/"));
                for (int i = 0; i < 16; i++) {
                    assertThat(client.readHead()).isEqualTo(HINT);
                }
                assertThat(Http.read(client).body()).isEqualTo("done");
            }
            assertThat(origin.accepted()).isEqualTo(1);
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void anOriginThatSendsThemWithoutEndIsABadGateway(boolean upstream) throws IOException {
        try (Origin origin = Origin.start(peer -> {
                    peer.readHead();
                    while (true) { // until the proxy's end, which is an IOException
                        peer.send(HINT);
                    }
                });
                Proxy proxy = Proxy.start((broxy, settings) -> {
                    settings.viaPseudonym(null);
                    if (upstream) {
                        settings.dialer(broxy.httpProxyDialer(origin.target()).build());
                    }
                });
                Peer client = proxy.client()) {
            client.send(Http.get(upstream ? HostPort.parse("site.example:80") : origin.target(), "/"));

            String head = client.readHead();
            for (int i = 0;
                    i < 16 && head.equals(HINT);
                    i++) { // those that come together with the one too many are not passed on
                head = client.readHead();
            }
            assertThat(head)
                    .startsWith("HTTP/1.1 502 Bad Gateway\r\nProxy-Status: Broxy; error=http_protocol_error\r\n");
        }
    }

    @Test
    void anHttp10ClientGetsNoneButTheyCountNonetheless() throws IOException {
        try (Origin origin = Origin.start(peer -> {
                    peer.readHead();
                    peer.send(HINT.repeat(17));
                    peer.expectEnd();
                });
                Proxy proxy = proxy();
                Peer client = proxy.client()) {
            client.send("GET http://" + origin.target() + "/ HTTP/1.0\r\n\r\n");

            assertBadGateway(client);
        }
    }

    @Test
    void sixtyFourKibArePassedOnAndNotAByteMore() throws IOException {
        try (Origin origin = Origin.start(peer -> {
                    while (true) {
                        boolean more = peer.readHead().startsWith("GET /more ");
                        peer.send(hint(32 * 1024) + hint(more ? 32 * 1024 + 1 : 32 * 1024) + Http.ok("done"));
                    }
                });
                Proxy proxy = proxy();
                Peer client = proxy.client()) {
            client.send(Http.get(origin.target(), "/"));
            assertThat(client.readHead()).hasSize(32 * 1024);
            assertThat(client.readHead()).hasSize(32 * 1024);
            assertThat(Http.read(client).body()).isEqualTo("done");

            client.send(Http.get(origin.target(), "/more"));
            assertThat(client.readHead()).hasSize(32 * 1024);
            assertBadGateway(client);
        }
    }

    @Test
    void aSwitchOfProtocolsIsNoInterimResponse() throws IOException {
        try (Origin origin = Origin.start(peer -> {
                    peer.readHead();
                    peer.send(HINT.repeat(16)
                            + "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\nhello");
                    peer.readAll();
                });
                Proxy proxy = proxy();
                Peer client = proxy.client()) {
            client.send(Http.get(origin.target(), "/", "Upgrade: x", "Connection: upgrade"));

            for (int i = 0; i < 16; i++) {
                assertThat(client.readHead()).isEqualTo(HINT);
            }
            assertThat(client.readHead()).startsWith("HTTP/1.1 101 ");
            assertThat(client.readText(5)).isEqualTo("hello");
        }
    }
}
