package io.broxy.core.forwarding;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.broxy.FieldEdits;
import io.broxy.FilterResponse;
import io.broxy.RefusedException.Reason;
import io.broxy.RequestDecision;
import io.broxy.ResponseDecision;
import io.broxy.core.testkit.CapturedLog;
import io.broxy.core.testkit.Events;
import io.broxy.core.testkit.Http;
import io.broxy.core.testkit.LeakCheck;
import io.broxy.core.testkit.Origin;
import io.broxy.core.testkit.Peer;
import io.broxy.core.testkit.Proxy;
import java.time.Duration;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Specifies what a response filter sees of the responses to forwarded requests, and decides before they are written. */
@ExtendWith(LeakCheck.class)
class ResponseFilterTest {
    private final Queue<FilterResponse> seen = new ConcurrentLinkedQueue<>();

    private ResponseDecision pass(FilterResponse response) {
        seen.add(response);
        return ResponseDecision.pass();
    }

    private static Origin answering(String response) throws Exception {
        return Origin.start(peer -> {
            while (true) {
                peer.readHead();
                peer.send(response);
            }
        });
    }

    @Test
    void itSeesTheResponseAndTheRequestAsTheyCame() throws Exception {
        try (Origin origin = answering(Http.ok("x", "Server: s", "Connection: X-Hop", "X-Hop: 1"));
                Proxy proxy = Proxy.start(settings -> settings.responseFilter(this::pass)
                        .requestFilter(request -> RequestDecision.pass().remove("X-Client")));
                Peer client = proxy.client()) {
            client.send(Http.get(origin.target(), "/a", "X-Client: c"));
            assertThat(Http.read(client).body()).isEqualTo("x");

            FilterResponse response = seen.remove();
            assertThat(response.status()).isEqualTo(200);
            assertThat(response.field("server")).isEqualTo("s");
            assertThat(response.field("X-Hop")).isEqualTo("1");
            assertThat(response.field("Absent")).isNull();
            assertThat(response.request().uri()).isEqualTo("http://" + origin.target() + "/a");
            assertThat(response.request().field("X-Client")).isEqualTo("c");
        }
    }

    @Test
    void fieldsAreSetAddedAndRemoved() throws Exception {
        try (Origin origin = answering(Http.ok("hello", "Server: secret", "X-Kept: k", "SERVER: again"));
                Proxy proxy = Proxy.start(settings -> settings.viaPseudonym(null)
                        .responseFilter(response -> ResponseDecision.pass()
                                .remove("server")
                                .set("X-Gate", "7")
                                .add("Set-Cookie", "a=b")
                                .add("Set-Cookie", "c=d")));
                Peer client = proxy.client()) {
            for (int i = 0; i < 2; i++) {
                client.send(Http.get(origin.target(), "/"));
                assertThat(client.readHead())
                        .isEqualTo(String.join(
                                "\r\n",
                                "HTTP/1.1 200 OK",
                                "Content-Length: 5",
                                "X-Kept: k",
                                "X-Gate: 7",
                                "Set-Cookie: a=b",
                                "Set-Cookie: c=d",
                                "",
                                ""));
                assertThat(client.readText(5)).isEqualTo("hello");
            }
            assertThat(origin.accepted()).isEqualTo(1);
        }
    }

    @Test
    void interimResponsesPassAndTheFinalOneIsFiltered() throws Exception {
        try (Origin origin = answering("HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" + Http.ok("x", "Server: s"));
                Proxy proxy =
                        Proxy.start(settings -> settings.viaPseudonym(null).responseFilter(response -> {
                            pass(response);
                            return ResponseDecision.pass().set("Link", "none");
                        }));
                Peer client = proxy.client()) {
            client.send(Http.get(origin.target(), "/"));

            assertThat(client.readHead()).isEqualTo("HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n");
            assertThat(Http.read(client).head()).contains("\r\nLink: none\r\n");
            assertThat(seen).extracting(FilterResponse::status).containsExactly(200);
        }
    }

    @Test
    void aResponseToHeadIsChangedToo() throws Exception {
        try (Origin origin = answering("HTTP/1.1 200 OK\r\nContent-Length: 9\r\nServer: s\r\n\r\n");
                Proxy proxy = Proxy.start(settings -> settings.viaPseudonym(null)
                        .responseFilter(response -> ResponseDecision.pass().remove("Server")));
                Peer client = proxy.client()) {
            for (int i = 0; i < 2; i++) {
                client.send(Http.request("HEAD", origin.target(), "/"));
                assertThat(client.readHead()).isEqualTo("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n");
            }
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void aSwitchOfProtocolsIsFiltered(boolean passes) throws Exception {
        try (Origin origin = Origin.start(peer -> {
                    peer.readHead();
                    peer.send("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: upgrade\r\n\r\n");
                    if (passes) {
                        assertThat(peer.readText(4)).isEqualTo("ping");
                        peer.send("pong");
                    }
                    peer.socket().getInputStream().readAllBytes();
                });
                Proxy proxy = Proxy.start(settings -> settings.responseFilter(response -> passes
                        ? ResponseDecision.pass().set("X-Gate", "7")
                        : ResponseDecision.refuse("no WebSockets here")));
                Peer client = proxy.client()) {
            client.send(Http.get(origin.target(), "/", "Upgrade: websocket", "Connection: upgrade"));
            if (passes) {
                assertThat(client.readHead()).startsWith("HTTP/1.1 101 ").contains("\r\nX-Gate: 7\r\n");
                assertThat(client.send("ping").readText(4)).isEqualTo("pong");
            } else {
                assertThat(client.readAll()).startsWith("HTTP/1.1 502 ").endsWith("502 no WebSockets here\n");
            }
        }
    }

    @Test
    void aRefusedResponseEndsBothConnections() throws Exception {
        Events events = new Events();
        try (Origin origin = Origin.start(peer -> {
                    peer.readHead();
                    peer.send(Http.ok("a program", "Content-Type: application/x-msdownload"));
                    peer.socket().getInputStream().readAllBytes();
                });
                Proxy proxy = Proxy.start(settings -> settings.listener(events)
                        .responseFilter(response -> "application/x-msdownload".equals(response.field("Content-Type"))
                                ? ResponseDecision.refuse("programs are not allowed")
                                : ResponseDecision.pass()));
                Peer client = proxy.client()) {
            client.send(Http.get(origin.target(), "/"));

            assertThat(client.readHead())
                    .startsWith("HTTP/1.1 502 Bad Gateway\r\n")
                    .contains("\r\nProxy-Status: Broxy; error=http_request_denied\r\n", "\r\nConnection: close\r\n");
            assertThat(client.readAll()).isEqualTo("502 programs are not allowed\n");
            client.close();
            assertThat(events.untilClosed())
                    .contains("exchange ended GET " + origin.target() + " by null: 502 REFUSED");
            assertThat(proxy.handler().stats().refused(Reason.FILTERED))
                    .as("refused before an exchange")
                    .isZero();
            await().atMost(Duration.ofMillis(Peer.PATIENCE_MILLIS)).until(() -> origin.open() == 0);
            assertThat(proxy.handler().stats().pool().idle()).isZero();
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void aFilterThatThrowsOrDecidesNothingRefuses(boolean throwing) throws Exception {
        try (CapturedLog log = CapturedLog.start();
                Origin origin = answering(Http.ok("hello"));
                Proxy proxy = Proxy.start(settings -> settings.responseFilter(response -> broken(throwing)));
                Peer client = proxy.client()) {
            client.send(Http.get(origin.target(), "/"));

            assertThat(client.readAll())
                    .startsWith("HTTP/1.1 502 ")
                    .endsWith("502 the response could not be filtered\n")
                    .doesNotContain("secret");
            assertThat(log.text())
                    .contains("a response filter failed", throwing ? "a secret" : "the filter gave no decision");
        }
    }

    @SuppressWarnings("NullAway") // a filter that breaks its contract
    private static ResponseDecision broken(boolean throwing) {
        if (throwing) {
            throw new IllegalStateException("a secret");
        }
        return null;
    }

    @Test
    void theProxysOwnResponsesDoNotReachIt() throws Exception {
        try (Origin origin = Origin.start(peer -> {
                    peer.readHead();
                    peer.send("this is not HTTP\r\n\r\n");
                    peer.expectEnd();
                });
                Proxy proxy = Proxy.start(settings -> settings.responseFilter(this::pass));
                Peer client = proxy.client()) {
            client.send(Http.get(origin.target(), "/"));

            assertThat(client.readHead()).startsWith("HTTP/1.1 502 ");
            assertThat(seen).isEmpty();
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {256, 65_536})
    void asMuchAsMayBeAddedFitsAfterTheLargestHead(int maxHead) throws Exception {
        FieldEdits most = FieldEdits.none().add("X", "y".repeat(FieldEdits.MAX_BYTES - 5));
        String folded = "a:b\n".repeat(Math.min(60, maxHead / 8)); // which becomes longer as it is normalised
        String body = "z".repeat(200_000);
        String response = "HTTP/1.1 200 OK\n" + folded + "Content-Length: " + body.length() + "\n\n" + body;
        try (Origin origin = answering(maxHead == 256 ? Http.ok(body) : response);
                Proxy proxy = Proxy.start(settings -> settings.maxResponseHeadBytes(maxHead)
                        .responseFilter(filtered -> new ResponseDecision.Pass(most)));
                Peer client = proxy.client()) {
            client.send(Http.get(origin.target(), "/"));

            assertThat(Http.read(client).body()).isEqualTo(body);
        }
    }
}
