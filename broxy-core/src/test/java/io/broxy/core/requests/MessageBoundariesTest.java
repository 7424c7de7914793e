package io.broxy.core.requests;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.broxy.core.testkit.Http;
import io.broxy.core.testkit.LeakCheck;
import io.broxy.core.testkit.Origin;
import io.broxy.core.testkit.Peer;
import io.broxy.core.testkit.Proxy;
import java.io.IOException;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/**
 * Specifies that messages are separated correctly however they arrive: pipelined, in pieces, or with surplus bytes after them.
 */
@ExtendWith(LeakCheck.class)
@SuppressWarnings("StringConcatToTextBlock") // whose lines would not end with CRLF
class MessageBoundariesTest {

    @Test
    void requestsInOneSegmentAreAnsweredInTheirOrder() throws IOException {
        try (Origin one = Http.promisingEcho();
                Origin two = Http.promisingEcho();
                Proxy proxy = Proxy.start();
                Peer client = proxy.client()) {
            client.send(
                    Http.get(one.target(), "/1") + Http.post(two.target(), "/2", "body") + Http.get(one.target(), "/3")
                            + Http.request("POST", two.target(), "/4", "Transfer-Encoding: chunked")
                            + "2\r\nch\r\n4\r\nunks\r\n0\r\n\r\n" + Http.get(two.target(), "/5"));

            for (String expected : List.of("GET /1 ", "POST /2 body", "GET /3 ", "POST /4 chunks", "GET /5 ")) {
                assertThat(Http.read(client).body()).isEqualTo(expected);
            }
            assertThat(one.accepted()).isEqualTo(1);
            assertThat(two.accepted()).isEqualTo(1);
        }
    }

    @Test
    void manyRequestsAtOnceAreAnsweredOneAfterAnother() throws IOException {
        int count = 2_000; // more than one read takes, and than one head may have
        try (Origin origin = Http.echo();
                Proxy proxy = Proxy.start();
                Peer client = proxy.client()) {
            StringBuilder requests = new StringBuilder();
            for (int i = 0; i < count; i++) {
                requests.append("GET http://")
                        .append(origin.target())
                        .append("/")
                        .append(i)
                        .append(" HTTP/1.1\r\nHost:\r\n\r\n");
            }
            client.send(requests.toString());

            for (int i = 0; i < count; i++) {
                assertThat(Http.read(client).body()).isEqualTo("GET /" + i + " ");
            }
            await().atMost(Duration.ofMillis(Peer.PATIENCE_MILLIS))
                    .until(() -> proxy.handler().stats().totalExchanges() == count);
        }
    }

    @Test
    void bytesAfterAResponseAreNotAResponse() throws IOException {
        try (Origin origin = Origin.start(peer -> {
                    peer.readHead();
                    peer.send(Http.ok("asked for") + Http.ok("not asked for"));
                    peer.expectEnd();
                });
                Proxy proxy = Proxy.start();
                Peer client = proxy.client()) {
            for (int i = 1; i <= 3; i++) {
                client.send(Http.get(origin.target(), "/"));
                assertThat(Http.read(client).body()).isEqualTo("asked for");
                assertThat(origin.accepted()).isEqualTo(i);
            }
        }
    }

    @Test
    void bytesAfterAResponseWithoutBodyAreNoBody() throws IOException {
        try (Origin origin = Origin.start(peer -> {
                    String method = peer.readHead().substring(0, 4);
                    peer.send(method.equals("HEAD") ? Http.ok("a body") : "HTTP/1.1 304 Same\r\nETag: x\r\n\r\na body");
                    peer.expectEnd();
                });
                Proxy proxy = Proxy.start();
                Peer client = proxy.client()) {
            for (String method : List.of("HEAD", "GET", "HEAD")) {
                client.send(Http.request(method, origin.target(), "/"));
                assertThat(client.readHead())
                        .startsWith(method.equals("HEAD") ? "HTTP/1.1 200 OK\r\n" : "HTTP/1.1 304 Same\r\n");
            }
            assertThat(origin.accepted()).isEqualTo(3);
        }
    }

    @Test
    @Tag("sweep")
    void aRequestMayComeInAnyTwoPieces() throws IOException {
        try (Origin origin = Http.promisingEcho();
                Proxy proxy = Proxy.start();
                Peer client = proxy.client()) {
            String request = Http.request("POST", origin.target(), "/", "Transfer-Encoding: chunked")
                    + "3;x\r\nabc\r\n2\r\nde\r\n0\r\nX: y\r\n\r\n" + Http.post(origin.target(), "/", "fg");
            for (int cut = 1; cut < request.length(); cut++) {
                client.send(request.substring(0, cut));
                client.send(request.substring(cut));
                assertThat(Http.read(client).body()).as("cut at %d", cut).isEqualTo("POST / abcde");
                assertThat(Http.read(client).body()).as("cut at %d", cut).isEqualTo("POST / fg");
            }
            assertThat(origin.accepted()).isEqualTo(1);
        }
    }

    @Test
    void aRequestMayComeByteByByte() throws IOException {
        try (Origin origin = Http.echo();
                Proxy proxy = Proxy.start();
                Peer client = proxy.client()) {
            String request = Http.request("POST", origin.target(), "/", "Transfer-Encoding: chunked")
                    + "3;x\r\nabc\r\n2\r\nde\r\n0\r\nX: y\r\n\r\n" + Http.post(origin.target(), "/", "fg");
            for (int i = 0; i < request.length(); i++) {
                client.send(request.substring(i, i + 1));
            }
            assertThat(Http.read(client).body()).isEqualTo("POST / abcde");
            assertThat(Http.read(client).body()).isEqualTo("POST / fg");
        }
    }

    @Test
    @Tag("sweep")
    void aResponseMayComeInAnyTwoPieces() throws IOException {
        String chunks = "3;x\r\nabc\r\n2\r\nde\r\n0\r\nX: y\r\n\r\n";
        String hints = "HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n";
        String first = hints + "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + chunks;
        String second = Http.ok("fg");
        try (Origin origin = Origin.start(peer -> {
                    for (String response : List.of(first, second)) {
                        for (int cut = 1; cut < response.length(); cut++) {
                            peer.readHead();
                            peer.send(response.substring(0, cut));
                            peer.send(response.substring(cut));
                        }
                        peer.readHead();
                        for (int i = 0; i < response.length(); i++) {
                            peer.send(response.substring(i, i + 1));
                        }
                    }
                    peer.expectEnd();
                });
                Proxy proxy = Proxy.start();
                Peer client = proxy.client()) {
            for (int i = 0; i < first.length(); i++) {
                client.send(Http.get(origin.target(), "/"));
                assertThat(client.readHead()).startsWith("HTTP/1.1 103 ");
                assertThat(Http.read(client).body()).as("the %dth", i).isEqualTo("abcde");
            }
            for (int i = 0; i < second.length(); i++) {
                client.send(Http.get(origin.target(), "/"));
                assertThat(Http.read(client).body()).as("the %dth", i).isEqualTo("fg");
            }
            assertThat(origin.accepted()).isEqualTo(1);
        }
    }
}
