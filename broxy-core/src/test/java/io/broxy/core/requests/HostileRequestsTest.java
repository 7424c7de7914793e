package io.broxy.core.requests;

import static org.assertj.core.api.Assertions.assertThat;

import io.broxy.CloseReason;
import io.broxy.ConnectionResult;
import io.broxy.core.testkit.Accepted;
import io.broxy.core.testkit.Http;
import io.broxy.core.testkit.LeakCheck;
import io.broxy.core.testkit.Origin;
import io.broxy.core.testkit.Peer;
import io.broxy.core.testkit.Proxy;
import java.nio.channels.SocketChannel;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Specifies that a request that two parsers could read differently is refused before a byte of it reaches an origin.
 * The parsers' tests specify the rules; here one request of each kind shows that they are applied.
 */
@ExtendWith(LeakCheck.class)
class HostileRequestsTest {

    /**
     * Requests to the target {@code ORIGIN}, with a line feed for CRLF and {@code !} for LF, and the status that refuses them.
     */
    static String[][] requests() {
        return new String[][] {
            {"400", "POST http://ORIGIN/ HTTP/1.1\nHost: a\nContent-Length: 5\nTransfer-Encoding: chunked\n\n0\n\n"},
            {"400", "POST http://ORIGIN/ HTTP/1.1\nHost: a\nTransfer-Encoding: chunked\nContent-Length: 5\n\n0\n\n"},
            {"400", "POST http://ORIGIN/ HTTP/1.1\nHost: a\nContent-Length: 5\nContent-Length: 6\n\nbodies"},
            {"400", "POST http://ORIGIN/ HTTP/1.1\nHost: a\nContent-Length: 5, 6\n\nbodies"},
            {"400", "POST http://ORIGIN/ HTTP/1.1\nHost: a\nContent-Length: +5\n\nbodies"},
            {"400", "POST http://ORIGIN/ HTTP/1.1\nHost: a\nContent-Length: -1\n\n"},
            {"400", "POST http://ORIGIN/ HTTP/1.1\nHost: a\nContent-Length: 0x5\n\nbodies"},
            {"400", "POST http://ORIGIN/ HTTP/1.1\nHost: a\nContent-Length: 99999999999999999999\n\nbodies"},
            {"400", "POST http://ORIGIN/ HTTP/1.1\nHost: a\nContent-Length:\n\nbodies"},
            {"501", "POST http://ORIGIN/ HTTP/1.1\nHost: a\nTransfer-Encoding: gzip, chunked\n\n0\n\n"},
            {"400", "POST http://ORIGIN/ HTTP/1.1\nHost: a\nTransfer-Encoding: chunked, chunked\n\n0\n\n"},
            {"400", "POST http://ORIGIN/ HTTP/1.0\nHost: a\nTransfer-Encoding: chunked\n\n0\n\n"},
            {"400", "POST http://ORIGIN/ HTTP/1.1\nHost: a\nTransfer-Encoding: chunked\n\n-1\n\n"},
            {"400", "POST http://ORIGIN/ HTTP/1.1\nHost: a\nTransfer-Encoding: chunked\n\n0x1\na\n0\n\n"},
            {"400", "POST http://ORIGIN/ HTTP/1.1\nHost: a\nTransfer-Encoding: chunked\n\n1\nab\n0\n\n"},
            {"400", "POST http://ORIGIN/ HTTP/1.1\nHost: a\nTransfer-Encoding: chunked\n\n1\na\n;\n0\n\n"},
            {"400", "POST http://ORIGIN/ HTTP/1.1\nHost: a\nTransfer-Encoding: chunked\n\nfffffffffffffffff\na"},
            {"400", "POST http://ORIGIN/ HTTP/1.1\nHost: a\nTransfer-Encoding: chunked\n\n1!a\n0\n\n"},
            {"400", "POST http://ORIGIN/ HTTP/1.1\nHost: a\nTransfer-Encoding: chunked\n\n0\nBad Name: x\n\n"},
            {"400", "GET http://ORIGIN/ HTTP/1.1\nHost: a\nX: y\n z\n\n"},
            {"400", "GET http://ORIGIN/ HTTP/1.1\nHost: a\n X: y\n\n"},
            {"400", "GET http://ORIGIN/ HTTP/1.1\nHost : a\n\n"},
            {"400", "GET http://ORIGIN/ HTTP/1.1\nHost: a\nX : y\n\n"},
            {"400", "GET http://ORIGIN/ HTTP/1.1\nHost: a\nX\n\n"},
            {"400", "GET http://ORIGIN/ HTTP/1.1\nHost: a\n: y\n\n"},
            {"400", "GET http://ORIGIN/ HTTP/1.1\nHost: a\nX: y\0z\n\n"},
            {"400", "GET http://ORIGIN/ HTTP/1.1\nHost: a\nX: y\rz\n\n"},
            {"400", "GET http://ORIGIN/ HTTP/1.1!Host: a\n\n"},
            {"400", "GET http://ORIGIN/ HTTP/1.1\nHost: a!X: y\n\n"},
            {"400", "GET http://ORIGIN/ HTTP/1.1\nHost: a\n!"},
            {"400", "GET  http://ORIGIN/ HTTP/1.1\nHost: a\n\n"},
            {"400", "GET http://ORIGIN/  HTTP/1.1\nHost: a\n\n"},
            {"400", "GET http://ORIGIN/a b HTTP/1.1\nHost: a\n\n"},
            {"400", "GE\tT http://ORIGIN/ HTTP/1.1\nHost: a\n\n"},
            {"400", "GET http://ORIGIN/ HTTP/1.1\nHost: a\nHost: a\n\n"},
            {"400", "GET http://ORIGIN/ HTTP/1.1\n\n"},
            {"400", "GET http://ORIGIN/ HTTP/1.1\nHost: a b\n\n"},
            {"400", "GET http://ORIGIN/ HTTP/1.1\nHost: a@b\n\n"},
            {"400", "GET http://ORIGIN/ HTTP/1.1\nHost: a/b\n\n"},
            {"400", "GET http://user:secret@ORIGIN/ HTTP/1.1\nHost: a\n\n"},
            {"400", "GET http://ORIGIN/#part HTTP/1.1\nHost: a\n\n"},
            {"400", "GET http:/ORIGIN/ HTTP/1.1\nHost: a\n\n"},
            {"501", "GET https://ORIGIN/ HTTP/1.1\nHost: a\n\n"},
            {"501", "GET ftp://ORIGIN/ HTTP/1.1\nHost: a\n\n"},
            {"400", "GET / HTTP/1.1\nHost: ORIGIN\n\n"},
            {"400", "OPTIONS * HTTP/1.1\nHost: ORIGIN\n\n"},
            {"400", "GET ORIGIN HTTP/1.1\nHost: a\n\n"},
            {"400", "GET http://ORIGIN/ HTTP/1.1\nHost: a\nConnection: a b\n\n"},
            {"417", "GET http://ORIGIN/ HTTP/1.1\nHost: a\nExpect: a miracle\n\n"},
            {"400", "TRACE http://ORIGIN/ HTTP/1.1\nHost: a\nContent-Length: 1\n\na"},
            {"400", "OPTIONS http://ORIGIN/ HTTP/1.1\nHost: a\nMax-Forwards: -1\n\n"},
            {"505", "GET http://ORIGIN/ HTTP/2.0\nHost: a\n\n"},
            {"400", "GET http://ORIGIN/\nHost: a\n\n"},
            {"431", "GET http://ORIGIN/ HTTP/1.1\nHost: a\nX: " + "y".repeat(20_000) + "\n\n"},
            {"431", "GET http://ORIGIN/ HTTP/1.1\nHost: a\n" + "X: y\n".repeat(200) + "\n"},
            {"414", "GET http://ORIGIN/" + "a".repeat(9_000) + " HTTP/1.1\nHost: a\n\n"},
        };
    }

    @ParameterizedTest
    @MethodSource("requests")
    void itIsRefusedAndNoOriginHearsOfIt(String status, String request) throws Exception {
        String sent = request.replace("\n", "\r\n").replace('!', '\n');
        try (Origin origin = Http.echo();
                Proxy proxy = Proxy.start();
                Accepted<SocketChannel> accepted = Accepted.channel()) {
            CompletableFuture<ConnectionResult> result =
                    proxy.handler().handle(accepted.end()).completion();
            Peer client = accepted.client();
            client.send(sent.replace("ORIGIN", origin.target().toString()) + Http.get(origin.target(), "/smuggled"));

            Http.Message answer = Http.read(client);
            assertThat(answer.head())
                    .startsWith("HTTP/1.1 " + status + " ")
                    .contains("\r\nProxy-Status: Broxy; error=http_request_")
                    .contains("\r\nConnection: close\r\n");
            client.expectEnd();
            client.close();
            assertThat(result.get(Peer.PATIENCE_MILLIS, TimeUnit.MILLISECONDS).reason())
                    .isEqualTo(CloseReason.REFUSED);
            try (Peer good = proxy.client()) {
                good.send(Http.get(origin.target(), "/good"));
                assertThat(Http.read(good).body()).isEqualTo("GET /good ");
            }
            assertThat(origin.accepted()).isEqualTo(1);
            assertThat(proxy.handler().stats().refused()).isEqualTo(1);
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"+1\r\na\r\n", "1\r\nab\r\n", "1 \r\na\r\n", "1\na\r\n", "0\r\nX : y\r\n\r\n", "g\r\n"})
    void aChunkThatTurnsBadLaterResetsTheOrigin(String bad) throws Exception {
        CountDownLatch firstArrived = new CountDownLatch(1);
        CountDownLatch reset = new CountDownLatch(1);
        try (Origin origin = Http.echo();
                Origin recording = Origin.start(peer -> {
                    peer.readHead();
                    assertThat(peer.readText(9)).isEqualTo("4\r\ngood\r\n");
                    firstArrived.countDown();
                    peer.expectReset();
                    reset.countDown();
                });
                Proxy proxy = Proxy.start();
                Peer client = proxy.client()) {
            client.send(Http.request("POST", recording.target(), "/", "Transfer-Encoding: chunked") + "4\r\ngood\r\n");
            assertThat(firstArrived.await(Peer.PATIENCE_MILLIS, TimeUnit.MILLISECONDS))
                    .isTrue();
            client.send(bad + Http.get(origin.target(), "/smuggled"));

            assertThat(Http.read(client).head()).startsWith("HTTP/1.1 400 Bad Request\r\n");
            client.expectEnd();
            assertThat(reset.await(Peer.PATIENCE_MILLIS, TimeUnit.MILLISECONDS)).isTrue();
            assertThat(origin.accepted()).isZero();
        }
    }

    @Test
    void aChunkThatTurnsBadAfterTheResponsesHeadCutsIt() throws Exception {
        CountDownLatch reset = new CountDownLatch(1);
        try (Origin origin = Origin.start(peer -> {
                    peer.readHead();
                    peer.send("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\npart");
                    peer.expectReset();
                    reset.countDown();
                });
                Proxy proxy = Proxy.start();
                Peer client = proxy.client()) {
            client.send(Http.request("POST", origin.target(), "/", "Transfer-Encoding: chunked") + "4\r\ngood\r\n");
            assertThat(client.readHead()).startsWith("HTTP/1.1 200 OK\r\n").contains("Connection: close\r\n");
            assertThat(client.readText(4)).isEqualTo("part");
            client.send("oops\r\n");

            client.expectEnd();
            assertThat(reset.await(Peer.PATIENCE_MILLIS, TimeUnit.MILLISECONDS)).isTrue();
        }
    }
}
