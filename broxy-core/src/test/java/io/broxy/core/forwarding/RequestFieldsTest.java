package io.broxy.core.forwarding;

import static org.assertj.core.api.Assertions.assertThat;

import io.broxy.FieldEdits;
import io.broxy.FilterRequest;
import io.broxy.RequestDecision;
import io.broxy.core.testkit.CapturedLog;
import io.broxy.core.testkit.Http;
import io.broxy.core.testkit.LeakCheck;
import io.broxy.core.testkit.LoginOrigin;
import io.broxy.core.testkit.Origin;
import io.broxy.core.testkit.Peer;
import io.broxy.core.testkit.Proxy;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** Specifies how a request filter changes the fields of forwarded requests. */
@ExtendWith(LeakCheck.class)
class RequestFieldsTest {

    private static RequestDecision change(FilterRequest request) {
        return RequestDecision.pass()
                .set("X-Gate", "7")
                .set("accept", "text/plain")
                .add("X-Added", "1")
                .add("X-Added", "2")
                .remove("cookie");
    }

    /** An origin that answers each request with its head. */
    private static Origin headEcho() throws Exception {
        return Origin.start(peer -> {
            while (true) {
                Http.Message request = Http.read(peer);
                peer.send(Http.ok(request.head() + request.body()));
            }
        });
    }

    private static Proxy proxy() throws Exception {
        return Proxy.start(settings -> settings.viaPseudonym(null).requestFilter(RequestFieldsTest::change));
    }

    @Test
    void fieldsAreSetAddedAndRemoved() throws Exception {
        try (Origin origin = headEcho();
                Proxy proxy = proxy();
                Peer client = proxy.client()) {
            client.send(Http.get(
                    origin.target(),
                    "/",
                    "Accept: */*",
                    "Cookie: a=b",
                    "X-Kept: x",
                    "ACCEPT: image/png",
                    "X-Added: 0",
                    "COOKIE: c=d",
                    "x-gate: forged"));

            assertThat(Http.read(client).body())
                    .isEqualTo("GET / HTTP/1.1\r\nHost: " + origin.target()
                            + "\r\nX-Kept: x\r\nX-Added: 0\r\nX-Gate: 7\r\naccept: text/plain\r\n"
                            + "X-Added: 1\r\nX-Added: 2\r\n\r\n");
        }
    }

    @Test
    void everyRequestOfAConnectionIsChanged() throws Exception {
        try (Origin origin = headEcho();
                Proxy proxy = proxy();
                Peer client = proxy.client()) {
            client.send(Http.get(origin.target(), "/1") + Http.get(origin.target(), "/2"));
            for (int i = 1; i <= 2; i++) {
                assertThat(Http.read(client).body()).startsWith("GET /" + i).contains("\r\nX-Gate: 7\r\n");
            }
            client.send(Http.post(origin.target(), "/3", "a body"));
            assertThat(Http.read(client).body()).contains("\r\nX-Gate: 7\r\n").endsWith("\r\n\r\na body");
            client.send(Http.request("HEAD", origin.target(), "/4"));
            assertThat(client.readHead()).startsWith("HTTP/1.1 200 OK\r\n");
        }
    }

    @Test
    void fieldsThatConnectionNamesMayBeSet() throws Exception {
        try (Origin origin = headEcho();
                Proxy proxy = proxy();
                Peer client = proxy.client()) {
            client.send(Http.get(origin.target(), "/", "Connection: X-Gate", "X-Gate: for this hop"));

            assertThat(Http.read(client).head()).startsWith("HTTP/1.1 200 OK");
            client.send(Http.get(origin.target(), "/", "Connection: X-Gate", "X-Gate: for this hop"));
            assertThat(Http.read(client).body()).contains("\r\nX-Gate: 7\r\n").doesNotContain("this hop", "Connection");
        }
    }

    @Test
    void theFramingOfABodyStays() throws Exception {
        try (Origin origin = Origin.start(peer -> {
                    assertThat(peer.readHead())
                            .contains("\r\nTransfer-Encoding: chunked\r\n", "\r\nX-Gate: 7\r\n", "\r\nExpect: 100-c");
                    peer.send("HTTP/1.1 100 Continue\r\n\r\n");
                    assertThat(peer.readText(13)).isEqualTo("3\r\nabc\r\n0\r\n\r\n");
                    peer.send(Http.ok("got it"));
                    peer.expectEnd();
                });
                Proxy proxy = proxy();
                Peer client = proxy.client()) {
            client.send(
                    Http.request("POST", origin.target(), "/", "Transfer-Encoding: chunked", "Expect: 100-continue"));
            assertThat(client.readHead()).isEqualTo("HTTP/1.1 100 Continue\r\n\r\n");
            client.send("3\r\nabc\r\n0\r\n\r\n");

            assertThat(Http.read(client).body()).isEqualTo("got it");
        }
    }

    @Test
    void anUpgradeIsStillOne() throws Exception {
        try (Origin origin = Origin.start(peer -> {
                    assertThat(peer.readHead())
                            .contains("\r\nUpgrade: websocket\r\n", "\r\nConnection: upgrade\r\n", "\r\nX-Gate: 7\r\n");
                    peer.send("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: upgrade\r\n\r\n");
                    assertThat(peer.readText(4)).isEqualTo("ping");
                    peer.send("pong").expectEnd();
                });
                Proxy proxy = proxy();
                Peer client = proxy.client()) {
            client.send(Http.get(origin.target(), "/", "Upgrade: websocket", "Connection: upgrade"));
            assertThat(client.readHead()).startsWith("HTTP/1.1 101 ");
            client.send("ping");
            assertThat(client.readText(4)).isEqualTo("pong");
        }
    }

    @Test
    void asMuchAsMayBeAddedFitsAfterTheLargestHead() throws Exception {
        FieldEdits most = FieldEdits.none().add("X", "y".repeat(FieldEdits.MAX_BYTES - 5));
        String large = "z".repeat(15_000);
        try (Origin origin = headEcho();
                Proxy proxy = Proxy.start(settings -> settings.maxResponseHeadBytes(256)
                        .requestFilter(request -> new RequestDecision.Pass(most, null)));
                Peer client = proxy.client()) {
            client.send(Http.get(origin.target(), "/", "Large: " + large));

            assertThat(Http.read(client).body()).contains(large, "y".repeat(FieldEdits.MAX_BYTES - 5));
        }
    }

    @Test
    void aFieldThatCannotBeWrittenRefusesTheRequest() throws Exception {
        try (CapturedLog log = CapturedLog.start();
                Origin origin = headEcho();
                Proxy proxy = Proxy.start(settings ->
                        settings.requestFilter(request -> RequestDecision.pass().set("X", "a\r\nHost: elsewhere")));
                Peer client = proxy.client()) {
            client.send(Http.get(origin.target(), "/"));

            assertThat(client.readAll()).startsWith("HTTP/1.1 500 ").doesNotContain("elsewhere");
            assertThat(origin.accepted()).isZero();
            assertThat(log.text())
                    .contains("the value of X has a forbidden character")
                    .doesNotContain("elsewhere");
        }
    }

    @Test
    void credentialsThatAFilterAddsBindAConnectionAsAClientsDo() throws Exception {
        try (LoginOrigin login = LoginOrigin.start();
                Proxy proxy = Proxy.start(settings -> settings.requestFilter(request -> {
                    String token = request.field("X-Token");
                    return token == null
                            ? RequestDecision.pass()
                            : RequestDecision.pass().remove("X-Token").set("Authorization", token);
                }));
                Peer first = proxy.client();
                Peer second = proxy.client()) {
            first.send(Http.get(login.origin().target(), "/", "X-Token: " + LoginOrigin.begin("NTLM")));
            Http.Message challenge = Http.read(first);
            first.send(Http.get(
                    login.origin().target(), "/", "X-Token: " + LoginOrigin.answer("NTLM", "alice", challenge)));
            assertThat(Http.read(first).status()).isEqualTo(200);

            second.send(Http.get(login.origin().target(), "/"));
            assertThat(Http.read(second).status()).isEqualTo(401); // not over alice's connection
        }
    }
}
