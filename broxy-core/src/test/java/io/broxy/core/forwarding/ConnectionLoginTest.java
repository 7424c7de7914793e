package io.broxy.core.forwarding;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.broxy.HostPort;
import io.broxy.core.testkit.Background;
import io.broxy.core.testkit.Http;
import io.broxy.core.testkit.LeakCheck;
import io.broxy.core.testkit.LoginOrigin;
import io.broxy.core.testkit.Origin;
import io.broxy.core.testkit.Peer;
import io.broxy.core.testkit.Proxy;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Specifies that a login that is bound to a connection (NTLM, Negotiate: RFC 4559) belongs to the client that made it:
 * all of its legs use one connection to the origin, which serves no other client and ends with the client's own.
 */
@ExtendWith(LeakCheck.class)
class ConnectionLoginTest {
    private static final Duration PATIENCE = Duration.ofMillis(Peer.PATIENCE_MILLIS);

    private static Http.Message exchange(Peer client, String request) throws IOException {
        client.send(request);
        return Http.read(client);
    }

    private static Http.Message get(Peer client, HostPort origin, String... fields) throws IOException {
        return exchange(client, Http.get(origin, "/", fields));
    }

    /** All legs, and the answer to the last. */
    private static String logIn(Peer client, HostPort origin, String scheme, String user) throws IOException {
        Http.Message challenge = get(client, origin, LoginOrigin.begin(scheme));
        assertThat(challenge.status()).isEqualTo(401);
        Http.Message answer = get(client, origin, LoginOrigin.answer(scheme, user, challenge));
        assertThat(answer.status()).isEqualTo(200);
        return answer.body();
    }

    private static void awaitNothingHeld(Proxy proxy) {
        await().atMost(PATIENCE).untilAsserted(() -> {
            assertThat(proxy.handler().stats().pool().leased()).isZero();
            assertThat(proxy.handler().stats().pool().idle()).isZero();
        });
    }

    // ------------------------------------------------------------------ one client's login is not another's

    @ParameterizedTest
    @ValueSource(strings = {"NTLM", "Negotiate", "nTlM"})
    void anotherClientDoesNotGetIt(String scheme) throws IOException {
        try (LoginOrigin login = LoginOrigin.start();
                Proxy proxy = Proxy.start();
                Peer alice = proxy.client();
                Peer bob = proxy.client()) {
            HostPort origin = login.origin().target();
            assertThat(logIn(alice, origin, scheme, "alice")).isEqualTo("alice 1");

            assertThat(get(bob, origin).status()).isEqualTo(401);
            assertThat(get(alice, origin).body()).isEqualTo("alice 1");
            assertThat(logIn(bob, origin, scheme, "bob")).isEqualTo("bob 2");
            assertThat(get(alice, origin).body()).isEqualTo("alice 1");
            assertThat(get(bob, origin).body()).isEqualTo("bob 2");
        }
    }

    /** An ending client's connection to the origin is not given to the one that comes next. */
    @Test
    void theNextClientDoesNotGetIt() throws IOException {
        try (LoginOrigin login = LoginOrigin.start();
                Proxy proxy = Proxy.start();
                Peer bob = proxy.client()) {
            HostPort origin = login.origin().target();
            try (Peer alice = proxy.client()) {
                logIn(alice, origin, "NTLM", "alice");
            }
            assertThat(get(bob, origin).status()).isEqualTo(401);
            assertThat(login.origin().accepted()).isEqualTo(2);
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"NTLM", "Negotiate"})
    void loginsInProgressAtOnceDoNotMeet(String scheme) throws IOException {
        try (LoginOrigin login = LoginOrigin.start();
                Proxy proxy = Proxy.start();
                Peer alice = proxy.client();
                Peer bob = proxy.client()) {
            HostPort origin = login.origin().target();
            assertThat(get(alice, origin).status()).isEqualTo(401);
            assertThat(get(bob, origin).status()).isEqualTo(401);
            Http.Message forAlice = get(alice, origin, LoginOrigin.begin(scheme));
            Http.Message forBob = get(bob, origin, LoginOrigin.begin(scheme));

            assertThat(get(bob, origin, LoginOrigin.answer(scheme, "bob", forBob))
                            .body())
                    .isEqualTo("bob 2");
            assertThat(get(alice, origin, LoginOrigin.answer(scheme, "alice", forAlice))
                            .body())
                    .isEqualTo("alice 1");
            assertThat(login.origin().accepted()).isEqualTo(2);
        }
    }

    @Test
    void fiftyLogInAtOnce() throws Exception {
        int clients = 50;
        CyclicBarrier together = new CyclicBarrier(clients);
        try (LoginOrigin login = LoginOrigin.start();
                Proxy proxy = Proxy.start()) {
            HostPort origin = login.origin().target();
            List<CompletableFuture<List<String>>> all = new ArrayList<>();
            for (int i = 0; i < clients; i++) {
                String user = "user" + i;
                String scheme = i % 2 == 0 ? "NTLM" : "Negotiate";
                all.add(Background.supply(() -> {
                    try (Peer client = proxy.client()) {
                        List<String> bodies = new ArrayList<>();
                        together.await(Peer.PATIENCE_MILLIS, TimeUnit.MILLISECONDS);
                        assertThat(get(client, origin).status()).isEqualTo(401);
                        bodies.add(logIn(client, origin, scheme, user));
                        for (int request = 0; request < 5; request++) {
                            bodies.add(get(client, origin).body());
                        }
                        return bodies;
                    }
                }));
            }
            for (int i = 0; i < clients; i++) {
                List<String> bodies = all.get(i).get(Peer.PATIENCE_MILLIS, TimeUnit.MILLISECONDS);
                assertThat(bodies).hasSize(6).containsOnly(bodies.get(0));
                assertThat(bodies.get(0)).startsWith("user" + i + " ");
            }
            assertThat(login.origin().accepted()).isEqualTo(clients);
            awaitNothingHeld(proxy);
        }
    }

    // ------------------------------------------------------------------ the client keeps it

    @Test
    void aClientKeepsItsLogin() throws IOException {
        try (LoginOrigin login = LoginOrigin.start();
                Proxy proxy = Proxy.start();
                Peer client = proxy.client()) {
            HostPort origin = login.origin().target();
            logIn(client, origin, "NTLM", "alice");

            for (int i = 0; i < 10; i++) {
                assertThat(get(client, origin).body()).isEqualTo("alice 1");
            }
            assertThat(exchange(client, Http.post(origin, "/", "a body")).body())
                    .isEqualTo("alice 1 a body");
            client.send(Http.request("HEAD", origin, "/"));
            assertThat(client.readHead()).startsWith("HTTP/1.1 200 OK\r\n");
            assertThat(exchange(
                                    client,
                                    Http.request(
                                                    "PUT",
                                                    origin,
                                                    "/",
                                                    "Transfer-Encoding: chunked",
                                                    "Expect: 100-continue")
                                            + "4\r\nmore\r\n0\r\n\r\n")
                            .body())
                    .isEqualTo("alice 1 more");
            assertThat(login.origin().accepted()).isEqualTo(1);
        }
    }

    /** As clients do that know they will be challenged: the body comes with the last leg only. */
    @Test
    void aPostLogsInBeforeItsBody() throws IOException {
        try (LoginOrigin login = LoginOrigin.start();
                Proxy proxy = Proxy.start();
                Peer client = proxy.client()) {
            HostPort origin = login.origin().target();
            Http.Message challenge =
                    exchange(client, Http.request("POST", origin, "/", "Content-Length: 0", LoginOrigin.begin("NTLM")));

            String last = LoginOrigin.answer("NTLM", "alice", challenge);
            assertThat(exchange(client, Http.request("POST", origin, "/", "Content-Length: 4", last) + "body")
                            .body())
                    .isEqualTo("alice 1 body");
        }
    }

    @Test
    void pipelinedRequestsAreAnsweredInOrder() throws IOException {
        try (LoginOrigin login = LoginOrigin.start();
                Proxy proxy = Proxy.start();
                Peer client = proxy.client()) {
            HostPort origin = login.origin().target();
            String ticket = "Authorization: Negotiate ticket-of-alice";
            client.send(Http.get(origin, "/1", ticket) + Http.post(origin, "/2", "b") + Http.get(origin, "/3"));

            assertThat(Http.read(client).body()).isEqualTo("alice 1");
            assertThat(Http.read(client).body()).isEqualTo("alice 1 b");
            assertThat(Http.read(client).body()).isEqualTo("alice 1");
            assertThat(login.requests())
                    .containsExactly("GET /1 over 1: Negotiate ticket-of-alice", "POST /2 over 1", "GET /3 over 1");
        }
    }

    /** The challenge alone has the connection be the client's: that is where it logs in. */
    @Test
    void theChallengedConnectionCarriesTheLogin() throws IOException {
        try (LoginOrigin login = LoginOrigin.start();
                Proxy proxy = Proxy.start();
                Peer client = proxy.client();
                Peer other = proxy.client()) {
            HostPort origin = login.origin().target();
            assertThat(get(client, origin).status()).isEqualTo(401);
            assertThat(get(other, origin).status()).isEqualTo(401);

            assertThat(logIn(client, origin, "NTLM", "alice")).isEqualTo("alice 1");
            assertThat(login.requests())
                    .filteredOn(request -> request.contains(" over 2"))
                    .hasSize(1);
        }
    }

    /** The first leg must not be what finds out that an idle connection is dead. */
    @Test
    void aLoginBeginsOverAFreshConnection() throws IOException {
        try (LoginOrigin login = LoginOrigin.start();
                Proxy proxy = Proxy.start();
                Peer client = proxy.client();
                Peer other = proxy.client()) {
            HostPort origin = login.origin().target();
            assertThat(get(other, origin, "Authorization: Basic bob").body()).isEqualTo("bob 1");

            assertThat(get(client, origin, "Authorization: Negotiate ticket-of-alice")
                            .body())
                    .isEqualTo("alice 2");
            assertThat(get(other, origin, "Authorization: Basic bob").body()).isEqualTo("bob 1");
        }
    }

    @Test
    void severalOriginsEachHaveTheirLogin() throws IOException {
        try (LoginOrigin one = LoginOrigin.start();
                LoginOrigin two = LoginOrigin.start();
                Origin open = Http.echo();
                Proxy proxy = Proxy.start();
                Peer client = proxy.client()) {
            logIn(client, one.origin().target(), "NTLM", "alice");
            logIn(client, two.origin().target(), "Negotiate", "carol");

            for (int i = 0; i < 3; i++) {
                assertThat(get(client, one.origin().target()).body()).isEqualTo("alice 1");
                assertThat(get(client, open.target()).body()).isEqualTo("GET / ");
                assertThat(get(client, two.origin().target()).body()).isEqualTo("carol 1");
            }
        }
    }

    @Test
    void theLoginThatWasNotUsedForTheLongestTimeGoesForTheNinth() throws IOException {
        List<LoginOrigin> origins = new ArrayList<>();
        try (Proxy proxy = Proxy.start();
                Peer client = proxy.client()) {
            for (int i = 0; i < 9; i++) {
                LoginOrigin login = LoginOrigin.start();
                origins.add(login);
                logIn(client, login.origin().target(), "NTLM", "alice");
                assertThat(get(client, origins.get(0).origin().target()).body()).isEqualTo("alice 1");
            }
            assertThat(proxy.handler().stats().pool().leased()).isEqualTo(8);
            assertThat(get(client, origins.get(0).origin().target()).body()).isEqualTo("alice 1");
            assertThat(get(client, origins.get(1).origin().target()).status()).isEqualTo(401);
            assertThat(logIn(client, origins.get(1).origin().target(), "NTLM", "alice"))
                    .isEqualTo("alice 2");
        } finally {
            for (LoginOrigin login : origins) {
                login.close();
            }
        }
    }

    // ------------------------------------------------------------------ it ends with either side

    @Test
    void itEndsWithTheClient() throws IOException {
        CompletableFuture<String> end = new CompletableFuture<>();
        try (Origin origin = Origin.start(peer -> {
                    Http.read(peer);
                    peer.send(Http.ok("logged in", "WWW-Authenticate: Negotiate done"));
                    end.complete(peer.readAll());
                });
                Proxy proxy = Proxy.start()) {
            try (Peer client = proxy.client()) {
                assertThat(get(client, origin.target()).body()).isEqualTo("logged in");
                assertThat(proxy.handler().stats().pool().leased()).isEqualTo(1);
                assertThat(end).isNotDone();
            }
            assertThat(end.orTimeout(Peer.PATIENCE_MILLIS, TimeUnit.MILLISECONDS)
                            .join())
                    .isEmpty();
            awaitNothingHeld(proxy);
        }
    }

    @Test
    void theClientEndsWithIt() throws IOException {
        try (LoginOrigin login = LoginOrigin.start();
                Proxy proxy = Proxy.start();
                Peer alice = proxy.client();
                Peer bob = proxy.client()) {
            HostPort origin = login.origin().target();
            logIn(alice, origin, "NTLM", "alice");
            logIn(bob, origin, "NTLM", "bob");

            login.end(1);
            alice.expectEnd();
            assertThat(get(bob, origin).body()).isEqualTo("bob 2");
            try (Peer again = proxy.client()) {
                assertThat(get(again, origin).status()).isEqualTo(401);
            }
        }
    }

    @Test
    void theAnswerSaysThatTheClientEndsWithIt() throws IOException {
        try (Origin origin = Origin.start(peer -> {
                    Http.read(peer);
                    peer.send("HTTP/1.1 401 Who\r\nWWW-Authenticate: NTLM\r\nContent-Length: 0\r\n\r\n");
                    Http.read(peer);
                    peer.send(
                            "HTTP/1.1 401 Who\r\nWWW-Authenticate: NTLM\r\nConnection: close\r\nContent-Length: 0\r\n\r\n");
                });
                Proxy proxy = Proxy.start();
                Peer client = proxy.client()) {
            assertThat(get(client, origin.target()).head()).doesNotContain("Connection: close");
            assertThat(get(client, origin.target()).head()).contains("\r\nConnection: close\r\n");
            client.expectEnd();
        }
    }

    /** A client that is being answered by another origin learns it from that answer. */
    @Test
    void theClientIsOfferedLoginsWhenItsNextAnswerBegins() throws Exception {
        CompletableFuture<Void> asked = new CompletableFuture<>();
        CompletableFuture<Void> gone = new CompletableFuture<>();
        try (LoginOrigin login = LoginOrigin.start();
                Origin slow = Origin.start(peer -> {
                    Http.read(peer);
                    asked.complete(null);
                    gone.get(Peer.PATIENCE_MILLIS, TimeUnit.MILLISECONDS);
                    peer.send(Http.ok("slow"));
                    peer.readAll();
                });
                Proxy proxy = Proxy.start();
                Peer client = proxy.client()) {
            logIn(client, login.origin().target(), "NTLM", "alice");
            client.send(Http.get(slow.target(), "/"));
            asked.get(Peer.PATIENCE_MILLIS, TimeUnit.MILLISECONDS);
            login.end(1);
            await().atMost(PATIENCE).until(() -> proxy.handler().stats().pool().leased() == 1);
            gone.complete(null);

            Http.Message answer = Http.read(client);
            assertThat(answer.body()).isEqualTo("slow");
            assertThat(answer.head()).contains("\r\nConnection: close\r\n");
            client.expectEnd();
        }
    }

    /** Asked over a connection that dies, a client is left as the origin leaves it; the request goes nowhere else. */
    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void aLegIsNotSentOverAnotherConnection(boolean reset) throws IOException {
        List<String> received = new ArrayList<>();
        try (Origin origin = Origin.start(peer -> {
                    received.add(Http.read(peer).head());
                    peer.send(Http.ok("logged in"));
                    received.add(Http.read(peer).head());
                    if (reset) {
                        peer.reset();
                    }
                });
                Proxy proxy = Proxy.start();
                Peer client = proxy.client()) {
            assertThat(get(client, origin.target(), "Authorization: NTLM abc").body())
                    .isEqualTo("logged in");
            client.send(Http.get(origin.target(), "/"));

            client.expectEnd();
            assertThat(received).hasSize(2);
            assertThat(origin.accepted()).isEqualTo(1);
        }
    }

    @Test
    void aFirstLegWithoutAnAnswerIsABadGateway() throws IOException {
        try (Origin origin = Origin.start(peer -> Http.read(peer));
                Proxy proxy = Proxy.start();
                Peer client = proxy.client()) {
            Http.Message answer = get(client, origin.target(), "Authorization: NTLM abc");

            assertThat(answer.status()).isEqualTo(502);
            assertThat(answer.head()).contains("\r\nConnection: close\r\n");
            client.expectEnd();
            assertThat(origin.accepted()).isEqualTo(1);
        }
    }

    /** Unrequested bytes must not become the next answer. */
    @Test
    void aConnectionThatSpeaksUnaskedEndsIt() throws Exception {
        CompletableFuture<Void> stray = new CompletableFuture<>();
        try (Origin origin = Origin.start(peer -> {
                    Http.read(peer);
                    peer.send(Http.ok("logged in", "WWW-Authenticate: Negotiate done"));
                    stray.get(Peer.PATIENCE_MILLIS, TimeUnit.MILLISECONDS);
                    peer.send(Http.ok("stray"));
                    peer.readAll();
                });
                Proxy proxy = Proxy.start();
                Peer client = proxy.client()) {
            assertThat(get(client, origin.target()).body()).isEqualTo("logged in");
            stray.complete(null);
            client.expectEnd();
        }
    }

    @Test
    void anIdleOneEndsWithTheClientsKeepAlive() throws IOException {
        try (LoginOrigin login = LoginOrigin.start();
                Proxy proxy = Proxy.start(settings -> settings.keepAliveTimeout(Duration.ofMillis(300)));
                Peer client = proxy.client()) {
            logIn(client, login.origin().target(), "NTLM", "alice");
            client.expectEnd();
            awaitNothingHeld(proxy);
        }
    }

    /** A client that is busy elsewhere is not ended for it. */
    @Test
    void anIdleOneOfABusyClientEndsAlone() throws Exception {
        CompletableFuture<Void> gone = new CompletableFuture<>();
        try (LoginOrigin login = LoginOrigin.start();
                Origin slow = Origin.start(peer -> {
                    Http.read(peer);
                    gone.get(Peer.PATIENCE_MILLIS, TimeUnit.MILLISECONDS);
                    peer.send(Http.ok("slow"));
                    peer.readAll();
                });
                Proxy proxy = Proxy.start(settings -> settings.keepAliveTimeout(Duration.ofMillis(500)));
                Peer client = proxy.client()) {
            HostPort origin = login.origin().target();
            logIn(client, origin, "NTLM", "alice");
            client.send(Http.get(slow.target(), "/"));
            await().atMost(PATIENCE).until(() -> proxy.handler().stats().pool().leased() == 1);
            gone.complete(null);

            assertThat(Http.read(client).head()).doesNotContain("Connection: close");
            assertThat(get(client, origin).status()).isEqualTo(401);
            assertThat(login.origin().accepted()).isEqualTo(2);
        }
    }

    @Test
    void aTunnelOverTheClientsConnectionEndsIt() throws IOException {
        try (LoginOrigin login = LoginOrigin.start();
                Origin echo = Origin.echo();
                Proxy proxy = Proxy.start();
                Peer client = proxy.client()) {
            logIn(client, login.origin().target(), "NTLM", "alice");
            client.send(Proxy.connectHead(echo.target()));

            assertThat(client.readHead()).startsWith("HTTP/1.1 200 ");
            awaitNothingHeld(proxy);
            client.send("hello").shutdownOutput();
            assertThat(client.readAll()).isEqualTo("hello");
        }
    }

    @Test
    void anUpgradeTakesTheLoginAlong() throws IOException {
        try (Origin origin = Origin.start(peer -> {
                    Http.read(peer);
                    peer.send(Http.ok("logged in"));
                    Http.read(peer);
                    peer.send("HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: chat\r\n\r\n");
                    peer.socket().getInputStream().transferTo(peer.socket().getOutputStream());
                });
                Proxy proxy = Proxy.start();
                Peer client = proxy.client()) {
            assertThat(get(client, origin.target(), "Authorization: NTLM abc").body())
                    .isEqualTo("logged in");
            client.send(Http.get(origin.target(), "/", "Connection: upgrade", "Upgrade: chat"));

            assertThat(client.readHead()).startsWith("HTTP/1.1 101 ");
            client.send("hello").shutdownOutput();
            assertThat(client.readAll()).isEqualTo("hello");
            assertThat(origin.accepted()).isEqualTo(1);
        }
    }

    @Test
    void aDrainEndsIt() throws Exception {
        try (LoginOrigin login = LoginOrigin.start();
                Proxy proxy = Proxy.start();
                Peer client = proxy.client()) {
            logIn(client, login.origin().target(), "NTLM", "alice");

            assertThat(proxy.handler().drain(Duration.ofSeconds(10))).isTrue();
            client.expectEnd();
            awaitNothingHeld(proxy);
        }
    }

    // ------------------------------------------------------------------ schemes that speak for one request

    @ParameterizedTest
    @ValueSource(
            strings = {
                "Basic YTpi",
                "Bearer abc",
                "Digest username=\"a\", response=\"b\"",
                "HOBA result=\"abc\"",
                "AWS4-HMAC-SHA256 Credential=a, SignedHeaders=host, Signature=b"
            })
    void connectionsOfOthersAreStillShared(String credentials) throws IOException {
        String challenges =
                "WWW-Authenticate: Basic realm=\"NTLM, Negotiate\", Digest realm=\"x\", nonce=\"y\", qop=\"auth\"";
        try (Origin origin = Origin.start(peer -> {
                    while (true) {
                        Http.read(peer);
                        peer.send(Http.ok("answer", challenges));
                    }
                });
                Proxy proxy = Proxy.start()) {
            for (int i = 0; i < 3; i++) {
                try (Peer client = proxy.client()) {
                    Http.Message answer = get(client, origin.target(), "Authorization: " + credentials);
                    assertThat(answer.head()).doesNotContain("Proxy-Support");
                    assertThat(get(client, origin.target()).body()).isEqualTo("answer");
                    await().atMost(PATIENCE)
                            .until(() -> proxy.handler().stats().pool().idle() == 1);
                }
            }
            assertThat(origin.accepted()).isEqualTo(1);
        }
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "WWW-Authenticate: NTLM",
                "www-authenticate: Basic realm=\"a\", negotiate",
                "WWW-Authenticate: Basic realm=\"a\"\r\nWWW-Authenticate: NTLM abc=",
                "WWW-Authenticate: Kerberos",
                "WWW-Authenticate: Nobody-Knows realm=\"a\""
            })
    void connectionsOfOneSchemeAmongOthersAreNot(String challenges) throws IOException {
        try (Origin origin = Origin.start(peer -> {
                    while (true) {
                        Http.read(peer);
                        peer.send("HTTP/1.1 401 Who\r\n" + challenges + "\r\nContent-Length: 0\r\n\r\n");
                    }
                });
                Proxy proxy = Proxy.start();
                Peer one = proxy.client();
                Peer two = proxy.client()) {
            for (int i = 0; i < 3; i++) {
                assertThat(get(one, origin.target()).status()).isEqualTo(401);
                assertThat(get(two, origin.target()).status()).isEqualTo(401);
            }
            assertThat(origin.accepted()).isEqualTo(2);
            assertThat(proxy.handler().stats().pool().idle()).isZero();
        }
    }

    // ------------------------------------------------------------------ offers to the client

    /** Without this field a client must not log in so through a proxy (RFC 4559 section 6). */
    @Test
    void theClientIsOfferedLogins() throws IOException {
        try (LoginOrigin login = LoginOrigin.start();
                Proxy proxy = Proxy.start();
                Peer client = proxy.client()) {
            Http.Message challenge = get(client, login.origin().target());

            assertThat(challenge.head())
                    .contains("\r\nProxy-Support: Session-Based-Authentication\r\nConnection: Proxy-Support\r\n");
        }
    }

    @Test
    void aClientWhoseConnectionEndsIsNotOfferedLogins() throws IOException {
        try (LoginOrigin login = LoginOrigin.start();
                Proxy proxy = Proxy.start();
                Peer client = proxy.client()) {
            Http.Message challenge = get(client, login.origin().target(), "Connection: close");

            assertThat(challenge.head()).contains("\r\nConnection: close\r\n").doesNotContain("Proxy-Support");
            client.expectEnd();
            assertThat(login.requests().stream().collect(Collectors.joining())).isEqualTo("GET / over 1");
            awaitNothingHeld(proxy);
        }
    }
}
