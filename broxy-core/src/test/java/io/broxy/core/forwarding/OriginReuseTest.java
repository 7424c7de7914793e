package io.broxy.core.forwarding;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.broxy.core.testkit.Http;
import io.broxy.core.testkit.LeakCheck;
import io.broxy.core.testkit.Origin;
import io.broxy.core.testkit.Peer;
import io.broxy.core.testkit.Proxy;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Specifies which origin connections carry another request, and which request is sent again when a connection turns
 * out dead (RFC 9112, section 9.3).
 */
@ExtendWith(LeakCheck.class)
class OriginReuseTest {
    private static final Duration PATIENCE = Duration.ofMillis(Peer.PATIENCE_MILLIS);

    private final AtomicInteger received = new AtomicInteger();

    /**
     * The first connection answers once and is closed when a second request has come, though it was promised to be kept; later
     * ones answer as they should.
     */
    private Origin staleAfterOne(boolean reset) throws IOException {
        AtomicInteger connections = new AtomicInteger();
        return Origin.start(peer -> {
            boolean first = connections.getAndIncrement() == 0;
            while (true) {
                Http.read(peer);
                int number = received.incrementAndGet();
                if (first && number > 1) {
                    if (reset) {
                        peer.reset();
                    }
                    return;
                }
                peer.send(Http.ok("answer " + number, "Keep-Alive: timeout=600"));
            }
        });
    }

    private static Http.Message exchange(Peer client, String request) throws IOException {
        client.send(request);
        return Http.read(client);
    }

    @Test
    void aConnectionServesOneClientAfterAnother() throws IOException {
        try (Origin origin = Http.echo();
                Proxy proxy = Proxy.start()) {
            for (int i = 0; i < 5; i++) {
                try (Peer client = proxy.client()) {
                    assertThat(exchange(client, Http.get(origin.target(), "/" + i))
                                    .body())
                            .isEqualTo("GET /" + i + " ");
                }
                // the client may have its answer, and the next one be served by another loop, before this
                await().atMost(PATIENCE)
                        .until(() -> proxy.handler().stats().pool().idle() == 1);
            }
            assertThat(origin.accepted()).isEqualTo(1);
        }
    }

    /** A cap on idle connections that is below what a proxy does at once would have it dial for most requests. */
    @Test
    void manyClientsAtOnceKeepAsManyConnections() throws IOException {
        int clients = 60;
        CyclicBarrier allThere = new CyclicBarrier(clients);
        List<Peer> peers = new ArrayList<>();
        try (Origin origin = Origin.start(peer -> {
                    while (true) {
                        Http.read(peer);
                        allThere.await(Peer.PATIENCE_MILLIS, TimeUnit.MILLISECONDS);
                        peer.send(Http.ok("answer"));
                    }
                });
                Proxy proxy = Proxy.start()) {
            for (int i = 0; i < clients; i++) {
                peers.add(proxy.client());
            }
            for (int round = 0; round < 3; round++) {
                for (Peer client : peers) {
                    client.send(Http.get(origin.target(), "/"));
                }
                for (Peer client : peers) {
                    assertThat(Http.read(client).body()).isEqualTo("answer");
                }
                await().atMost(PATIENCE)
                        .until(() -> proxy.handler().stats().pool().idle() == clients);
            }
            assertThat(origin.accepted()).isEqualTo(clients);
        } finally {
            for (Peer client : peers) {
                client.close();
            }
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void aGetOverADeadConnectionIsSentOnceMore(boolean reset) throws IOException {
        try (Origin origin = staleAfterOne(reset);
                Proxy proxy = Proxy.start();
                Peer client = proxy.client()) {
            assertThat(exchange(client, Http.get(origin.target(), "/")).body()).isEqualTo("answer 1");

            assertThat(exchange(client, Http.get(origin.target(), "/")).body()).isEqualTo("answer 3");
            assertThat(origin.accepted()).isEqualTo(2);
            assertThat(received).hasValue(3);
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void aPostOverADeadConnectionIsNot(boolean reset) throws IOException {
        try (Origin origin = staleAfterOne(reset);
                Proxy proxy = Proxy.start();
                Peer client = proxy.client()) {
            assertThat(exchange(client, Http.get(origin.target(), "/")).body()).isEqualTo("answer 1");

            Http.Message answer = exchange(client, Http.post(origin.target(), "/", "body"));
            assertThat(answer.head())
                    .startsWith("HTTP/1.1 502 Bad Gateway\r\nProxy-Status: Broxy; error=http_response_incomplete\r\n");
            assertThat(origin.accepted()).isEqualTo(1);
            assertThat(received).hasValue(2);
            assertThat(exchange(client, Http.get(origin.target(), "/")).body()).isEqualTo("answer 3");
        }
    }

    @Test
    void nothingIsSentAThirdTime() throws IOException {
        AtomicInteger connections = new AtomicInteger();
        try (Origin origin = Origin.start(peer -> {
                    boolean first = connections.getAndIncrement() == 0;
                    Http.read(peer);
                    received.incrementAndGet();
                    if (first) {
                        peer.send(Http.ok("first"));
                        Http.read(peer);
                        received.incrementAndGet();
                    }
                });
                Proxy proxy = Proxy.start();
                Peer client = proxy.client()) {
            assertThat(exchange(client, Http.get(origin.target(), "/")).body()).isEqualTo("first");

            assertThat(exchange(client, Http.get(origin.target(), "/")).status())
                    .isEqualTo(502);
            assertThat(received).hasValue(3);
            assertThat(origin.accepted()).isEqualTo(2);
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "HTTP/1.1 200 OK\r\nContent-", "HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n"})
    void aNewConnectionThatGivesNoResponseIsABadGateway(String said) throws IOException {
        try (Origin origin = Origin.start(peer -> {
                    peer.readHead();
                    peer.send(said);
                });
                Proxy proxy = Proxy.start();
                Peer client = proxy.client()) {
            client.send(Http.get(origin.target(), "/"));
            if (said.contains("103")) {
                assertThat(client.readHead()).startsWith("HTTP/1.1 103 ");
            }

            Http.Message answer = Http.read(client);
            assertThat(answer.head())
                    .startsWith("HTTP/1.1 502 Bad Gateway\r\nProxy-Status: Broxy; error=http_response_incomplete\r\n")
                    .doesNotContain("Connection: close");
            assertThat(answer.body()).isEqualTo("502 the target gave no answer\n");
            assertThat(origin.accepted()).isEqualTo(1);
        }
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "no HTTP at all\r\n\r\n",
                "HTTP/2.0 200 OK\r\n\r\n",
                "HTTP/1.1 20 OK\r\n\r\n",
                "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
                "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked, gzip\r\n\r\n1\r\na\r\n0\r\n\r\n",
                "HTTP/1.1 200 OK\r\n X: y\r\n\r\n",
            })
    void aResponseThatBreaksTheRulesIsABadGateway(String response) throws IOException {
        try (Origin origin = Origin.start(peer -> {
                    peer.readHead();
                    peer.send(response);
                    peer.readAll();
                });
                Proxy proxy = Proxy.start();
                Peer client = proxy.client()) {
            assertThat(exchange(client, Http.get(origin.target(), "/")).head())
                    .startsWith("HTTP/1.1 502 Bad Gateway\r\nProxy-Status: Broxy; error=http_protocol_error\r\n");
        }
    }

    @ParameterizedTest
    @ValueSource(
            strings = {"HTTP/1.1 200 OK\r\nConnection: close\r\n", "HTTP/1.0 200 OK\r\nConnection: keep-alive\r\n"})
    void anOriginsCloseIsItsOwnAffair(String head) throws IOException {
        try (Origin origin = Origin.start(peer -> {
                    peer.readHead();
                    peer.send(head + "Content-Length: 2\r\n\r\nok");
                    peer.expectEnd(); // the proxy does not wait for the close that was announced
                });
                Proxy proxy = Proxy.start();
                Peer client = proxy.client()) {
            for (int i = 1; i <= 3; i++) {
                Http.Message answer = exchange(client, Http.get(origin.target(), "/"));
                assertThat(answer.head()).startsWith("HTTP/1.1 200 OK\r\n").doesNotContain("Connection");
                assertThat(answer.body()).isEqualTo("ok");
                assertThat(origin.accepted()).isEqualTo(i);
            }
        }
    }

    @Test
    void aClientsCloseIsHonouredAndTheOriginsConnectionIsKept() throws IOException {
        try (Origin origin = Http.echo();
                Proxy proxy = Proxy.start();
                Peer next = proxy.client()) {
            try (Peer client = proxy.client()) {
                Http.Message answer = exchange(client, Http.get(origin.target(), "/", "Connection: close"));
                assertThat(answer.head()).contains("\r\nConnection: close\r\n");
                assertThat(answer.body()).isEqualTo("GET / ");
                client.expectEnd();
            }
            assertThat(exchange(next, Http.get(origin.target(), "/")).status()).isEqualTo(200);
            assertThat(origin.accepted()).isEqualTo(1);
        }
    }

    @Test
    void aClientThatEndsItsStreamAfterItsRequestGetsTheResponse() throws Exception {
        CountDownLatch ended = new CountDownLatch(1);
        try (Origin origin = Origin.start(peer -> {
                    peer.readHead();
                    ended.await();
                    peer.send(Http.ok("for whoever still reads"));
                    peer.expectEnd();
                });
                Proxy proxy = Proxy.start();
                Peer client = proxy.client()) {
            client.send(Http.get(origin.target(), "/")).shutdownOutput();
            ended.countDown();

            assertThat(Http.read(client).body()).isEqualTo("for whoever still reads");
            client.expectEnd();
        }
    }

    @Test
    void aConnectionThatTheOriginClosesWhileIdleIsNotUsed() throws Exception {
        AtomicInteger connections = new AtomicInteger();
        CountDownLatch close = new CountDownLatch(1);
        try (Origin origin = Origin.start(peer -> {
                    Http.read(peer);
                    peer.send(Http.ok("connection " + connections.incrementAndGet()));
                    close.await();
                });
                Proxy proxy = Proxy.start();
                Peer client = proxy.client()) {
            assertThat(exchange(client, Http.get(origin.target(), "/")).body()).isEqualTo("connection 1");
            close.countDown();

            // seen in time or not, the client notices nothing
            assertThat(exchange(client, Http.get(origin.target(), "/")).body()).isEqualTo("connection 2");
        }
    }

    @Test
    void aFinalResponseBeforeTheBodyIsThereEndsTheConnection() throws Exception {
        byte[] body = new byte[8 << 20];
        try (Origin origin = Origin.start(peer -> {
                    peer.readHead();
                    peer.send("HTTP/1.1 413 Content Too Large\r\nContent-Length: 3\r\n\r\nbig");
                    peer.shutdownOutput();
                    peer.readAll();
                });
                Proxy proxy = Proxy.start();
                Peer client = proxy.client()) {
            client.send(Http.request("POST", origin.target(), "/", "Content-Length: " + body.length));
            Http.Message answer = Http.read(client);
            client.send(body); // which may still go on, and must not destroy the response

            assertThat(answer.status()).isEqualTo(413);
            assertThat(answer.head()).contains("\r\nConnection: close\r\n");
            assertThat(answer.body()).isEqualTo("big");
            client.expectEnd();
        }
    }

    @Test
    void anOriginThatAnswersAndBreaksTheUploadIsHeard() throws Exception {
        byte[] body = new byte[8 << 20];
        try (Origin origin = Origin.start(peer -> {
                    peer.readHead();
                    peer.send("HTTP/1.1 413 Content Too Large\r\nContent-Length: 3\r\nConnection: close\r\n\r\nbig");
                }); // closed with unread bytes: a reset after the response
                Proxy proxy = Proxy.start();
                Peer client = proxy.client()) {
            client.send(Http.request("POST", origin.target(), "/", "Content-Length: " + body.length));
            client.send(body);

            assertThat(Http.read(client).body()).isIn("big", "502 the target gave no answer\n");
        }
    }

    @Test
    void anExpectationThatIsRefusedLeavesTheBodyUnsent() throws Exception {
        try (Origin origin = Origin.start(peer -> {
                    peer.readHead();
                    peer.send("HTTP/1.1 401 Who\r\nContent-Length: 3\r\n\r\nwho");
                    assertThat(peer.readAll()).isEmpty();
                });
                Proxy proxy = Proxy.start();
                Peer client = proxy.client()) {
            client.send(Http.request("PUT", origin.target(), "/", "Content-Length: 4", "Expect: 100-continue"));

            Http.Message answer = Http.read(client);
            assertThat(answer.status()).isEqualTo(401);
            assertThat(answer.head()).contains("\r\nConnection: close\r\n");
            assertThat(answer.body()).isEqualTo("who");
            client.expectEnd();
        }
    }

    @Test
    void connectionsOfClientsThatAreGoneStayWithinTheHandler() throws Exception {
        CountDownLatch ended = new CountDownLatch(1);
        try (Origin origin = Origin.start(peer -> {
                    peer.readHead();
                    peer.send(Http.ok("x"));
                    peer.expectEnd();
                    ended.countDown();
                });
                Proxy proxy = Proxy.start()) {
            try (Peer client = proxy.client()) {
                assertThat(exchange(client, Http.get(origin.target(), "/")).body())
                        .isEqualTo("x");
            }
            await().atMost(PATIENCE).until(() -> proxy.handler().stats().openConnections() == 0);

            proxy.handler().close();

            assertThat(ended.await(Peer.PATIENCE_MILLIS, TimeUnit.MILLISECONDS)).isTrue();
        }
    }
}
