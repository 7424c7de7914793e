package io.broxy.core.forwarding;

import static org.assertj.core.api.Assertions.assertThat;

import io.broxy.Authenticator;
import io.broxy.Credentials;
import io.broxy.HostPort;
import io.broxy.ProxyAuthentication;
import io.broxy.ProxyChallenge;
import io.broxy.ProxyReply;
import io.broxy.Route;
import io.broxy.Rules;
import io.broxy.core.testkit.Http;
import io.broxy.core.testkit.LeakCheck;
import io.broxy.core.testkit.Origin;
import io.broxy.core.testkit.Peer;
import io.broxy.core.testkit.Proxy;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Specifies how forwarded requests answer the challenges of an upstream proxy, and which are sent once more for that. */
@ExtendWith(LeakCheck.class)
class ForwardedAuthenticationTest {
    private static final HostPort ONE = HostPort.parse("one.example:80");
    private static final Credentials USER = Credentials.basic("user", "secret");

    /** What came: the number of the connection, the method, and the credentials, or "-" for none. */
    private final List<String> legs = new CopyOnWriteArrayList<>();

    private final AtomicInteger connections = new AtomicInteger();

    /** Answers a request with its credentials, or null for none. */
    @FunctionalInterface
    private interface Answers {
        String answer(int connection, Http.Message request, @Nullable String credentials) throws IOException;
    }

    /** A proxy that reads whole requests, and closes behind a response that says so. */
    private Origin upstream(Answers answers) throws IOException {
        return Origin.start(peer -> {
            int connection = connections.incrementAndGet();
            while (true) {
                Http.Message request = Http.read(peer);
                String credentials = Http.value(request.head(), "Proxy-Authorization");
                String method = request.head().substring(0, request.head().indexOf(' '));
                legs.add(connection + " " + method + " " + (credentials == null ? "-" : credentials));
                String answer = answers.answer(connection, request, credentials);
                peer.send(answer.replace("Connection: close-silently\r\n", ""));
                if (answer.contains("Connection: close")) {
                    return;
                }
            }
        });
    }

    /** Wants Digest credentials, and answers with the body that it got. */
    private Origin digestUpstream() throws IOException {
        return upstream(
                (connection, request, credentials) -> credentials == null ? challenge("n") : Http.ok(request.body()));
    }

    private static String challenge(String nonce, String... more) {
        StringBuilder fields = new StringBuilder();
        for (String field : more) {
            fields.append(field).append("\r\n");
        }
        return "HTTP/1.1 407 Who\r\nProxy-Authenticate: Digest realm=\"r\", qop=\"auth\", nonce=\"" + nonce
                + "\"\r\nContent-Length: 4\r\n" + fields + "\r\nbody";
    }

    private static Proxy proxy(Origin upstream, ProxyAuthentication authentication) throws IOException {
        return Proxy.start((broxy, settings) -> settings.dialTimeout(Duration.ofSeconds(5))
                .dialer(broxy.httpProxyDialer(upstream.target())
                        .authentication(authentication)
                        .build()));
    }

    /** Releases a permit after each acceptance. */
    private static ProxyAuthentication releasing(Semaphore accepted, ProxyAuthentication inner) {
        return request -> {
            ProxyAuthentication.Session session = inner.begin(request);
            return new ProxyAuthentication.Session() {
                @Override
                public @Nullable String first() throws IOException {
                    return session.first();
                }

                @Override
                public @Nullable String answer(ProxyReply reply) throws IOException {
                    return session.answer(reply);
                }

                @Override
                public void accepted(ProxyReply reply) throws IOException {
                    session.accepted(reply);
                    accepted.release();
                }
            };
        };
    }

    /** The scheme learns that it was accepted at the same time as the client gets its response. */
    private static void await(Semaphore accepted) throws InterruptedException {
        assertThat(accepted.tryAcquire(10, TimeUnit.SECONDS)).isTrue();
    }

    private static Http.Message exchange(Peer client, String request) throws IOException {
        client.send(request);
        return Http.read(client);
    }

    // ------------------------------------------------------------------ digest

    @Test
    void aChallengeIsAnsweredOverTheSameConnectionForTheUriAsItIsSent() throws Exception {
        Semaphore accepted = new Semaphore(0);
        try (Origin upstream = digestUpstream();
                Proxy proxy = proxy(upstream, releasing(accepted, ProxyAuthentication.digest(USER)));
                Peer client = proxy.client()) {
            assertThat(exchange(client, Http.get(ONE, "/a?b=c")).status()).isEqualTo(200);
            await(accepted);
            assertThat(exchange(client, Http.get(ONE, "/d")).status()).isEqualTo(200);

            assertThat(legs).hasSize(3).allMatch(leg -> leg.startsWith("1 GET "));
            assertThat(legs.get(0)).isEqualTo("1 GET -");
            assertThat(legs.get(1)).contains("uri=\"http://one.example/a?b=c\"", "nc=00000001");
            assertThat(legs.get(2)).contains("uri=\"http://one.example/d\"", "nc=00000002");
            assertThat(proxy.handler().stats().dialFailures()).isZero();
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"Connection: close", "Connection: close-silently"})
    void aProxyThatClosesBehindItsChallengeGetsAnotherConnection(String closing) throws Exception {
        try (Origin upstream = upstream((connection, request, credentials) ->
                        credentials == null ? challenge("n", closing) : Http.ok("fine"));
                Proxy proxy = proxy(upstream, ProxyAuthentication.digest(USER));
                Peer client = proxy.client()) {
            assertThat(exchange(client, Http.get(ONE, "/")).body()).isEqualTo("fine");

            assertThat(legs).hasSize(2);
            assertThat(legs.get(1)).startsWith("2 GET Digest ").contains("nc=00000001");
        }
    }

    @Test
    void soDoesOneWhoseChallengeHasNoEndOrALongBody() throws Exception {
        for (String body : List.of("\r\nuntil the end", "Content-Length: 400000\r\n\r\n" + "x".repeat(400_000))) {
            legs.clear();
            connections.set(0);
            String challenge = "HTTP/1.1 407 Who\r\nProxy-Authenticate: Digest realm=\"r\", nonce=\"n\"\r\n" + body;
            try (Origin upstream = upstream(
                            (connection, request, credentials) -> credentials == null ? challenge : Http.ok("fine"));
                    Proxy proxy = proxy(upstream, ProxyAuthentication.digest(USER));
                    Peer client = proxy.client()) {
                assertThat(exchange(client, Http.get(ONE, "/")).body()).isEqualTo("fine");

                assertThat(legs).hasSize(2);
                assertThat(legs.get(1)).as(body.substring(0, 10)).startsWith("2 GET Digest ");
            }
        }
    }

    @Test
    void wrongCredentialsAreABadGatewayAfterOneTry() throws Exception {
        try (Origin upstream = upstream((connection, request, credentials) -> challenge("n" + legs.size()));
                Proxy proxy = proxy(upstream, ProxyAuthentication.digest(USER));
                Peer client = proxy.client()) {
            Http.Message answer = exchange(client, Http.get(ONE, "/"));

            assertThat(answer.status()).isEqualTo(502);
            assertThat(answer.head()).doesNotContain("Proxy-Authenticate");
            assertThat(legs).hasSize(2);
            assertThat(exchange(client, Http.get(ONE, "/")).status()).isEqualTo(502);
            assertThat(legs).hasSize(4);
            assertThat(proxy.handler().stats().dialFailures()).isEqualTo(2);
        }
    }

    @Test
    void aLoginWithoutEndIsEnded() throws Exception {
        AtomicInteger answers = new AtomicInteger();
        try (Origin upstream = upstream((connection, request, credentials) -> challenge("n"));
                Proxy proxy = proxy(upstream, request -> new Session() {
                    @Override
                    public String answer(ProxyReply reply) {
                        return "Bearer " + answers.incrementAndGet();
                    }
                });
                Peer client = proxy.client()) {
            assertThat(exchange(client, Http.get(ONE, "/")).status()).isEqualTo(502);
            assertThat(answers).hasValue(8);
        }
    }

    // ------------------------------------------------------------------ bodies

    @Test
    void aBodyThatIsNotLongIsSentOnceMore() throws Exception {
        Semaphore accepted = new Semaphore(0);
        try (Origin upstream = digestUpstream();
                Proxy proxy = proxy(upstream, releasing(accepted, ProxyAuthentication.digest(USER)));
                Peer client = proxy.client()) {
            String body = "0123456789".repeat(6_000);
            assertThat(exchange(client, Http.post(ONE, "/", body)).body()).isEqualTo(body);
            await(accepted);
            assertThat(exchange(client, Http.post(ONE, "/next", "next")).body()).isEqualTo("next");
            assertThat(legs).hasSize(3);
            assertThat(legs.get(1)).startsWith("1 POST Digest ");
        }
    }

    @Test
    void pipelinedBodiesAreAnsweredInTurn() throws Exception {
        try (Origin upstream = digestUpstream();
                Proxy proxy = proxy(upstream, ProxyAuthentication.digest(USER));
                Peer client = proxy.client()) {
            String body = "0123456789".repeat(6_000);
            client.send(Http.post(ONE, "/", body) + Http.post(ONE, "/next", "next"));

            assertThat(Http.read(client).body()).isEqualTo(body);
            assertThat(Http.read(client).body()).isEqualTo("next");
        }
    }

    @Test
    void soIsABodyInChunks() throws Exception {
        Semaphore accepted = new Semaphore(0);
        try (Origin upstream = digestUpstream();
                Proxy proxy = proxy(upstream, releasing(accepted, ProxyAuthentication.digest(USER)));
                Peer client = proxy.client()) {
            client.send(Http.request("POST", ONE, "/", "Transfer-Encoding: chunked") + "5\r\nhello\r\n");
            client.send("6\r\n world\r\n0\r\n\r\n");

            assertThat(Http.read(client).body()).isEqualTo("hello world");
            await(accepted);
            assertThat(exchange(client, Http.post(ONE, "/", "next")).body()).isEqualTo("next");
            assertThat(legs).hasSize(3);
        }
    }

    /** The challenge comes while the client is still sending, as most proxies have it. */
    @Test
    void aChallengeMayComeBeforeTheBodyDoes() throws Exception {
        CompletableFuture<Boolean> challenged = new CompletableFuture<>();
        try (Origin upstream = Origin.start(peer -> {
                    if (connections.incrementAndGet() == 1) {
                        peer.readHead();
                        assertThat(peer.readText(5)).isEqualTo("first");
                        peer.send(challenge("n", "Connection: close"));
                        challenged.complete(true);
                        return;
                    }
                    Http.Message request = Http.read(peer);
                    assertThat(request.head()).contains("Proxy-Authorization: Digest ");
                    peer.send(Http.ok(request.body()));
                    peer.expectEnd();
                });
                Proxy proxy = proxy(upstream, ProxyAuthentication.digest(USER));
                Peer client = proxy.client()) {
            client.send(Http.request("POST", ONE, "/", "Content-Length: 11") + "first");
            challenged.join();
            client.send("second");

            assertThat(Http.read(client).body()).isEqualTo("firstsecond");
        }
    }

    @Test
    void aLongBodyThatWasSentIsNotSentAgain() throws Exception {
        try (Origin upstream = digestUpstream();
                Proxy proxy = proxy(upstream, ProxyAuthentication.digest(USER));
                Peer client = proxy.client()) {
            client.send(Http.post(ONE, "/", "x".repeat(100_000)));

            assertThat(Http.read(client).status()).isEqualTo(502);
            assertThat(legs).containsExactly("1 POST -");
        }
    }

    /** Its nonce is known by then. */
    @Test
    void aLongBodyGoesThroughBehindARequestThatWasAccepted() throws Exception {
        Semaphore accepted = new Semaphore(0);
        try (Origin upstream = digestUpstream();
                Proxy proxy = proxy(upstream, releasing(accepted, ProxyAuthentication.digest(USER)));
                Peer client = proxy.client()) {
            String body = "x".repeat(200_000);
            assertThat(exchange(client, Http.get(ONE, "/")).status()).isEqualTo(200);
            await(accepted);

            assertThat(exchange(client, Http.post(ONE, "/", body)).body()).isEqualTo(body);
            assertThat(legs).hasSize(3);
        }
    }

    // ------------------------------------------------------------------ logins of connections

    /** Two legs beside a first request without credentials. */
    private static final class Ntlm extends Session {
        @Override
        public @Nullable String answer(ProxyReply reply) {
            ProxyChallenge challenge = ProxyChallenge.of(reply).get(0);
            String token = challenge.token68();
            return token == null ? "NTLM type1" : "NTLM " + token.replace("type2", "type3");
        }
    }

    private static String ntlm(int connection, @Nullable String credentials, String... more) {
        String token = "NTLM type1".equals(credentials) ? " type2/" + connection : "";
        String fields = more.length == 0 ? "" : more[0] + "\r\n";
        return "HTTP/1.1 407 Who\r\nProxy-Authenticate: NTLM" + token + "\r\nContent-Length: 4\r\n" + fields
                + "\r\nbody";
    }

    @Test
    void aLoginOfTheConnectionGoesOverOneAndStaysWithItsClient() throws Exception {
        try (Origin upstream =
                        upstream((connection, request, credentials) -> ("NTLM type3/" + connection).equals(credentials)
                                ? Http.ok("user of " + connection)
                                : ntlm(connection, credentials));
                Proxy proxy = proxy(upstream, request -> new Ntlm());
                Peer one = proxy.client();
                Peer two = proxy.client()) {
            assertThat(exchange(one, Http.get(ONE, "/")).body()).isEqualTo("user of 1");
            assertThat(exchange(two, Http.post(ONE, "/", "body")).body()).isEqualTo("user of 2");
            assertThat(exchange(one, Http.get(ONE, "/")).body()).isEqualTo("user of 1");

            assertThat(legs.subList(0, 6))
                    .containsExactly(
                            "1 GET -",
                            "1 GET NTLM type1",
                            "1 GET NTLM type3/1",
                            "2 POST -",
                            "2 POST NTLM type1",
                            "2 POST NTLM type3/2");
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"Connection: close", "Connection: close-silently"})
    void aProxyThatClosesWithinALoginOfTheConnectionIsABadGateway(String closing) throws Exception {
        try (Origin upstream = upstream((connection, request, credentials) ->
                        credentials == null ? ntlm(connection, credentials) : ntlm(connection, credentials, closing));
                Proxy proxy = proxy(upstream, request -> new Ntlm());
                Peer client = proxy.client()) {
            assertThat(exchange(client, Http.get(ONE, "/")).status()).isEqualTo(502);
            assertThat(legs).containsExactly("1 GET -", "1 GET NTLM type1");
        }
    }

    // ------------------------------------------------------------------ a user's scheme

    /** Sends nothing at first and answers nothing. */
    private static class Session implements ProxyAuthentication.Session {
        @Override
        public @Nullable String first() {
            return null;
        }

        @Override
        public @Nullable String answer(ProxyReply reply) {
            return null;
        }
    }

    @Test
    void aSessionSeesTheRequestItsClientAndTheAcceptance() throws Exception {
        List<ProxyAuthentication.Request> requests = new CopyOnWriteArrayList<>();
        CompletableFuture<String> accepted = new CompletableFuture<>();
        try (Origin upstream = upstream((connection, request, credentials) ->
                        Http.ok("fine", "Proxy-Authentication-Info: nextnonce=x"));
                Proxy proxy = proxy(upstream, request -> {
                    requests.add(request);
                    return new Session() {
                        @Override
                        public void accepted(ProxyReply reply) {
                            accepted.complete(
                                    reply.status() + " " + reply.fields().get(1).value());
                        }
                    };
                });
                Peer client = proxy.client()) {
            assertThat(exchange(client, Http.request("OPTIONS", ONE, "/a")).status())
                    .isEqualTo(200);

            assertThat(accepted.get()).isEqualTo("200 nextnonce=x");
            ProxyAuthentication.Request request = requests.get(0);
            assertThat(request.proxy()).isEqualTo(upstream.target());
            assertThat(request.target()).isEqualTo(ONE);
            assertThat(request.method()).isEqualTo("OPTIONS");
            assertThat(request.requestTarget()).isEqualTo("http://one.example/a");
            InetSocketAddress source =
                    (InetSocketAddress) Objects.requireNonNull(request.client()).source();
            assertThat(source.getPort()).isEqualTo(client.socket().getLocalPort());
        }
    }

    @Test
    void aSessionSeesWhoTheClientIsForTunnelsAndForwardedRequests() throws Exception {
        List<String> identities = new CopyOnWriteArrayList<>();
        try (Origin upstream = upstream((connection, request, credentials) -> Http.ok("fine"));
                Proxy proxy = Proxy.start((broxy, settings) -> settings.authenticator(
                                Authenticator.basic("here", (user, password) -> password.equals("right")))
                        .dialer(broxy.httpProxyDialer(upstream.target())
                                .authentication(request -> {
                                    identities.add(request.method() + " "
                                            + Objects.requireNonNull(request.client())
                                                    .identity());
                                    return new Session();
                                })
                                .build()));
                Peer client = proxy.client();
                Peer tunnel = proxy.client()) {
            String alice = "Proxy-Authorization: "
                    + Credentials.basic("alice", "right").authorization();
            String bob =
                    "Proxy-Authorization: " + Credentials.basic("bob", "right").authorization();
            exchange(client, Http.get(ONE, "/", alice));
            exchange(client, Http.get(ONE, "/", bob));
            tunnel.send("CONNECT one.example:80 HTTP/1.1\r\nHost: one.example:80\r\n" + alice + "\r\n\r\n");
            assertThat(tunnel.readHead()).startsWith("HTTP/1.1 200 ");

            assertThat(identities).containsExactly("GET alice", "GET bob", "CONNECT alice");
        }
    }

    @Test
    void aSessionThatDoesNotTrustTheProxyCutsTheResponse() throws Exception {
        try (Origin upstream = Origin.start(peer -> {
                    peer.readHead();
                    peer.send("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nbegin");
                    peer.readAll();
                });
                Proxy proxy = proxy(upstream, request -> new Session() {
                    @Override
                    public void accepted(ProxyReply reply) throws IOException {
                        throw new IOException("an impostor");
                    }
                });
                Peer client = proxy.client()) {
            client.send(Http.get(ONE, "/"));

            assertThat(client.readAll()).doesNotContain("x".repeat(50));
        }
    }

    @Test
    void aSessionThatDoesNotEndIsAGatewayTimeout() throws Exception {
        CompletableFuture<String> never = new CompletableFuture<>();
        try (Origin upstream = upstream((connection, request, credentials) -> challenge("n"));
                Proxy proxy = Proxy.start((broxy, settings) -> settings.dialTimeout(Duration.ofMillis(300))
                        .dialer(broxy.httpProxyDialer(upstream.target())
                                .authentication(request -> new Session() {
                                    @Override
                                    public String answer(ProxyReply reply) {
                                        return never.join();
                                    }
                                })
                                .build()));
                Peer client = proxy.client()) {
            assertThat(exchange(client, Http.get(ONE, "/")).status()).isEqualTo(504);
            never.complete("Bearer too-late");
        }
    }

    @Test
    void aClientThatGoesWhileASessionIsAskedLeavesNothingBehind() throws Exception {
        CompletableFuture<String> asked = new CompletableFuture<>();
        CompletableFuture<String> answer = new CompletableFuture<>();
        try (Origin upstream = upstream((connection, request, credentials) -> challenge("n"));
                Proxy proxy = proxy(upstream, request -> new Session() {
                    @Override
                    public String answer(ProxyReply reply) {
                        asked.complete("");
                        return answer.join();
                    }
                })) {
            try (Peer client = proxy.client()) {
                client.send(Http.get(ONE, "/"));
                asked.get();
                client.reset();
            }
            answer.complete("Bearer x");
        }
    }

    /** The first hop takes no second connection. */
    @Test
    void credentialsForOneHopNeverReachAnother() throws Exception {
        CompletableFuture<Origin> first = new CompletableFuture<>();
        try (Origin closing = Origin.start(peer -> {
                    Http.read(peer);
                    first.join().stopListening();
                    peer.send(challenge("n", "Connection: close"));
                });
                Origin other = upstream((connection, request, credentials) -> Http.ok("fine"));
                Proxy proxy = Proxy.start((broxy, settings) -> settings.dialer(broxy.routingDialer()
                        .hop(
                                "first",
                                broxy.httpProxyDialer(closing.target())
                                        .authentication(ProxyAuthentication.digest(USER))
                                        .build())
                        .hop("second", broxy.httpProxyDialer(other.target()).build())
                        .rules(Rules.builder()
                                .otherwise(Route.via("first", "second"))
                                .build())
                        .build()));
                Peer client = proxy.client()) {
            first.complete(closing);

            assertThat(exchange(client, Http.get(ONE, "/")).body()).isEqualTo("fine");
            assertThat(legs).containsExactly("1 GET -");
        }
    }

    @Test
    void anotherHopTakesARequestThatTheFirstDoesNotAccept() throws Exception {
        try (Origin refusing = upstream((connection, request, credentials) -> challenge("n" + legs.size()));
                Origin other = Http.echo();
                Proxy proxy = Proxy.start((broxy, settings) -> settings.dialer(broxy.routingDialer()
                        .hop(
                                "first",
                                broxy.httpProxyDialer(refusing.target())
                                        .authentication(ProxyAuthentication.digest(USER))
                                        .build())
                        .hop("second", broxy.httpProxyDialer(other.target()).build())
                        .rules(Rules.builder()
                                .otherwise(Route.via("first", "second"))
                                .build())
                        .build()));
                Peer client = proxy.client()) {
            assertThat(exchange(client, Http.post(ONE, "/", "body")).body()).isEqualTo("POST http://one.example/ body");
            assertThat(legs).hasSize(2);
        }
    }
}
