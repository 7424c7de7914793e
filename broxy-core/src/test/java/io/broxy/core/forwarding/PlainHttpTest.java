package io.broxy.core.forwarding;

import static org.assertj.core.api.Assertions.assertThat;

import io.broxy.core.testkit.HeldPort;
import io.broxy.core.testkit.LeakCheck;
import io.broxy.core.testkit.Origin;
import io.broxy.core.testkit.Peer;
import io.broxy.core.testkit.Proxy;
import java.io.IOException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** Specifies the plain HTTP exchange: one request, one response, and the next over the same connection. */
@ExtendWith(LeakCheck.class)
class PlainHttpTest {

    private static String ok(String body) {
        return "HTTP/1.1 200 OK\r\nContent-Length: " + body.length() + "\r\n\r\n" + body;
    }

    @Test
    void aRequestGoesToItsOriginAndTheResponseComesBack() throws IOException {
        try (Origin origin = Origin.start(peer -> {
                    assertThat(peer.readHead())
                            .isEqualTo("GET /a?b HTTP/1.1\r\nHost: " + "127.0.0.1:"
                                    + peer.socket().getLocalPort() + "\r\nAccept: */*\r\n\r\n");
                    peer.send(ok("hello"));
                    peer.expectEnd();
                });
                Proxy proxy = Proxy.start(settings -> settings.viaPseudonym(null));
                Peer client = proxy.client()) {
            client.send("GET http://127.0.0.1:" + origin.port() + "/a?b HTTP/1.1\r\nHost: x\r\nAccept: */*\r\n\r\n");

            assertThat(client.readHead()).isEqualTo("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n");
            assertThat(client.readText(5)).isEqualTo("hello");
        }
    }

    @Test
    void oneConnectionCarriesRequestAfterRequest() throws IOException {
        try (Origin origin = Origin.start(peer -> {
                    for (int i = 0; i < 3; i++) {
                        assertThat(peer.readHead()).startsWith("GET /" + i + " HTTP/1.1\r\n");
                        peer.send(ok("hello" + i));
                    }
                    peer.expectEnd();
                });
                Proxy proxy = Proxy.start();
                Peer client = proxy.client()) {
            for (int i = 0; i < 3; i++) {
                client.send("GET http://127.0.0.1:" + origin.port() + "/" + i + " HTTP/1.1\r\nHost: x\r\n\r\n");
                assertThat(client.readHead()).startsWith("HTTP/1.1 200 OK\r\nContent-Length: 6\r\n");
                assertThat(client.readText(6)).isEqualTo("hello" + i);
            }
            assertThat(origin.accepted()).isEqualTo(1);
        }
    }

    @Test
    void aChunkedRequestGetsAChunkedResponse() throws IOException {
        try (Origin origin = Origin.start(peer -> {
                    assertThat(peer.readHead()).contains("Transfer-Encoding: chunked\r\n");
                    assertThat(peer.readText(13)).isEqualTo("3\r\nabc\r\n0\r\n\r\n");
                    peer.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n");
                    peer.expectEnd();
                });
                Proxy proxy = Proxy.start(settings -> settings.viaPseudonym(null));
                Peer client = proxy.client()) {
            client.send("POST http://127.0.0.1:" + origin.port()
                    + "/ HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n3;x=y\r\nabc\r\n0\r\n\r\n");

            assertThat(client.readHead()).isEqualTo("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
            assertThat(client.readText(12)).isEqualTo("2\r\nhi\r\n0\r\n\r\n");
        }
    }

    @Test
    void aRefusedDialIsAnsweredAndTheClientGoesOn() throws IOException {
        try (Origin origin = Origin.start(peer -> {
                    peer.readHead();
                    peer.send(ok("x"));
                    peer.expectEnd();
                });
                Proxy proxy = Proxy.start();
                Peer client = proxy.client()) {
            int closed = HeldPort.refusing().port();
            client.send("GET http://127.0.0.1:" + closed + "/ HTTP/1.1\r\nHost: x\r\n\r\n" + "GET http://127.0.0.1:"
                    + origin.port() + "/ HTTP/1.1\r\nHost: x\r\n\r\n");

            String head = client.readHead();
            assertThat(head).startsWith("HTTP/1.1 502 Bad Gateway\r\n").doesNotContain("Connection: close");
            assertThat(client.readText(38)).isEqualTo("502 the target refused the connection\n");
            assertThat(client.readHead()).startsWith("HTTP/1.1 200 OK\r\n");
            assertThat(client.readText(1)).isEqualTo("x");
        }
    }
}
