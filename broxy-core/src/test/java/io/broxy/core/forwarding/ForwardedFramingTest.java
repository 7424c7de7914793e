package io.broxy.core.forwarding;

import static org.assertj.core.api.Assertions.assertThat;

import io.broxy.core.testkit.Http;
import io.broxy.core.testkit.LeakCheck;
import io.broxy.core.testkit.Origin;
import io.broxy.core.testkit.Peer;
import io.broxy.core.testkit.Proxy;
import java.io.IOException;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Specifies where a forwarded message ends, on both sides (RFC 9112, section 6), and how bodies, trailers and interim
 * responses are framed for the client.
 */
@ExtendWith(LeakCheck.class)
@SuppressWarnings("StringConcatToTextBlock") // whose lines would not end with CRLF
class ForwardedFramingTest {
    private static final String AGAIN = Http.ok("again");

    private static Proxy proxy() throws IOException {
        return Proxy.start(settings -> settings.viaPseudonym(null));
    }

    /** The connection still carries a request and its response. */
    private static void assertGoesOn(Peer client, Origin origin) throws IOException {
        client.send(Http.get(origin.target(), "/again"));
        assertThat(Http.read(client).body()).isEqualTo("again");
    }

    private static void answerAgain(Peer peer) throws IOException {
        assertThat(peer.readHead()).startsWith("GET /again HTTP/1.1\r\n");
        peer.send(AGAIN);
        peer.expectEnd();
    }

    @Test
    void aBodyOfKnownLengthGoesOverAsItIs() throws IOException {
        try (Origin origin = Origin.start(peer -> {
                    String head = peer.readHead();
                    assertThat(head).contains("\r\nContent-Length: 9\r\n").doesNotContain("Transfer-Encoding");
                    assertThat(peer.readText(9)).isEqualTo("0\r\n\r\nbody");
                    peer.send("HTTP/1.1 201 Made\r\nContent-Length: 7\r\n\r\n0\r\n\r\nok");
                    answerAgain(peer);
                });
                Proxy proxy = proxy();
                Peer client = proxy.client()) {
            client.send(Http.post(origin.target(), "/", "0\r\n\r\nbody"));

            assertThat(client.readHead()).isEqualTo("HTTP/1.1 201 Made\r\nContent-Length: 7\r\n\r\n");
            assertThat(client.readText(7)).isEqualTo("0\r\n\r\nok");
            assertGoesOn(client, origin);
        }
    }

    @Test
    void chunksLoseTheirExtensionsAndKeepTheirTrailers() throws IOException {
        try (Origin origin = Origin.start(peer -> {
                    Http.Message request = Http.read(peer);
                    assertThat(request.head()).contains("Transfer-Encoding: chunked\r\n", "TE: trailers\r\n");
                    assertThat(request.body()).isEqualTo("first, second");
                    assertThat(request.trailers()).isEqualTo("X-Sum: 42\r\n");
                    String chunks = "002;a=b\r\nhi\r\n3;c=\"d\"\r\n, I\r\n000;last\r\n";
                    String trailers = "X-Time: 7\r\nContent-Length: 4\r\n\r\n";
                    peer.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X-Time\r\n\r\n" + chunks
                            + trailers);
                    answerAgain(peer);
                });
                Proxy proxy = proxy();
                Peer client = proxy.client()) {
            client.send(Http.request("POST", origin.target(), "/", "Transfer-Encoding: chunked", "TE: trailers")
                    + "5;ext\r\nfirst\r\n0008;n=v\r\n, second\r\n0\r\nX-Sum: 42\r\n\r\n");

            assertThat(client.readHead())
                    .isEqualTo("HTTP/1.1 200 OK\r\nTrailer: X-Time\r\nTransfer-Encoding: chunked\r\n\r\n");
            String body = "2\r\nhi\r\n3\r\n, I\r\n0\r\nX-Time: 7\r\n\r\n";
            assertThat(client.readText(body.length())).isEqualTo(body);
            assertGoesOn(client, origin);
        }
    }

    @Test
    void aResponseThatEndsWithItsConnectionEndsTheClients() throws IOException {
        try (Origin origin = Origin.start(peer -> {
                    peer.readHead();
                    peer.send("HTTP/1.1 200 OK\r\n\r\nuntil the end");
                });
                Proxy proxy = proxy();
                Peer client = proxy.client()) {
            client.send(Http.get(origin.target(), "/"));

            assertThat(client.readHead()).isEqualTo("HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n");
            assertThat(client.readAll()).isEqualTo("until the end");
        }
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "HEAD 200 Content-Length: 5",
                "HEAD 200 Transfer-Encoding: chunked",
                "HEAD 200 X: y",
                "GET 304 Content-Length: 5",
                "GET 304 Transfer-Encoding: chunked",
                "GET 304 X: y",
                "GET 204 X: y",
            })
    void aResponseWithoutBodyEndsWithItsHead(String given) throws IOException {
        String[] parts = given.split(" ", 3);
        String head = "HTTP/1.1 " + parts[1] + " Such\r\n" + parts[2] + "\r\n\r\n";
        try (Origin origin = Origin.start(peer -> {
                    assertThat(peer.readHead()).startsWith(parts[0] + " / HTTP/1.1\r\n");
                    peer.send(head);
                    answerAgain(peer);
                });
                Proxy proxy = proxy();
                Peer client = proxy.client()) {
            client.send(Http.request(parts[0], origin.target(), "/"));

            assertThat(client.readHead()).isEqualTo(head.replace("Transfer-Encoding: chunked\r\n", ""));
            assertGoesOn(client, origin);
            assertThat(origin.accepted()).isEqualTo(1);
        }
    }

    @Test
    void anHttp10ClientGetsTheBodyWithoutChunks() throws IOException {
        try (Origin origin = Origin.start(peer -> {
                    assertThat(peer.readHead()).startsWith("GET / HTTP/1.1\r\nHost: ");
                    peer.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\none\r\n5;x\r\n, two\r\n");
                    peer.send("0\r\nX-Sum: 1\r\n\r\n");
                    answerAgain(peer);
                });
                Proxy proxy = proxy();
                Peer client = proxy.client();
                Peer next = proxy.client()) {
            client.send("GET http://" + origin.target() + "/ HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");

            assertThat(client.readHead()).isEqualTo("HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n");
            assertThat(client.readAll()).isEqualTo("one, two");
            assertGoesOn(next, origin);
            assertThat(origin.accepted()).isEqualTo(1);
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"2 2\r\nhi\r\n", " 2\r\nhi\r\n", "-2\r\nhi\r\n", "2\nhi\r\n", "2\r\nhi!\r\n", "\r\n"})
    void aResponseWhoseFirstChunkIsMalformedIsNone(String chunk) throws IOException {
        try (Origin origin = Origin.start(peer -> {
                    peer.readHead();
                    peer.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + chunk);
                    peer.expectEnd();
                });
                Proxy proxy = proxy();
                Peer client = proxy.client()) {
            client.send(Http.get(origin.target(), "/"));

            Http.Message answer = Http.read(client);
            assertThat(answer.head())
                    .startsWith("HTTP/1.1 502 Bad Gateway\r\nProxy-Status: Broxy; error=http_protocol_error\r\n");
            assertThat(answer.body()).isEqualTo("502 the target gave no valid answer\n");
        }
    }

    @Test
    void continueIsPassedOnWhenTheOriginSaysIt() throws IOException {
        try (Origin origin = Origin.start(peer -> {
                    assertThat(peer.readHead()).contains("\r\nExpect: 100-continue\r\n");
                    peer.send("HTTP/1.1 100 Continue\r\nX: y\r\n\r\n");
                    assertThat(peer.readText(4)).isEqualTo("body");
                    peer.send(Http.ok("taken"));
                    answerAgain(peer);
                });
                Proxy proxy = proxy();
                Peer client = proxy.client()) {
            client.send(Http.request("PUT", origin.target(), "/", "Content-Length: 4", "Expect: 100-continue"));

            assertThat(client.readHead()).isEqualTo("HTTP/1.1 100 Continue\r\nX: y\r\n\r\n");
            client.send("body");
            assertThat(Http.read(client).body()).isEqualTo("taken");
            assertGoesOn(client, origin);
        }
    }

    @Test
    void continueIsNeverInvented() throws Exception {
        CountDownLatch headAtOrigin = new CountDownLatch(1);
        try (Origin origin = Origin.start(peer -> {
                    peer.readHead();
                    headAtOrigin.countDown();
                    assertThat(peer.readText(4)).isEqualTo("body");
                    peer.send(Http.ok("taken"));
                    answerAgain(peer);
                });
                Proxy proxy = proxy();
                Peer client = proxy.client()) {
            client.send(Http.request("PUT", origin.target(), "/", "Content-Length: 4", "Expect: 100-continue"));
            assertThat(headAtOrigin.await(Peer.PATIENCE_MILLIS, TimeUnit.MILLISECONDS))
                    .isTrue();
            client.send("body"); // a client must not wait forever (RFC 9110 section 10.1.1)

            assertThat(client.readHead()).startsWith("HTTP/1.1 200 OK\r\n");
            assertThat(client.readText(5)).isEqualTo("taken");
            assertGoesOn(client, origin);
        }
    }

    @Test
    void earlyHintsArriveBeforeTheResponseIsThere() throws Exception {
        CountDownLatch hintSeen = new CountDownLatch(1);
        try (Origin origin = Origin.start(peer -> {
                    peer.readHead();
                    peer.send("HTTP/1.1 103 Early Hints\r\nLink: </a>\r\nConnection: x\r\nX: y\r\n\r\n");
                    assertThat(hintSeen.await(Peer.PATIENCE_MILLIS, TimeUnit.MILLISECONDS))
                            .isTrue();
                    peer.send("HTTP/1.1 103 Early Hints\r\nLink: </b>\r\n\r\n" + Http.ok("done"));
                    answerAgain(peer);
                });
                Proxy proxy = proxy();
                Peer client = proxy.client()) {
            client.send(Http.get(origin.target(), "/"));

            assertThat(client.readHead()).isEqualTo("HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n");
            hintSeen.countDown();
            assertThat(client.readHead()).isEqualTo("HTTP/1.1 103 Early Hints\r\nLink: </b>\r\n\r\n");
            assertThat(Http.read(client).body()).isEqualTo("done");
            assertGoesOn(client, origin);
        }
    }

    @Test
    void anHttp10ClientGetsNoInterimResponse() throws IOException {
        try (Origin origin = Origin.start(peer -> {
                    peer.readHead();
                    peer.send("HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n");
                    peer.send("HTTP/1.1 103 Early Hints\r\nLink: </b>\r\n\r\n" + Http.ok("done"));
                    peer.expectEnd();
                });
                Proxy proxy = proxy();
                Peer client = proxy.client()) {
            client.send("GET http://" + origin.target() + "/ HTTP/1.0\r\n\r\n");

            assertThat(client.readAll())
                    .isEqualTo("HTTP/1.1 200 OK\r\nContent-Length: 4\r\nConnection: close\r\n\r\ndone");
        }
    }
}
